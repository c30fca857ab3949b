/**
 * Records of PV guests: hypercalls with their arguments, traps, what Xen emulates for them.
 *
 * The low byte of an event says what happened, bit 8 whether addresses have 64 bits. Records of the shape that Xen 3.2
 * to 4.2 gave them are known as well.
 * @module
 */
import type { Analyser } from './analyser.ts';
import { hypercallV2Line } from './hypercall-arguments.ts';
import { COUNTED_HYPERCALL_NAMES, hypercallTemplate, NO_NAME } from './hypercall-names.ts';
import { ERROR_RECORD } from './options.ts';
import { ifSet, type LineTemplate, wordsInHex } from './record-lines.ts';
import type { Pcpu } from './state.ts';
import { structOf } from './struct.ts';
import { PV_RULE } from './wasm/structs.mjs';
import { PV_EVENT, PV_RULE_BYTES, PV_RULES, WORD_COUNTS } from './wasm/walk-layout.ts';

const HYPERCALL = 1;
const TRAP = 3;
const PTWR_EMULATION = 11;
const PTWR_EMULATION_PAE = 12;
const HYPERCALL_V2 = 13;
const HYPERCALL_SUBCALL = 14;

const KIND_NAMES = [
  undefined,
  'hypercall',
  undefined,
  'trap',
  'page_fault',
  'forced_invalid_op',
  'emulate privop',
  'emulate 4g',
  'math state restore',
  'paging fixup',
  'gdt/ldt mapping fault',
  'ptwr',
  'ptwr(pae)',
  'hypercall',
  'hypercall (subcall)',
];
const KINDS = KIND_NAMES.length;
const HYPERCALLS = 56;
const TRAPS = 20;
const TRAPS_FROM = KINDS + HYPERCALLS;
/** Of --compat 4.17, which counts kinds that there are not. */
const COUNTS = 256;
const COUNTS_IN_MEMORY = TRAPS_FROM + TRAPS;

/** In an event: its addresses have 64 bits. */
const WIDE = 0x100;

/** What is known of a vCPU of a PV guest: how often what happened. */
export class PvVcpu {
  /** Whether anything was counted. */
  counted = false;
  /**
   * By kind, the low byte of an event. Those of hypercalls and traps follow in the same memory, as they do in xenalyze:
   * it takes an event of a kind that there is not for one of them.
   */
  readonly kinds: Int32Array;
  readonly hypercalls: Int32Array;
  readonly traps: Int32Array;

  constructor(kinds: Int32Array) {
    this.kinds = kinds;
    this.hypercalls = kinds.subarray(KINDS, TRAPS_FROM);
    this.traps = kinds.subarray(TRAPS_FROM, TRAPS_FROM + TRAPS);
  }
}

/** Of the kinds that are read word by word; all others are shown as numbers. */
interface Layout {
  /** How many words they have, with addresses of 32 and of 64 bits; undefined: any number but none. */
  readonly words: readonly [number, number] | undefined;
  /** Likewise, what is shown. */
  readonly lines: readonly [LineTemplate, LineTemplate];
  /** What one of the words tells, that is counted too. */
  readonly told?: Told;
}

/** The word, with addresses of 32 and of 64 bits; which of its bits; where the counts begin, and how many they are. */
interface Told {
  readonly word: readonly [number, number];
  readonly mask: number;
  readonly from: number;
  readonly limit: number;
}

const HYPERCALL_TOLD: Told = { word: [1, 2], mask: 0xffffffff, from: KINDS, limit: HYPERCALLS };
const TRAP_TOLD: Told = { word: [1, 2], mask: 0x7fff, from: TRAPS_FROM, limit: TRAPS };
const HYPERCALL_V2_TOLD: Told = { word: [0, 0], mask: 0xfffff, from: KINDS, limit: HYPERCALLS };

/** An entry that a guest's instruction writes to an address of a page table. */
const PTWR_LINE = 'ptwr l1e {0qx} eip {4qx} addr {2qx}';
const PTWR_PAE_LINE = 'ptwr l1e {0qx} eip {3x} addr {2x}';

/** @param word The place of the hypercall's number. */
function hypercallLine(word: number, eip: string): LineTemplate {
  return ['hypercall ', ...hypercallTemplate([word, 0, 32]), ` eip ${eip}`];
}

/** @param word The place of the trap, of whether it has an error code, and of that. */
function trapLine(word: number, eip: string): LineTemplate {
  return [
    'trap ',
    { hex: [word, 0, 15] },
    ` eip ${eip}`,
    ifSet([word, 15, 1], [' ec ', { hex: [word, 16, 16] }]),
  ];
}

function hypercallV2(indent: string): Layout {
  const line = hypercallV2Line(indent);
  return { words: undefined, lines: [line, line], told: HYPERCALL_V2_TOLD };
}

const LAYOUTS: readonly (Layout | undefined)[] = Object.assign(new Array<Layout | undefined>(KINDS), {
  [HYPERCALL]: {
    words: [2, 3],
    lines: [hypercallLine(1, '{0x}'), hypercallLine(2, '{0qx}')],
    told: HYPERCALL_TOLD,
  },
  [TRAP]: { words: [2, 3], lines: [trapLine(1, '{0x}'), trapLine(2, '{0qx}')], told: TRAP_TOLD },
  [PTWR_EMULATION]: { words: [3, 6], lines: ['ptwr l1e {0x} eip {2x} addr {1x}', PTWR_LINE] },
  [PTWR_EMULATION_PAE]: { words: [4, 4], lines: [PTWR_PAE_LINE, PTWR_PAE_LINE] },
  [HYPERCALL_V2]: hypercallV2(''),
  [HYPERCALL_SUBCALL]: hypercallV2(' '),
} satisfies Record<number, Layout>);

