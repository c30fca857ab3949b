import type { Analyser } from './analyser.ts';
import type { CycleSummary } from './cycle-summary.ts';
import type { Cr3Value } from './hvm/cr3-values.ts';
import { ERROR_ASSERT, ERROR_FILE, ERROR_LIMIT, type XenalyzeOptions } from './options.ts';
import { type Domain, HVM_SHORT_NAMES } from './state.ts';
import type { TextOutput } from './text-output.ts';

type IntervalOptions = NonNullable<XenalyzeOptions['interval']>;

/** How many vectors xenalyze has columns for. */
const GUEST_VECTORS_MAX = 10;
/** More intervals than this in a gap between two records are damage: 115 days of seconds. */
const ELAPSED_MAX = 1e7;

/** Prints the names of the columns, as far as they are known before the trace. */
export function writeIntervalHeader({ output }: IntervalOptions, out: TextOutput): void {
  let first = '';
  if (output === 'cr3-short-summary') first = 'guest';
  else if (output === 'domain-short-summary') first = 'running';
  else return;
  out.text(`time ${[first, ...HVM_SHORT_NAMES].join(' ')}\n`);
}

/**
 * The interval options: while the trace is read, a line for every stretch of so many cycles, with what happened in it.
 *
 * It is to be made before the trace is read: where each domain is a column, the default domain is the first.
 */
export class Intervals {
  readonly #a: Analyser;
  readonly #options: IntervalOptions;
  readonly #values: readonly number[];
  #start: number;

  /** What the columns of a table tell, and their names; a hole where a value has not appeared yet. */
  readonly #columns: (CycleSummary | undefined)[] = [];
  readonly #names: string[] = [];
  #cr3: Cr3Value | undefined;
  #domain: Domain | undefined;
  /** Vectors of guest interrupts, in the order in which they appeared. */
  readonly #vectors: number[] = [];

