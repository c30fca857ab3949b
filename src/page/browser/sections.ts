/**
 * Which results belong together on the page. A result that is not listed here is shown at the end, so that a new pass
 * is on the page as soon as it is registered.
 * @module
 */
import type { ResultTable } from '../../analysis/analysis.ts';
import { isRepetition } from '../../report/result-text.ts';
import type { TraceData } from '../page-data.ts';
import { blameMatrix } from './blame-matrix.ts';
import { h } from './dom.ts';
import { type RowAction, resultFigure } from './result-view.ts';
import type { Results } from './results.ts';
import { fairnessChart, schedulerChart } from './series-charts.ts';
import type { Timeline } from './timeline.ts';
import { waitCurves, waitRange } from './wait-curves.ts';

interface Section {
  readonly id: string;
  readonly title: string;
  /** Names of results. */
  readonly results: readonly string[];
  readonly charts?: (trace: ShownTrace, all: readonly ShownTrace[]) => (HTMLElement | null)[];
}

/** A trace with what has been made of it. */
export interface ShownTrace {
  readonly data: TraceData;
  readonly results: Results;
  readonly timeline: Timeline;
}

const slotOf =
  ({ timeline }: ShownTrace) =>
  (dom: number) =>
    timeline.model.slotOf(dom);

const resultsOf = (all: readonly ShownTrace[]) => all.map(({ results }) => results);

const SECTIONS: readonly Section[] = [
  { id: 'worst', title: 'Worst waits', results: ['worst_waits'] },
  {
    id: 'waits',
    title: 'Waits',
    results: ['waits', 'waits_by_domain', 'waits_by_pcpu', 'steal', 'steal_by_domain'],
    charts: (trace, all) => {
      const range = waitRange(all.flatMap(({ data }) => data.distributions));
      return [waitCurves(trace.data.distributions, slotOf(trace), range)];
    },
  },
  {
    id: 'blame',
    title: 'Blame',
    results: ['blame', 'blame_by_domain', 'antagonists_by_domain', 'antagonists', 'mutual_antagonists'],
    charts: ({ results }) => [blameMatrix(results)],
  },
  {
    id: 'fairness',
    title: 'Fairness',
    results: ['fairness', 'fairness_summary', 'fairness_windows', 'fairness_by_vcpu', 'fairness_by_runqueue'],
    charts: (trace, all) => [fairnessChart(trace.results, resultsOf(all), slotOf(trace))],
  },
  {
    id: 'deadlines',
    title: 'Deadlines',
    results: ['deadlines', 'deadlines_by_domain', 'job_timing', 'job_timing_by_domain', 'servers', 'frames'],
  },
  {
    id: 'scheduler',
    title: 'Scheduler',
    results: [
      'scheduler_summary',
      'scheduler',
      'scheduler_by_pcpu',
      'decision_cost',
      'decision_cost_by_pcpu',
    ],
    charts: (trace, all) => [schedulerChart(trace.results, resultsOf(all), slotOf(trace))],
  },
  { id: 'power', title: 'C-states and frequency', results: ['power', 'cstates', 'frequencies'] },
  {
    id: 'states',
    title: 'States of vCPUs and pCPUs',
    results: ['runstates', 'runstates_by_domain', 'pcpus', 'balance', 'domain_states'],
  },
];
const OTHERS = { id: 'others', title: 'Other results' };
/** Shown as curves, and copied from there. */
const AS_CURVES = new Set(['fairness_series', 'scheduler_series']);
/** Shown at once; the others of a section are a click away. */
const OPEN = 2;

/** Every section, with what each trace has to say in it, side by side. */
export function sections(traces: readonly ShownTrace[]): HTMLElement[] {
  const listed = new Set([...AS_CURVES, ...SECTIONS.flatMap(({ results }) => results)]);
  const others = [...new Set(traces.flatMap(({ results }) => results.all.map(({ name }) => name)))];
  const rest = others.filter((name) => !listed.has(name));
  const all = [...SECTIONS, { ...OTHERS, results: rest }];
  return all.flatMap((section) => {
    const hasRows = traces.some(({ results }) =>
      section.results.some((name) => (results.table(name)?.rows.length ?? 0) > 0),
    );
    const charts = traces.map((trace) =>
      (section.charts?.(trace, traces) ?? []).filter((chart) => chart !== null),
    );
    if (!hasRows && charts.every((own) => own.length === 0)) return [emptySection(section, traces)];
    const panels = traces.map((trace, index) => panel(section, trace, charts[index], traces.length > 1));
    return [
      h(
        'section',
        { id: section.id, 'aria-labelledby': `${section.id}-title` },
        h('h2', { id: `${section.id}-title` }, section.title),
        h('div', { class: 'traces' }, ...panels),
      ),
    ];
  });
}

function emptySection({ id, title, results }: Section, traces: readonly ShownTrace[]): HTMLElement {
  const empty = traces[0].results.table(results[0])?.empty ?? 'the trace has no records that would tell.';
  return h(
    'section',
    { id, 'aria-labelledby': `${id}-title`, class: 'nothing' },
    h('h2', { id: `${id}-title` }, title),
    h('p', { class: 'note' }, `Nothing to tell: ${empty}`),
  );
}

function panel(
  section: Section,
  trace: ShownTrace,
  charts: readonly HTMLElement[],
  named: boolean,
): HTMLElement {
  const tables = section.results
    .map((name) => trace.results.table(name))
    .filter((table) => table !== undefined)
    .filter((table) => table.rows.length > 0 && !isRepetition(table, trace.results.all));
  const open = tables.filter((table) => !table.detail).slice(0, OPEN);
  const closed = tables.filter((table) => !open.includes(table));
  return h(
    'div',
    { class: 'panel' },
    named ? h('p', { class: 'trace-name' }, trace.data.name) : null,
    ...charts,
    ...open.map((table) => resultFigure(table, actionOf(table, trace))),
    ...closed.map((table) =>
      h('details', {}, h('summary', {}, table.title), resultFigure(table, actionOf(table, trace))),
    ),
  );
}

/** The longest waits lead to the timeline. */
function actionOf({ name, columns }: ResultTable, { timeline }: ShownTrace): RowAction | undefined {
  if (name !== 'worst_waits') return undefined;
  const at = (column: string) => columns.findIndex((each) => each.name === column);
  const [rank, dom, vcpu, start, end] = ['rank', 'dom', 'vcpu', 'start_ns', 'end_ns'].map(at);
  return {
    text: 'Show',
    label: (row) => `show wait ${row[rank]} in the timeline`,
    run: (row) => {
      const key = Number(row[dom]) * 0x10000 + Number(row[vcpu]);
      timeline.showWait(key, Number(row[start]), Number(row[end]));
    },
  };
}

/** The section that a result is in. */
export function sectionOf(result: string): Pick<Section, 'id' | 'title'> {
  return SECTIONS.find(({ results }) => results.includes(result)) ?? OTHERS;
}

/** Names of the sections, for the links at the top. */
export function sectionLinks(): readonly (readonly [id: string, title: string])[] {
  return SECTIONS.map(({ id, title }) => [id, title] as const);
}
