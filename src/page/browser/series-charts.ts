/**
 * Results over time as curves: shares against entitlement, and what the scheduler did.
 * @module
 */
import type { Cell } from '../../analysis/analysis.ts';
import { renderResultCsv } from '../../report/result-csv.ts';
import { domLabel } from '../../timeline/vcpu-label.ts';
import { Chart, type Series, seriesColor } from './charts.ts';
import { chooser, figure } from './figure.ts';
import { plain } from './result-view.ts';
import type { Results } from './results.ts';
import { formatNs } from './time-format.ts';

type Row = Record<string, Cell>;
const formatSeconds = (ns: number) => `${Number((ns / 1e9).toFixed(6))} s`;
const formatNumber = (value: number) => value.toLocaleString('en', { maximumSignificantDigits: 4 });

/** pCPUs that each domain got, and was entitled to, window by window. */
export function fairnessChart(results: Results, colorOf: (dom: number) => number): HTMLElement | null {
  const table = results.table('fairness_series');
  const rows = results.rows('fairness_series');
  if (table === undefined || rows.length === 0) return null;
  const series = [...grouped(rows, (row) => String(row.dom))].flatMap(([dom, own]): Series[] => {
    const x = own.map((row) => Number(row.window_start_ns) + Number(row.window_ns) / 2);
    const y = (name: string) => own.map((row) => Number(row[name]) / Number(row.window_ns));
    const color = seriesColor(colorOf(Number(dom)));
    const label = domLabel(Number(dom));
    return [
      { label, x, y: y('run_ns'), color },
      { label: `${label} entitled`, x, y: y('entitlement_ns'), color, dashed: true, joined: true },
    ];
  });
  const chart = new Chart({
    label: 'pCPUs that each domain got and was entitled to, over time; the table below has the sums',
    formatX: formatSeconds,
    formatY: (y) => `${formatNumber(y)}`,
  });
  chart.show(series);
  const note =
    `In pCPUs, over windows of ${formatNs(Number(rows[0].window_ns))}: ` +
    'solid is what a domain got, dashed what it was entitled to.';
  return figure('Fairness over time', note, () => renderResultCsv(table), chart.element);
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

/** The scheduler's own figures over time, one measure at a time. */
export function schedulerChart(results: Results): HTMLElement | null {
  const table = results.table('scheduler_series');
  const byMeasure = grouped(results.rows('scheduler_series'), (row) => String(row.measure));
  const measures = Object.keys(MEASURES).filter((name) => byMeasure.has(name));
  for (const name of byMeasure.keys()) if (!measures.includes(name)) measures.push(name);
  if (table === undefined || measures.length === 0) return null;
  let measure = measures[0];
  const chart = new Chart({
    label: 'Figures of the scheduler over time, one measure at a time',
    formatX: formatSeconds,
    formatY: (y) => (measure === 'credit' || measure.endsWith('_ns') ? formatNs(y) : formatNumber(y)),
  });
  const show = () => {
    const owners = grouped(byMeasure.get(measure) ?? [], ownerOf);
    chart.show(
      [...owners].map(
        ([label, rows], color): Series => ({
          label,
          x: rows.map((row) => Number(row.window_start_ns) + Number(row.window_ns) / 2),
          y: rows.map((row) => (row.mean === null ? null : Number(row.mean))),
          color: seriesColor(color),
        }),
      ),
    );
  };
  show();
  return figure(
    table.title,
    plain(table.doc),
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

function ownerOf({ dom, pcpu, runqueue }: Row): string {
  if (dom !== null) return domLabel(Number(dom));
  if (pcpu !== null) return `pCPU ${pcpu}`;
  return runqueue === null ? 'all' : `run queue ${runqueue}`;
}

function grouped(rows: readonly Row[], keyOf: (row: Row) => string): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = keyOf(row);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  return groups;
}
