import type { AnalysisFinding } from '../../report/findings.ts';
import { renderResultCsv } from '../../report/result-csv.ts';
import type { TraceData } from '../page-data.ts';
import { h } from './dom.ts';
import { copyButton } from './figure.ts';
import { resultTable } from './result-view.ts';
import { sectionOf } from './sections.ts';

/** What a file is, how far to trust it, and what stands out in it. */
export function traceHead({ head, findings, diagnostics, info }: TraceData): HTMLElement {
  return h(
    'div',
    { class: 'panel' },
    h(
      'dl',
      { class: 'head' },
      ...head.flatMap(([heading, text]) => [h('dt', {}, heading), h('dd', {}, text)]),
    ),
    ...(findings.length === 0 ? [] : [h('h3', {}, 'What stands out'), findingList(findings)]),
    diagnostics.length === 0
      ? null
      : h(
          'details',
          { open: diagnostics.some(({ severity }) => severity === 'error') },
          h(
            'summary',
            {},
            `${diagnostics.length} diagnostics: what is missing or damaged, and what to do about it`,
          ),
          h(
            'ul',
            { class: 'diagnostics' },
            ...diagnostics.map(({ severity, message, advice }) =>
              h(
                'li',
                {},
                h('b', {}, severity.replaceAll('_', ' ')),
                ` ${message}`,
                advice ? h('small', {}, ` ${advice}`) : null,
              ),
            ),
          ),
        ),
    h(
      'details',
      {},
      h('summary', {}, 'Every figure about the file, and its records by event'),
      h(
        'p',
        {},
        copyButton(() => renderResultCsv(info), 'figures about the file'),
      ),
      resultTable(info),
    ),
  );
}

/** Each with a link to the section that has the whole of it. */
function findingList(findings: readonly AnalysisFinding[]): HTMLElement {
  const items = findings.map(({ text, result }) => {
    const { id, title } = sectionOf(result);
    return h('li', {}, `${text} `, h('a', { href: `#${id}` }, title));
  });
  return h('ul', { class: 'findings' }, ...items);
}