/** By number of extra words. */
const BRACKETED = Array.from({ length: WORD_COUNTS }, (_, n) => (n > 0 ? `[ ${wordsInHex(n)}]` : ''));
/** They have lines in common, as there is no room for one of each. */
const OF_UNKNOWN_KINDS: readonly LineTemplate[] = BRACKETED.map((words) => [
  (p) => `PV-${p.event & 0xff} `,
  words,
]);

/** The line of a record, of 4.17 whatever the number of words; undefined where they make no sense. */
export function pvLine({ options }: Analyser, event: number, extraWords: number): LineTemplate | undefined {
  const kind = event & 0xff;
  const wide = (event & WIDE) !== 0;
  const layout = LAYOUTS[kind];
  if (layout === undefined) {
    const name = KIND_NAMES[kind];
    return name === undefined ? OF_UNKNOWN_KINDS[extraWords] : name + BRACKETED[extraWords];
  }
  if (!options.compat417) return hasWords(extraWords, layout, wide) ? layout.lines[Number(wide)] : undefined;
  return kind === PTWR_EMULATION ? PTWR_LINE : layout.lines[Number(wide)];
}

/** Processes a record of the PV class. The current vCPU is known, and not one of an HVM guest. */
export function processPv(a: Analyser, p: Pcpu): void {
  const vcpu = p.current!;
  const { summaryInfo, compat417 } = a.options;
  vcpu.pv ??= new PvVcpu(
    compat417
      ? new Int32Array(COUNTS)
      : new Int32Array(a.memory.buffer, a.memory.guestAt(vcpu), COUNTS_IN_MEMORY),
  );
  const { pv } = vcpu;
  const kind = p.event & 0xff;
  const wide = (p.event & WIDE) !== 0;
  if (summaryInfo) {
    pv.counted = true;
    if (kind < KINDS || compat417) pv.kinds[countedKind(kind)]++;
  }
  const layout = LAYOUTS[kind];
  if (layout !== undefined && !compat417 && !hasWords(p.extraWords, layout, wide)) {
    a.processGeneric(p);
    return;
  }
  if (summaryInfo && layout?.told !== undefined) countTold(p, pv, layout.told, wide);
  if (isStrange(kind, wide, compat417)) {
    a.warn.printf('Strange: PV_PTWR_EMULATION, but %s! %x\n', wide ? 'x64' : '!x64', p.event);
    a.error(ERROR_RECORD, p);
  }
  a.lines.dump(p, PV_EVENT | (p.event & (WIDE | 0xff)));
}

/** Whether addresses have not as many bits as records of the kind are for; 4.17 knows of 64 only. */
function isStrange(kind: number, wide: boolean, compat417: boolean): boolean {
  return wide ? kind === PTWR_EMULATION_PAE : kind === PTWR_EMULATION && compat417;
}

function countedKind(kind: number): number {
  return kind === PTWR_EMULATION_PAE ? PTWR_EMULATION : kind;
}

function hasWords(extraWords: number, { words }: Layout, wide: boolean): boolean {
  return words === undefined ? extraWords > 0 : extraWords === words[Number(wide)];
}

function countTold(p: Pcpu, { kinds }: PvVcpu, { word, mask, from, limit }: Told, wide: boolean): void {
  const told = (p.word(word[Number(wide)]) & mask) >>> 0;
  if (told < limit) kinds[from + told]++;
}

class PvRule extends structOf(PV_RULE) {}

/** Tells wasm/guest-records.ts what is counted of records, as far as nothing else is to be done with them. */
export function setPvRules({ memory, options }: Analyser): void {
  if (options.compat417) return;
  for (let kind = 0; kind < KINDS; kind++)
    for (const wide of [false, true])
      for (let words = 0; words < WORD_COUNTS; words++) {
        const layout = LAYOUTS[kind];
        if (layout !== undefined && !hasWords(words, layout, wide)) continue;
        if (isStrange(kind, wide, false)) continue;
        const place = ((wide ? WIDE : 0) | kind) * WORD_COUNTS + words;
        const rule = new PvRule(memory, PV_RULES + place * PV_RULE_BYTES);
        rule.kind = countedKind(kind) + 1;
        if (layout?.told !== undefined)
          Object.assign(rule, layout.told, { word: layout.told.word[Number(wide)] });
      }
}

/** Prints what a vCPU of a PV guest did, and how often. */
export function printPvSummary(a: Analyser, pv: PvVcpu): void {
  if (!pv.counted) return;
  const { out } = a;
  out.text('PV events:\n');
  for (let kind = 0; kind < KINDS; kind++) {
    const count = pv.kinds[kind] + (kind === HYPERCALL_V2 ? pv.kinds[HYPERCALL_SUBCALL] : 0);
    if (count === 0) continue;
    out.printf('  %s  %d\n', KIND_NAMES[kind] ?? NO_NAME, count);
    if (kind === HYPERCALL || kind === HYPERCALL_V2)
      printCounts(pv.hypercalls, (i, times) =>
        out.printf('    %-29s[%2d]: %6d\n', COUNTED_HYPERCALL_NAMES[i], i, times),
      );
    else if (kind === TRAP) printCounts(pv.traps, (i, times) => out.printf('    [%d] %d\n', i, times));
  }
}

function printCounts(counts: Int32Array, print: (i: number, times: number) => void): void {
  for (const [i, times] of counts.entries()) if (times !== 0) print(i, times);
}
