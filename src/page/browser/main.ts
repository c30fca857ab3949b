/**
 * The page's own program: reads the data that the page carries, and shows it.
 * @module
 */
import './page.css';
import type { PageData } from '../page-data.ts';
import { redrawCharts } from './charts.ts';
import { comparisonFigure } from './comparison.ts';
import { h } from './dom.ts';
import { traceHead } from './header.ts';
import { type Block, readBlock } from './read-block.ts';
import { Results } from './results.ts';
import { type ShownTrace, sectionLinks, sections } from './sections.ts';
import { themeChooser } from './theme.ts';
import { Timeline } from './timeline.ts';
import { TimelineModel } from './timeline-model.ts';

async function main(): Promise<void> {
  const page = document.getElementById('page')!;
  if (!('DecompressionStream' in window)) {
    page.replaceChildren(
      h('p', {}, 'This browser is too old to unpack the page: any browser since 2023 can.'),
    );
    return;
  }
  const source = document.getElementById('data')!;
  const { data, block } = await readBlock(source.textContent ?? '');
  source.remove();
  show(page, data, block);
  requestAnimationFrame(() => requestAnimationFrame(() => performance.mark('shown')));
}

function show(page: HTMLElement, { title, traces: all, comparison }: PageData, block: Block): void {
  let traces: ShownTrace[] = [];
  const theme = themeChooser(() => {
    for (const { timeline } of traces) timeline.useTheme();
    redrawCharts();
  });
  traces = all.map((data) => ({
    data,
    results: new Results(data.tables),
    timeline: new Timeline(new TimelineModel(data.timeline, block), data.name),
  }));
  const links = [
    ['head', 'File'],
    ...(comparison === null ? [] : [['comparison', 'Comparison']]),
    ['timeline', 'Timeline'],
    ...sectionLinks(),
  ];
  const nav = links.map(([id, text]) => h('a', { href: `#${id}` }, text));
  const header = h('header', {}, h('h1', {}, title), h('nav', { 'aria-label': 'Sections' }, ...nav), theme);
  // Where a link leads must not be hidden behind it.
  new ResizeObserver(() =>
    document.documentElement.style.setProperty('--header', `${header.offsetHeight}px`),
  ).observe(header);
  page.replaceChildren(
    header,
    h(
      'section',
      { id: 'head', 'aria-label': 'What the file is and how far to trust it' },
      h('div', { class: 'traces' }, ...all.map(traceHead)),
    ),
    ...(comparison === null
      ? []
      : [h('section', { id: 'comparison', 'aria-label': 'Comparison' }, comparisonFigure(comparison))]),
    timelines(traces),
    ...sections(traces),
    h(
      'footer',
      {},
      h(
        'p',
        { class: 'note' },
        'Made by xenscope. What each figure means: docs/metrics.md. Charts: uPlot (MIT).',
      ),
    ),
  );
}

/** One below the other, so that the same instants are at the same place. */
function timelines(traces: readonly ShownTrace[]): HTMLElement {
  const together = h('input', { type: 'checkbox', checked: true });
  for (const { timeline } of traces) {
    timeline.onView = (fromNs, toNs) => {
      if (!together.checked) return;
      for (const other of traces) if (other.timeline !== timeline) other.timeline.show(fromNs, toNs, true);
    };
  }
  return h(
    'section',
    { id: 'timeline', 'aria-labelledby': 'timeline-title' },
    h('h2', { id: 'timeline-title' }, 'Timeline'),
    traces.length > 1 ? h('p', {}, h('label', {}, together, ' zoom all together')) : null,
    ...traces
      .flatMap(({ data, timeline }) => [
        traces.length > 1 ? h('p', { class: 'trace-name' }, data.name) : null,
        data.ofChosenVcpus
          ? h('p', { class: 'note' }, 'Every vCPU is here, since others may have made those chosen wait.')
          : null,
        timeline.model.lanes.length > 0
          ? timeline.element
          : h('p', { class: 'note' }, 'Nothing to draw: the trace has no records of what ran where.'),
      ])
      .filter((child) => child !== null),
  );
}

void main();