  constructor(a: Analyser, options: IntervalOptions) {
    this.#a = a;
    this.#options = options;
    this.#values = options.values.map(Number);
    this.#start = a.never;
    if (options.mode === 'array') for (const _ of this.#values) this.#columns.push(undefined);
    if (options.output.startsWith('cr3')) a.onCr3 = (value) => this.#addCr3(value);
    else {
      this.#addDomain(a.defaultDomain);
      a.onDomain = (domain) => this.#addDomain(domain);
    }
    if (options.output === 'domain-guest-interrupt') {
      a.onGuestInterrupt = ({ vcpu }, vector) => this.#countInterrupt(vcpu.domain, vector);
      // The number of columns that an option before asked for lies where 4.17 has the first vector.
      if (options.mode === 'array') this.#vectors.push(this.#values.length);
    }
  }

  /** The first interval begins. */
  begin(tsc: number): void {
    this.#start = tsc;
  }

  /** The trace has come to `tsc`: prints the intervals that have ended. */
  advance(tsc: number): void {
    const { cycles, mode } = this.#options;
    if (this.#start > tsc) {
      const { warn } = this.#a;
      const format = 'FATAL: order_tsc %lld < interval.start_tsc %lld!\n';
      warn.printf(format, this.#a.absolute(tsc), this.#a.absolute(this.#start));
      this.#a.error(ERROR_FILE);
    } else if (cycles === 0) {
      // Intervals of no length never end, nor does 4.17.
      if (tsc > this.#start) this.#a.wouldEnd();
    } else {
      this.#leap(tsc);
      for (; tsc - this.#start > cycles; this.#start += cycles) {
        if (mode === 'custom') this.#printLine();
        else this.#printTable();
      }
    }
  }

  /** Leaves out what 4.17 would print for years: where a damaged TSC is far from all others. */
  #leap(tsc: number): void {
    const { cycles } = this.#options;
    const elapsed = Math.floor((tsc - this.#start) / cycles);
    if (elapsed < ELAPSED_MAX) return;
    this.#a.stderr.printf('xenscope: %d intervals without a record are left out\n', elapsed - 1);
    this.#start += (elapsed - 1) * cycles;
  }

  /** Prints the names of the columns that were not known before the trace. */
  end(): void {
    const { mode, output } = this.#options;
    const { out } = this.#a;
    if (mode === 'list') out.text(`${['time', ...this.#names].join(' ')}\n`);
    else if (output === 'domain-guest-interrupt')
      out.text(`${['time running', ...this.#vectors].join(' ')}\n`);
  }

  #addDomain(domain: Domain): void {
    if (this.#options.mode === 'custom') {
      if (domain.id === this.#values[0]) this.#domain = domain;
    } else this.#addColumn(domain.id, domain.totalTime, 'domain value %d', String(domain.id));
  }

  #addCr3(cr3: Cr3Value): void {
    if (this.#options.mode === 'custom') {
      // 4.17 looks at the first value even where the option takes none.
      if (this.#values.length === 0) this.#a.wouldEnd();
      if (cr3.gmfn === this.#values[0]) this.#cr3 = cr3;
    } else if (this.#addColumn(cr3.gmfn, cr3.totalTime, 'cr3 value %llx', cr3.gmfn.toString(16)))
      this.#a.stderr.printf('interval_cr3_value_check: found gmfn %llx\n', cr3.gmfn);
  }

  /** Returns whether it is one of the columns that were asked for. */
  #addColumn(value: number, summary: CycleSummary, what: string, name: string): boolean {
    if (this.#options.mode === 'list') {
      this.#a.warn.printf("interval_list_add: Adding element '%s'\n", name);
      this.#columns.push(summary);
      this.#names.push(name);
      return false;
    }
    let isFound = false;
    for (const [i, wanted] of this.#values.entries()) {
      if (wanted !== value) continue;
      if (this.#columns[i] !== undefined) {
        this.#a.stderr.printf(`Fatal: duplicate ${what}!\n`, value);
        this.#a.error(ERROR_ASSERT);
      } else {
        this.#columns[i] = summary;
        isFound = true;
      }
    }
    return isFound;
  }

  #countInterrupt({ guestInterrupts }: Domain, vector: number): void {
    if (!this.#vectors.includes(vector)) {
      if (this.#vectors.length === GUEST_VECTORS_MAX) {
        this.#a.stderr.printf('FATAL: used up all %d guest interrupt slots!\n', GUEST_VECTORS_MAX);
        this.#a.error(ERROR_LIMIT);
        return;
      }
      // Vector 0 is that of a free place.
      if (vector !== 0) this.#vectors.push(vector);
    }
    guestInterrupts.set(vector, (guestInterrupts.get(vector) ?? 0) + 1);
  }

  /** Prints where the interval begins. */
  #printTime(): TextOutput {
    this.#a.writeTime(this.#start);
    return this.#a.out;
  }

  /** Prints a share of some cycles, and begins anew. */
  #printPercent(summary: CycleSummary, total = this.#options.cycles): void {
    this.#a.out.printf(' %.02lf', (summary.intervalCycles * 100) / total);
    summary.clearInterval();
  }

  #printTable(): void {
    const out = this.#printTime();
    for (const column of this.#columns) {
      if (column === undefined) out.text(' 0.0');
      else this.#printPercent(column);
    }
    out.newline();
  }

  #printLine(): void {
    switch (this.#options.output) {
      case 'cr3-schedule-ordered':
        this.#printCr3Ordered();
        break;
      case 'cr3-short-summary':
        if (this.#cr3 !== undefined) this.#printCr3(this.#cr3);
        break;
      case 'domain-short-summary':
        if (this.#domain !== undefined) this.#printDomain(this.#domain);
        break;
      case 'domain-guest-interrupt':
        if (this.#domain !== undefined) this.#printGuestInterrupts(this.#domain);
        break;
      case 'domain-grant-maps':
        // Nothing counts them any more, in any xenalyze.
        if (this.#domain !== undefined) this.#printTime().text(' 0\n');
    }
  }

  #printCr3Ordered(): void {
    const { cr3Values } = this.#a.hvm;
    if (cr3Values.length === 0) return;
    const out = this.#printTime();
    const ordered = [...cr3Values].sort(
      ({ totalTime: p }, { totalTime: q }) =>
        q.intervalCycles - p.intervalCycles || q.intervalCount - p.intervalCount,
    );
    for (const { gmfn, firstTime, totalTime } of ordered) {
      const { intervalCycles } = totalTime;
      if (intervalCycles > 0) {
        const percent = (intervalCycles * 100) / this.#options.cycles;
        out.printf(' %8llx: %.02lf %c\n', gmfn, percent, firstTime > this.#start ? '*' : ' ');
      }
      totalTime.clearInterval();
    }
  }

  #printCr3({ totalTime, hvm }: Cr3Value): void {
    const out = this.#printTime();
    const { intervalCycles } = totalTime;
    this.#printPercent(totalTime);
    for (const summary of hvm) this.#printPercent(summary, intervalCycles);
    out.newline();
  }

  #printDomain({ totalTime, hvmShort }: Domain): void {
    const out = this.#printTime();
    this.#printPercent(totalTime);
    for (const summary of hvmShort) this.#printPercent(summary);
    out.newline();
  }

  #printGuestInterrupts({ guestInterrupts }: Domain): void {
    const out = this.#printTime();
    for (const vector of this.#vectors) out.printf(' %d', guestInterrupts.get(vector) ?? 0);
    guestInterrupts.clear();
    out.newline();
  }
}
