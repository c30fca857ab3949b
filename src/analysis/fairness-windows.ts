/**
 * Fairness in windows: each full window that is known is judged by itself, by what was wanted in it.
 * @module
 */
import type { Cell, Column } from './analysis.ts';
import { countColumn, nsColumn, ratioColumn } from './columns.ts';
import type { Division, DomainClaim } from './division.ts';
import { Evenness, Stretch, WINDOW_EVENNESS_COLUMNS } from './evenness.ts';
import { type Flows, isKnownTime, usableIdle } from './fluid-schedule.ts';
import type { HostColumns, MemberColumns, ServiceLog } from './service-log.ts';
import type { WindowedSums } from './windowed-sums.ts';

/**
 * Of a window's length: who is entitled to less is not compared there. One who wakes a moment before the window ends
 * would else make it the worst of all.
 */
const ENTITLED_MIN = 0.01;

export const WINDOW_COLUMNS: readonly Column[] = [
  { ...nsColumn('window_ns', 'Length of the windows, as asked for.'), key: true },
  nsColumn(
    'judged_ns',
    'Their true length: longer where the trace is too long for so many; null: none so short are kept.',
    {
      heading: 'judged',
      text: 'never',
    },
  ),
  countColumn('windows', 'Windows judged: known to 99 %, with two domains or more to compare.'),
  ratioColumn('judged_share', 'windows over all full windows of this length.', { heading: 'judged' }),
  ...WINDOW_EVENNESS_COLUMNS,
  countColumn('starved_windows', 'Windows in which a domain that was entitled to something got nothing.', {
    heading: 'starved',
    better: 'lower',
  }),
  nsColumn('shortfall_ns_worst', 'The most that a domain lacked of its entitlement in one window.', {
    heading: 'shortfall worst',
    better: 'lower',
  }),
  {
    name: 'shortfall_worst_dom',
    heading: 'of',
    type: 'int',
    unit: 'dom',
    doc: 'The domain that lacked it.',
    text: 'never',
  },
  nsColumn('shortfall_worst_start_ns', 'When that window began.', { heading: 'at', instant: true }),
];

/** Who is judged, and by what. */
export interface Judged {
  readonly log: ServiceLog;
  readonly flows: Flows;
  readonly domains: readonly DomainClaim[];
  readonly division: Division;
  readonly fromNs: number;
  readonly endNs: number;
}

/** Hears of each window that is known: when it began, and by vCPU what it got there and was entitled to. */
export type OnWindow = (startNs: number, ranNs: Float64Array, entitlementNs: Float64Array) => void;

/** Judges windows of `askedNs`, by sums over such windows or shorter ones: a row of {@link WINDOW_COLUMNS}. */
export function judgeWindows(
  judged: Judged,
  sums: WindowedSums,
  askedNs: number,
  onWindow?: OnWindow,
): Cell[] {
  const fullWindows = (lengthNs: number) => Math.floor((judged.endNs - judged.fromNs) / lengthNs);
  if (askedNs < sums.windowNs) {
    return [askedNs, ...WINDOW_COLUMNS.slice(1).map(() => null)];
  }
  const parts = Math.ceil(askedNs / sums.windowNs);
  const lengthNs = parts * sums.windowNs;
  const all = fullWindows(lengthNs);
  const judge = new WindowJudge(judged, sums, parts, onWindow);
  for (let window = 0; window < all && window * parts < sums.count; window++) judge.judge(window);
  return [askedNs, lengthNs, judge.windows, all > 0 ? judge.windows / all : null, ...judge.cells()];
}

class WindowJudge {
  /** How many were judged. */
  windows = 0;
  readonly #judged: Judged;
  readonly #sums: WindowedSums;
  readonly #parts: number;
  readonly #onWindow: OnWindow | undefined;
  readonly #host: HostColumns;
  readonly #members: MemberColumns;
  readonly #evenness = new Evenness();
  readonly #stretch = new Stretch();
  #starved = 0;
  #shortfallNs = 0;
  #shortfallDom = 0;
  #shortfallAtNs = 0;
  /** By vCPU: what it has to do yet, and of the present window. */
  readonly #leftNs: Float64Array;
  readonly #ranNs: Float64Array;
  readonly #waitedNs: Float64Array;
  readonly #wantNs: Float64Array;
  readonly #shareNs: Float64Array;

