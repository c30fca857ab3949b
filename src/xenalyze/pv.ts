/**
 * Records of PV guests: hypercalls with their arguments, traps, what Xen emulates for them.
 *
 * The low byte of an event says what happened, bit 8 whether addresses have 64 bits. Records of the shape that Xen 3.2
 * to 4.2 gave them are known as well.
 * @module
 */
import type { Analyser } from './analyser.ts';
import { PLAIN, startLine } from './dump-line.ts';
import { COUNTED_HYPERCALL_NAMES, HYPERCALL_NAMES, NO_NAME } from './hypercall-names.ts';
import { ERROR_RECORD } from './options.ts';
import type { Pcpu } from './state.ts';
import { structOf } from './struct.ts';
import { PV_RULE } from './wasm/structs.mjs';
import { PV_RULE_BYTES, PV_RULES, WORD_COUNTS } from './wasm/walk-layout.ts';

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

const SPACE = 0x20;

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

/**
 * Of the kinds that are read word by word: how many words they have, with addresses of 32 and of 64 bits (undefined:
 * any number but none), and what reads them. All others are shown as numbers.
 */
interface Layout {
  readonly words: readonly [number, number] | undefined;
  readonly process: (a: Analyser, p: Pcpu, wide: boolean) => void;
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

const LAYOUTS: readonly (Layout | undefined)[] = Object.assign(new Array<Layout | undefined>(KINDS), {
  [HYPERCALL]: { words: [2, 3], process: processHypercall, told: HYPERCALL_TOLD },
  [TRAP]: { words: [2, 3], process: processTrap, told: TRAP_TOLD },
  [PTWR_EMULATION]: { words: [3, 6], process: processPtwr },
  [PTWR_EMULATION_PAE]: { words: [4, 4], process: processPtwrPae },
  [HYPERCALL_V2]: { words: undefined, process: processHypercallV2, told: HYPERCALL_V2_TOLD },
  [HYPERCALL_SUBCALL]: { words: undefined, process: processHypercallV2, told: HYPERCALL_V2_TOLD },
} satisfies Record<number, Layout>);

/** Processes a record of the PV class. The current vCPU is known, and not one of an HVM guest. */
export function processPv(a: Analyser, p: Pcpu): void {
  const vcpu = p.current!;
  const { summaryInfo, compat417, dumpAll } = a.options;
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
  if (layout === undefined) {
    if (dumpAll) dumpOther(a, p, kind);
  } else if (compat417 || hasWords(p.extraWords, layout, wide)) {
    if (summaryInfo && layout.told !== undefined) countTold(p, pv, layout.told, wide);
    layout.process(a, p, wide);
  } else a.processGeneric(p);
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
        const isStrange = kind === PTWR_EMULATION_PAE && wide;
        if (layout !== undefined && (isStrange || !hasWords(words, layout, wide))) continue;
        const place = ((wide ? WIDE : 0) | kind) * WORD_COUNTS + words;
        const rule = new PvRule(memory, PV_RULES + place * PV_RULE_BYTES);
        rule.kind = countedKind(kind) + 1;
        if (layout?.told !== undefined)
          Object.assign(rule, layout.told, { word: layout.told.word[Number(wide)] });
      }
}

function processHypercall(a: Analyser, p: Pcpu, wide: boolean): void {
  if (!a.options.dumpAll) return;
  const { out } = a;
  startLine(a, PLAIN);
  writeHypercall(a, p.word(wide ? 2 : 1));
  out.text(' eip ');
  writeAddress(a, p, 0, wide);
  out.newline();
}

function processTrap(a: Analyser, p: Pcpu, wide: boolean): void {
  if (!a.options.dumpAll) return;
  const { out } = a;
  const word = p.word(wide ? 2 : 1);
  startLine(a, PLAIN);
  out.text(' trap ');
  out.hex(word & TRAP_TOLD.mask);
  out.text(' eip ');
  writeAddress(a, p, 0, wide);
  if ((word & 0x8000) !== 0) {
    out.text(' ec ');
    out.hex(word >>> 16);
  }
  out.newline();
}

function processPtwr(a: Analyser, p: Pcpu, wide: boolean): void {
  if (!wide && p.extraWords === 3 && !a.options.compat417) {
    dumpPtwr(a, 0, p.word(0), p.word(1), p.word(2));
    return;
  }
  if (!wide) {
    a.warn.printf('Strange: PV_PTWR_EMULATION, but !x64! %x\n', p.event);
    a.error(ERROR_RECORD, p);
  }
  dumpPtwr(a, p.word(1), p.word(0), p.bigint(2), p.bigint(4));
}

function processPtwrPae(a: Analyser, p: Pcpu, wide: boolean): void {
  if (wide) {
    a.warn.printf('Strange: PV_PTWR_EMULATION, but x64! %x\n', p.event);
    a.error(ERROR_RECORD, p);
  }
  dumpPtwr(a, p.word(1), p.word(0), p.word(2), p.word(3));
}

/** An entry, in two words, that a guest's instruction writes to an address of a page table. */
function dumpPtwr(
  a: Analyser,
  pteHigh: number,
  pteLow: number,
  address: number | bigint,
  eip: number | bigint,
): void {
  if (!a.options.dumpAll) return;
  const { out } = a;
  startLine(a, PLAIN);
  out.text(' ptwr l1e ');
  out.hex64(pteHigh, pteLow);
  out.printf(' eip %llx addr %llx\n', eip, address);
}

