/**
 * What each domain got and was entitled to, window by window.
 * @module
 */
import type { Cell, Column, ResultTable } from './analysis.ts';
import { DOM, nsColumn } from './columns.ts';
import { type Judged, judgeWindows } from './fairness-windows.ts';
import type { WindowedSums } from './windowed-sums.ts';

/** Rows at most: beyond that, windows are longer. */
const ROWS_MAX = 1 << 13;

const COLUMNS: readonly Column[] = [
  DOM,
  { ...nsColumn('window_start_ns', 'When the window began.', { instant: true }), key: true },
  nsColumn('window_ns', 'Its length: at least what was asked for.'),
  nsColumn('run_ns', 'Time that its vCPUs ran in it.'),
  nsColumn('entitlement_ns', 'Time that they were entitled to in it.'),
];

/** A row for each domain and full window of `windowNs` or more that is known to 99 %. */
export function fairnessSeries(judged: Judged, sums: WindowedSums, windowNs: number): ResultTable {
  const { domains, fromNs, endNs } = judged;
  const rowsWanted = Math.floor((endNs - fromNs) / windowNs) * domains.length;
  const lengthNs = windowNs * Math.max(1, Math.ceil(rowsWanted / ROWS_MAX));
  const rows: Cell[][] = [];
  // The sums may have been joined to longer windows than those that were asked for.
  const judgedNs = Math.ceil(lengthNs / sums.windowNs) * sums.windowNs;
  judgeWindows(judged, sums, Math.max(lengthNs, sums.windowNs), (startNs, ranNs, entitlementNs) => {
    for (const { dom, from, to } of domains) {
      rows.push([dom, startNs, judgedNs, sumOf(ranNs, from, to), Math.round(sumOf(entitlementNs, from, to))]);
    }
  });
  return {
    name: 'fairness_series',
    title: 'Fairness over time',
    doc: 'What each domain got and was entitled to in windows of --window that are known to 99 %.',
    columns: COLUMNS,
    rows: rows.sort((a, b) => Number(a[0]) - Number(b[0]) || Number(a[1]) - Number(b[1])),
    detail: true,
    empty: 'no full window is known.',
  };
}

function sumOf(values: Float64Array, from: number, to: number): number {
  let sum = 0;
  for (let index = from; index < to; index++) sum += values[index];
  return sum;
}
