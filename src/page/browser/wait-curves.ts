import type { ResultTable } from '../../analysis/analysis.ts';
import { renderResultCsv } from '../../report/result-csv.ts';
import { domLabel } from '../../timeline/vcpu-label.ts';
import type { DistributionData } from '../page-data.ts';
import { domainLooks } from './chart-series.ts';
import { Chart } from './charts.ts';
import { h } from './dom.ts';
import { chooser, figure } from './figure.ts';
import { formatNs } from './time-format.ts';

const CAUSES = ['all', 'wake', 'preempt', 'resume'] as const;
const CAUSE_LABELS = ['all waits', 'after wake-ups', 'after preemptions', 'after pauses'] as const;

/** Whole powers of ten around all waits, so that several traces have the same axis. */
export function waitRange(all: readonly DistributionData[]): readonly [number, number] {
  const least = all.reduce((min, { ns }) => Math.min(min, ns[0]), Number.MAX_SAFE_INTEGER);
  const most = all.reduce((max, { ns }) => Math.max(max, ns.at(-1)!), 10);
  const decade = (ns: number, round: (value: number) => number) => 10 ** round(Math.log10(Math.max(1, ns)));
  return [decade(Math.min(least, most / 10), Math.floor), decade(most, Math.ceil)];
}

/** How long waits are: a cumulative distribution for each domain, on a logarithmic axis. */
export function waitCurves(
  distributions: readonly DistributionData[],
  slotOf: (dom: number) => number,
  xRange: readonly [number, number],
): HTMLElement {
  const causes = CAUSES.filter((cause) => distributions.some((each) => each.cause === cause));
  if (causes.length === 0) return h('p', { class: 'note' }, 'No wait was seen from its start to its end.');
  const doms = [...new Set(distributions.map(({ dom }) => dom))];
  const looks = new Map(domainLooks(doms, slotOf).map((look, index) => [doms[index], look]));
  const chart = new Chart({
    empty: 'No wait is longer than 1 ns.',
    label:
      'Cumulative distributions of waits by domain, length on a logarithmic axis; the figures are in the tables below',
    logX: true,
    xRange,
    stepped: true,
    yRange: [0, 1],
    formatX: formatNs,
    formatY: (y) => `${(y * 100).toFixed(y > 0.99 && y < 1 ? 2 : 0)} %`,
  });
  const show = (cause: string) =>
    chart.show(
      distributions
        .filter((each) => each.cause === cause)
        .map(({ dom, count, ns, share }) => ({
          label: `${domLabel(dom)} (${count.toLocaleString('en')})`,
          x: ns,
          y: share,
          ...looks.get(dom)!,
        })),
    );
  show(causes[0]);
  return figure(
    'How long waits are, by domain',
    'Of the waits, the share that was at most so long. In the tables below are exact percentiles.',
    () => renderResultCsv(asTable(distributions)),
    chooser(
      'Waits',
      causes.map((cause) => CAUSE_LABELS[CAUSES.indexOf(cause)]),
      (index) => show(causes[index]),
    ),
    chart.element,
  );
}

function asTable(distributions: readonly DistributionData[]): ResultTable {
  return {
    name: 'wait_distributions',
    title: '',
    doc: '',
    columns: ['dom', 'cause', 'wait_ns', 'share'].map((name) => ({ name, type: 'string', doc: '' })),
    rows: distributions.flatMap(({ dom, cause, ns, share }) =>
      ns.map((at, index) => [dom, cause, at, share[index]]),
    ),
  };
}
