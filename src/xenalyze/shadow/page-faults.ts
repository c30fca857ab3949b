import type { Analyser } from '../analyser.ts';
import { CycleSummaries } from '../cycle-summaries.ts';
import type { XenalyzeOptions } from '../options.ts';
import { sprintf } from '../text-output.ts';

/** What became of a page fault; what shadow records call it is in the low byte of their events. */
export const NOT_SHADOW = 1;
export const FAST_PROPAGATE = 2;
export const FAST_MMIO = 3;
export const FALSE_FAST_PATH = 4;
export const MMIO = 5;
export const FIXUP = 6;
export const DOMAIN_DYING = 7;
export const EMULATE = 8;
export const UNSHADOW_USER = 9;
export const UNSHADOW_EVENT_INJECTED = 10;
export const UNSHADOW_UNHANDLED = 11;
export const LAST_FAULT = UNSHADOW_UNHANDLED;
export const NOT_EMULATED = 12;

export const FAULT_NAMES = [
  undefined,
  'propagate',
  'fast propagate',
  'fast mmio',
  'false fast path',
  'mmio',
  'fixup',
  'dom dying',
  'emulate',
  'unshadow:user-mode',
  'unshadow:evt inj',
  'unshadow:unhandled instr',
  'fixup|mmio',
  '(no handler)',
];

/** Emulated writes, by what was done: the first five by the level of the page table whose linear map was written to. */
export const EMULATED_EARLY_UNSHADOW = 5;
export const EMULATED_SET_CHANGED = 6;
export const EMULATED_SET_UNCHANGED = 7;
export const EMULATED_SET_FLUSH = 8;
export const EMULATED_SET_ERROR = 9;
export const EMULATED_PROMOTE = 10;
export const EMULATED_DEMOTE = 11;
export const EMULATED_UNPIN = 12;
export const EMULATED_UNHOOK = 13;
const EMULATED_NAMES = [
  'non-linmap',
  'linmap l1',
  'linmap l2',
  'linmap l3',
  'linmap l4',
  'early unshadow',
  'set changed',
  'set unchanged',
  'set changed',
  'set changed',
  'promote',
  'demote',
  'unpin',
  'unhook',
];

/** Faults without a shadow record, by who faulted, and where. */
export const VA_USER = 0;
export const VA_KERNEL = 1;
export const EIP_USER = 2;
export const EIP_KERNEL = 3;
const NOT_EMULATED_NAMES = ['va user', 'va kernel', 'eip user', 'eip kernel'];

/** Entries put right, by what else was done. */
export const FIXUP_UNPIN = 0;
export const FIXUP_UNSYNC = 2;
export const FIXUP_OOS_ADD = 3;
export const FIXUP_OOS_EVICT = 4;
export const FIXUP_PROMOTE = 5;
export const FIXUP_UPDATE_ONLY = 6;
export const FIXUP_WRMAP = 7;
export const FIXUP_BRUTE_FORCE = 8;
const FIXUP_NAMES = [
  'unpin',
  'unhook',
  'unsync',
  'oos-add',
  'oos-evict',
  'promote',
  'update',
  'wrmap',
  'wrmap-bf',
];
/** Resyncs of one fixup: so many or more are counted together. */
export const RESYNCS_MAX = 2;

/** Of page tables, those that do not exist among them. */
const LEVELS = 5;

/** Fields of the records of page faults: where they are among the words that are recorded of an exit. Two words: */
export const VA = 0;
/** What the shadow code did, one bit each: see flags.ts. */
export const FLAGS = 2;
export const ERROR_CODE = 3;
const OUTCOME = 4;
/** The guest's page table entry. Two words, as those that follow. */
export const GL1E = 5;
/** What the guest writes. */
export const WRITTEN = 7;
export const GFN = 9;

/** The page fault that a vCPU of an HVM guest is in, and what became of those before. */
export class PageFaults {
  /** What is recorded of the exit; others write there as well. */
  readonly #words: Uint32Array;
  /** Where {@link VA} leads: offset into the page, then the entries of the page tables from the lowest level on. */
  readonly indices = [0, 0, 0, 0, 0];
  /** The level of the page table that {@link VA} is an entry of, if it is in a linear map of them; else 0. */
  level = 0;
  /** Levels of the page tables that {@link indices} are of. */
  levels = 0;

