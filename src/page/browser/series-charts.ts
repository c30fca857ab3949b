/**
 * Results over time as curves: shares against entitlement, and what the scheduler did.
 * @module
 */
import type { Cell } from '../../analysis/analysis.ts';
import { grouped } from '../../base/grouped.ts';
import { renderResultCsv } from '../../report/result-csv.ts';
import { emptySentence } from '../../report/result-text.ts';
import { domLabel } from '../../timeline/vcpu-label.ts';
import { DOMAIN_SLOTS } from '../page-data.ts';
import { domainLooks, type Series, seriesColor, sharedAxes } from './chart-series.ts';
import { Chart } from './charts.ts';
import { h } from './dom.ts';
import { chooser, figure } from './figure.ts';
import { plain } from './result-view.ts';
import type { Results } from './results.ts';
import { formatNs } from './time-format.ts';

type Row = Record<string, Cell>;
type SlotOf = (dom: number) => number;
const FAIRNESS_TITLE = 'Fairness over time';
const formatSeconds = (ns: number) => `${Number((ns / 1e9).toFixed(6))} s`;
const formatNumber = (value: number) => value.toLocaleString('en', { maximumSignificantDigits: 4 });

/** pCPUs that each domain got, and was entitled to, window by window; as high as beside it in `all`. */
export function fairnessChart(results: Results, all: readonly Results[], slotOf: SlotOf): HTMLElement | null {
  const table = results.table('fairness_series');
  const rows = results.rows('fairness_series');
  if (table === undefined || results.rows('fairness').length === 0) return null;
  const csv = () => renderResultCsv(table);
  if (rows.length === 0) {
    const sentence = `${emptySentence(table)} --window makes windows shorter.`;
    return figure(FAIRNESS_TITLE, '', csv, h('p', { class: 'note' }, sentence));
  }
  const chart = new Chart({
    empty: tooShort(rows[0]),
    label: 'pCPUs that each domain got and was entitled to, over time; the table below has the sums',
    formatX: formatSeconds,
    formatY: (y) => `${formatNumber(y)}`,
  });
  chart.show(fairnessSeries(results, slotOf), sharedAxes(all.map((each) => fairnessSeries(each, slotOf))));
  const note =
    `In pCPUs, over windows of ${formatNs(Number(rows[0].window_ns))}: ` +
    'solid is what a domain got, dashed what it was entitled to.';
  return figure(FAIRNESS_TITLE, note, csv, chart.element);
}

function fairnessSeries(results: Results, slotOf: SlotOf): Series[] {
  const domains = [...grouped(results.rows('fairness_series'), (row) => String(row.dom))];
  const looks = domainLooks(
    domains.map(([dom]) => Number(dom)),
    slotOf,
  );
  return domains.flatMap(([dom, own], index): Series[] => {
    const x = own.map((row) => Number(row.window_start_ns) + Number(row.window_ns) / 2);
    const y = (name: string) => own.map((row) => Number(row[name]) / Number(row.window_ns));
    const look = looks[index];
    const label = domLabel(Number(dom));
    return [
      { label, x, y: y('run_ns'), ...look },
      { label: `${label} entitled`, x, y: y('entitlement_ns'), ...look, dashed: true, joined: true },
    ];
  });
}

const MEASURES: Record<string, string> = {
  waiting: 'vCPUs that wait',
  schedule_calls: 'calls of the scheduler per second',
  switches: 'switches per second',
  credit: 'credit (mean)',
  budget_ns: 'budget left (mean)',
  runqueue_load: 'load of run queues',
  runqueue_vcpus: 'vCPUs of run queues',
};

/** The scheduler's own figures over time, one measure at a time; as high as beside it in `all`. */
export function schedulerChart(
  results: Results,
  all: readonly Results[],
  slotOf: SlotOf,
): HTMLElement | null {
  const table = results.table('scheduler_series');
  const present = new Set(results.rows('scheduler_series').map((row) => String(row.measure)));
  const measures = [...new Set([...Object.keys(MEASURES), ...present])].filter((name) => present.has(name));
  if (table === undefined || measures.length === 0) return null;
  let measure = measures[0];
  const chart = new Chart({
    empty: tooShort(results.rows('scheduler_series')[0]),
    label: 'Figures of the scheduler over time, one measure at a time',
    formatX: formatSeconds,
    formatY: (y) => (measure === 'credit' || measure.endsWith('_ns') ? formatNs(y) : formatNumber(y)),
  });
  const show = () =>
    chart.show(
      measureSeries(results, measure, slotOf),
      sharedAxes(all.map((each) => measureSeries(each, measure, slotOf))),
    );
  show();
  return figure(
    table.title,
    `${plain(table.doc)} A curve has gaps there.`,
    () => renderResultCsv(table),
    chooser(
      'Measure',
      measures.map((name) => MEASURES[name] ?? name),
      (index) => {
        measure = measures[index];
        show();
      },
    ),
    chart.element,
  );
}

/** In the order of domains, pCPUs or run queues, after what is of all of them. */
function measureSeries(results: Results, measure: string, slotOf: SlotOf): Series[] {
  const rows = results.rows('scheduler_series').filter((row) => row.measure === measure);
  const owners = [...grouped(rows, ownerOf)].sort(([, [a]], [, [b]]) => numberOf(a) - numberOf(b));
  const looks = looksOf(
    owners.map(([, own]) => own[0]),
    slotOf,
  );
  return owners.map(([label, own], index) => ({ label, ...overTime(own), ...looks[index] }));
}

/** Domains have their colours; pCPUs and run queues have them by number, the same in every trace. */
function looksOf(owners: readonly Row[], slotOf: SlotOf): Pick<Series, 'color' | 'nth'>[] {
  if (owners.every(({ dom }) => dom !== null)) return domainLooks(owners.map(numberOf), slotOf);
  return owners.map((owner) => {
    const number = numberOf(owner);
    if (number < 0) return { color: 'faint' };
    return { color: seriesColor(number), nth: Math.floor(number / DOMAIN_SLOTS) };
  });
}

/** Whose it is; -1: of all. */
function numberOf({ dom, pcpu, runqueue }: Row): number {
  return Number(dom ?? pcpu ?? runqueue ?? -1);
}

/** The means, in the middle of their windows; a gap where windows are missing, since nothing is told of them. */
function overTime(rows: readonly Row[]): Pick<Series, 'x' | 'y'> {
  const [x, y]: [number[], (number | null)[]] = [[], []];
  let endNs = Number.POSITIVE_INFINITY;
  for (const row of rows) {
    const [startNs, lengthNs] = [Number(row.window_start_ns), Number(row.window_ns)];
    if (startNs > endNs) {
      x.push(endNs + lengthNs / 2);
      y.push(null);
    }
    x.push(startNs + lengthNs / 2);
    y.push(row.mean === null ? null : Number(row.mean));
    endNs = startNs + lengthNs;
  }
  return { x, y };
}

function tooShort({ window_ns }: Row): string {
  const length = formatNs(Number(window_ns));
  return `Nothing is told of two windows of ${length}, which a curve needs: --window makes them shorter.`;
}

function ownerOf({ dom, pcpu, runqueue }: Row): string {
  if (dom !== null) return domLabel(Number(dom));
  if (pcpu !== null) return `pCPU ${pcpu}`;
  return runqueue === null ? 'all' : `run queue ${runqueue}`;
}