  /** @param parts windows of `sums` that make one to judge */
  constructor(judged: Judged, sums: WindowedSums, parts: number, onWindow: OnWindow | undefined) {
    this.#judged = judged;
    this.#onWindow = onWindow;
    this.#sums = sums;
    this.#parts = parts;
    this.#host = judged.log.hostColumns(sums);
    this.#members = judged.log.memberColumns(sums, judged.flows.order);
    const count = judged.flows.order.length;
    this.#leftNs = new Float64Array(count);
    this.#ranNs = new Float64Array(count);
    this.#waitedNs = new Float64Array(count);
    this.#wantNs = new Float64Array(count);
    this.#shareNs = new Float64Array(count);
  }

  /** Each window once, in order. */
  judge(window: number): void {
    const { domains, division, fromNs } = this.#judged;
    const lengthNs = this.#parts * this.#sums.windowNs;
    const rows = this.#rows(window);
    const ranNs = this.#take(rows);
    const { unknown, idle, lost, throttled } = this.#host;
    if (!isKnownTime(this.#sum(unknown, rows), lengthNs)) return;
    const usableNs = usableIdle(this.#sum(idle, rows), this.#sum(lost, rows), this.#sum(throttled, rows));
    division.divide(ranNs + usableNs, lengthNs, this.#wantNs, this.#shareNs);
    const startNs = fromNs + window * lengthNs;
    this.#onWindow?.(startNs, this.#ranNs, this.#shareNs);
    const stretch = this.#stretch;
    stretch.compare(domains, this.#ranNs, this.#shareNs, ENTITLED_MIN * lengthNs);
    if (stretch.domains < 2) return;
    this.windows++;
    this.#evenness.add(stretch, startNs);
    if (stretch.isOneStarved) this.#starved++;
    if (stretch.shortfallNs <= this.#shortfallNs) return;
    this.#shortfallNs = stretch.shortfallNs;
    this.#shortfallDom = stretch.shortfallDom;
    this.#shortfallAtNs = startNs;
  }

  cells(): Cell[] {
    if (this.windows === 0) return WINDOW_COLUMNS.slice(4).map(() => null);
    const shortfallNs = Math.round(this.#shortfallNs);
    const isShort = shortfallNs > 0;
    return [
      ...this.#evenness.cells(),
      this.#starved,
      shortfallNs,
      isShort ? this.#shortfallDom : null,
      isShort ? this.#shortfallAtNs : null,
    ];
  }

  /** Takes what everybody ran and wanted in a window; returns for how long all of them ran. */
  #take(rows: readonly number[]): number {
    const { run, wait, work } = this.#members;
    const ranNs = this.#ranNs.fill(0);
    const waitedNs = this.#waitedNs.fill(0);
    const { cells } = this.#sums;
    for (const row of rows) {
      for (let index = 0; index < ranNs.length; index++) {
        ranNs[index] += cells[row + run[index]];
        waitedNs[index] += cells[row + wait[index]];
        this.#leftNs[index] += cells[row + work[index]];
      }
    }
    let sumNs = 0;
    for (let index = 0; index < ranNs.length; index++) {
      this.#wantNs[index] = Math.max(0, Math.min(ranNs[index] + waitedNs[index], this.#leftNs[index]));
      this.#leftNs[index] -= ranNs[index];
      sumNs += ranNs[index];
    }
    return sumNs;
  }

  #sum(column: number, rows: readonly number[]): number {
    const { cells } = this.#sums;
    return rows.reduce((sum, row) => sum + cells[row + column], 0);
  }

  /** Where the sums of the windows begin that make up one to judge. */
  #rows(window: number): number[] {
    const first = window * this.#parts;
    const parts = Math.min(this.#parts, this.#sums.count - first);
    return Array.from({ length: parts }, (_, part) => this.#sums.row(first + part));
  }
}