  readonly byOutcome = new CycleSummaries();
  readonly emulated = new CycleSummaries();
  readonly earlyUnshadows = new CycleSummaries();
  readonly notEmulated = new CycleSummaries();
  readonly fixups = new CycleSummaries();
  readonly unsyncResyncs = new CycleSummaries();

  /** In xenalyze's order, with their lengths. */
  readonly #arrays: readonly (readonly [CycleSummaries, number])[] = [
    [this.byOutcome, FAULT_NAMES.length],
    [this.emulated, EMULATED_NAMES.length],
    [this.earlyUnshadows, LEVELS],
    [this.notEmulated, NOT_EMULATED_NAMES.length],
    [this.fixups, FIXUP_NAMES.length],
    [this.unsyncResyncs, RESYNCS_MAX + 1],
  ];

  constructor(recorded: Uint32Array) {
    this.#words = recorded;
  }

  /** Forgets the one at hand: the guest has been left anew. */
  clear(): void {
    this.#words.fill(0);
    this.indices.fill(0);
    this.level = 0;
  }

  /** What became of the one at hand; 0 if that is not known. */
  get outcome(): number {
    return this.#words[OUTCOME];
  }

  set outcome(outcome: number) {
    this.#words[OUTCOME] = outcome;
  }

  /** Sets a field; {@link FLAGS} and {@link ERROR_CODE} have no high word. */
  set(field: number, high: number, low: number): void {
    this.#words[field] = low;
    if (field !== FLAGS && field !== ERROR_CODE) this.#words[field + 1] = high;
  }

  low(field: number): number {
    return this.#words[field];
  }

  high(field: number): number {
    return this.#words[field + 1];
  }

  /** A field of two words, exact. */
  get(field: number): number | bigint {
    const high = this.high(field);
    return high === 0 ? this.low(field) : (BigInt(high) << 32n) | BigInt(this.low(field));
  }

  /**
   * Counts what became of the one at hand. Where another record of the exit has written over that, xenalyze counts in
   * the arrays that lie behind; false beyond these.
   */
  addOutcome(cycles: number, options: XenalyzeOptions): boolean {
    let index = this.outcome;
    for (const [summaries, length] of this.#arrays) {
      if (index < length) {
        summaries.add(index, cycles, options);
        return true;
      }
      index -= length;
    }
    return false;
  }

  /** Prints what became of all page faults. */
  print(a: Analyser): void {
    a.out.text('   page_fault\n');
    for (const [outcome, name] of FAULT_NAMES.entries()) {
      const label = name === undefined ? sprintf('[%23d]', outcome) : sprintf('%-25s', name);
      this.byOutcome.print(a, outcome, `     ${label} `);
      if (outcome === NOT_EMULATED) printParts(a, this.notEmulated, NOT_EMULATED_NAMES);
      else if (outcome === EMULATE) {
        printParts(a, this.emulated, EMULATED_NAMES.slice(0, EMULATED_EARLY_UNSHADOW + 1));
        for (let level = 0; level < LEVELS; level++)
          this.earlyUnshadows.print(a, level, sprintf('        +[%d] ', level));
        printParts(a, this.emulated, EMULATED_NAMES, EMULATED_EARLY_UNSHADOW + 1);
      } else if (outcome === FIXUP) {
        printParts(a, this.fixups, FIXUP_NAMES.slice(0, FIXUP_UNSYNC + 1));
        for (let resyncs = 0; resyncs < RESYNCS_MAX; resyncs++)
          this.unsyncResyncs.print(a, resyncs, sprintf('       +[%3d] ', resyncs));
        this.unsyncResyncs.print(a, RESYNCS_MAX, '        +[max] ');
        printParts(a, this.fixups, FIXUP_NAMES, FIXUP_UNSYNC + 1);
      }
    }
  }
}

function printParts(a: Analyser, summaries: CycleSummaries, names: readonly string[], from = 0): void {
  for (let i = from; i < names.length; i++) summaries.print(a, i, sprintf('      *%-13s ', names[i]));
}