/** A kind without a layout: its words as numbers. */
function dumpOther(a: Analyser, p: Pcpu, kind: number): void {
  const { out } = a;
  startLine(a, PLAIN);
  const name = KIND_NAMES[kind];
  if (name !== undefined) {
    out.byte(SPACE);
    out.text(name);
  } else out.printf(' PV-%d ', kind);
  if (p.extraWords !== 0) {
    out.text('[ ');
    for (let i = 0; i < p.extraWords; i++) {
      out.hex(p.word(i));
      out.byte(SPACE);
    }
    out.byte(0x5d);
  }
  out.newline();
}

function writeHypercall({ out }: Analyser, hypercall: number): void {
  out.text(hypercall < 16 ? ' hypercall  ' : ' hypercall ');
  out.hex(hypercall);
  if (hypercall >= HYPERCALL_NAMES.length) return;
  out.text(' (');
  out.text(HYPERCALL_NAMES[hypercall]);
  out.byte(0x29);
}

function writeAddress({ out }: Analyser, p: Pcpu, at: number, wide: boolean): void {
  if (wide) out.hex64(p.word(at + 1), p.word(at));
  else out.hex(p.word(at));
}

// Hypercalls since Xen 4.3: word 0 holds the number in its low 20 bits, and above it, two bits each, how many words of
// each of six arguments follow.

const ARGUMENTS_MAX = 6;
const MMU_UPDATE_PREEMPTED = 0x80000000;

function argumentWords(word: number, i: number): number {
  return (word >>> (20 + 2 * i)) & 3;
}

const GRANT_TABLE_OPS = [
  'map_grant_ref',
  'unmap_grant_ref',
  'setup_table',
  'dump_table',
  'transfer',
  'copy',
  'query_size',
  'unmap_and_replace',
  'set_version',
  'get_status_frames',
  'get_version',
  'swap_grant_ref',
];
const VCPU_OPS = [
  'initialise',
  'up',
  'down',
  'is_up',
  'get_runstate_info',
  'register_runstate_memory_area',
  'set_periodic_timer',
  'stop_periodic_timer',
  'set_singleshot_timer',
  'stop_singleshot_timer',
  'register_vcpu_info',
  'send_nmi',
  'get_physid',
  'register_vcpu_time_memory_area',
];
const SCHED_OPS = ['yield', 'block', 'shutdown', 'poll', 'remote_shutdown', 'shutdown_code', 'watchdog'];

/** What is shown of the arguments of some hypercalls, by their names. */
const ARGUMENT_WRITERS: Readonly<Record<string, (a: Analyser, p: Pcpu) => void>> = {
  mmu_update: (a, p) => {
    const count = argument(p, 1);
    a.out.byte(SPACE);
    a.out.integer(count & ~MMU_UPDATE_PREEMPTED);
    a.out.text((count & MMU_UPDATE_PREEMPTED) !== 0 ? ' updates (preempted)' : ' updates');
  },
  multicall: (a, p) => writeCount(a, argument(p, 1), ' calls'),
  grant_table_op: (a, p) => {
    writeCommand(a, GRANT_TABLE_OPS, argument(p, 0));
    writeCount(a, argument(p, 2), ' ops');
  },
  vcpu_op: (a, p) => {
    writeCommand(a, VCPU_OPS, argument(p, 0));
    a.out.text(' vcpu');
    writeCount(a, argument(p, 1), '');
  },
  mmuext_op: (a, p) => writeCount(a, argument(p, 1), ' ops'),
  sched_op: (a, p) => writeCommand(a, SCHED_OPS, argument(p, 0)),
};
const HYPERCALL_ARGUMENT_WRITERS = HYPERCALL_NAMES.map((name) => ARGUMENT_WRITERS[name]);

function processHypercallV2(a: Analyser, p: Pcpu): void {
  if (!a.options.dumpAll) return;
  const hypercall = p.word(0) & HYPERCALL_V2_TOLD.mask;
  const { out } = a;
  startLine(a, PLAIN);
  if ((p.event & 0xff) === HYPERCALL_SUBCALL) out.byte(SPACE);
  writeHypercall(a, hypercall);
  (HYPERCALL_ARGUMENT_WRITERS[hypercall] ?? writeArguments)(a, p);
  out.newline();
}

/** The low 32 bits of an argument; 0 if it is not there. */
function argument(p: Pcpu, wanted: number): number {
  let at = 1;
  for (let i = 0; i < wanted; i++) at += argumentWords(p.word(0), i);
  const words = argumentWords(p.word(0), wanted);
  return at < p.extraWords && (words === 1 || words === 2) ? p.word(at) : 0;
}

function writeCount({ out }: Analyser, count: number, what: string): void {
  out.byte(SPACE);
  out.integer(count | 0);
  out.text(what);
}

function writeCommand({ out }: Analyser, names: readonly string[], command: number): void {
  out.byte(SPACE);
  if (command < names.length) out.text(names[command]);
  else out.printf('unknown (%d)', command | 0);
}

function writeArguments({ out }: Analyser, p: Pcpu): void {
  for (let i = 0, at = 1; i < ARGUMENTS_MAX && at < p.extraWords; i++) {
    const words = argumentWords(p.word(0), i);
    if (words === 0) out.text(' ??');
    else if (words === 1) out.printf(' %08x', p.word(at));
    else if (words === 2) out.printf(' %016llu', argument64(p, at));
    at += words;
  }
}

/** An argument of 64 bits. Where it goes on behind the seven words of a record, xenalyze has the number of a pCPU. */
function argument64(p: Pcpu, at: number): bigint {
  const high = at + 1 === 7 && p.hasTsc ? p.lastCpuChangePcpu : p.word(at + 1);
  return (BigInt(high) << 32n) | BigInt(p.word(at));
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
