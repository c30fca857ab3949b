import type { Cell, Column, ResultTable } from '../../analysis/analysis.ts';
import { renderResultCsv } from '../../report/result-csv.ts';
import { type ResultRow as Row, resultRows } from '../../report/result-rows.ts';
import { formatCell } from '../../report/result-text.ts';
import { domLabel, vcpuLabel } from '../../timeline/vcpu-label.ts';
import { h } from './dom.ts';
import { figure } from './figure.ts';
import { formatNs } from './time-format.ts';

const HEADS = ['figure', 'of', 'first', 'this', 'difference', 'ratio', ''] as const;
/** Units that results are formatted by; other figures are numbers. */
const FORMATTED = new Set(['ns', 'ratio', 'percent']);
const CHANGE_WORDS: Record<string, string> = {
  only_baseline: 'only in the first',
  only_other: 'not in the first',
};
const CHANGED = new Set(['better', 'worse', 'lower', 'higher', 'only_baseline', 'only_other']);

/** Figures of the other traces beside the first one's. */
export function comparisonFigure(table: ResultTable): HTMLElement {
  const rows = resultRows(table);
  const body = h('tbody');
  const [every, same] = [h('input', { type: 'checkbox' }), h('input', { type: 'checkbox' })];
  const others = [...new Set(rows.map((row) => String(row.trace)))];
  const fill = () => {
    const wanted = rows.filter(
      (row) => (every.checked || row.headline === 1) && (same.checked || CHANGED.has(String(row.change))),
    );
    body.replaceChildren(
      ...others.flatMap((trace) => [
        ...(others.length > 1
          ? [h('tr', {}, h('th', { colspan: HEADS.length, scope: 'rowgroup' }, trace))]
          : []),
        ...wanted.filter((row) => row.trace === trace).map(rowOf),
      ]),
    );
  };
  for (const box of [every, same]) box.addEventListener('change', fill);
  fill();
  const baseline = String(rows[0]?.baseline ?? '');
  const heads = HEADS.map((text, at) =>
    h(
      'th',
      { scope: 'col', class: at > 1 && at < 6 ? 'number' : '' },
      text === 'this' && others.length === 1
        ? basename(others[0])
        : text === 'first'
          ? basename(baseline)
          : text,
    ),
  );
  return figure(
    table.title,
    `Beside ${baseline}, the first. One trace each says nothing about chance: ` +
      'xenscope compare runs a scenario over many seeds.',
    () => renderResultCsv(table),
    h(
      'p',
      {},
      h('label', {}, every, ' every figure '),
      h('label', {}, same, ' those that are the same, too'),
    ),
    h(
      'div',
      { class: 'scroll tall', tabindex: 0, role: 'region', 'aria-label': table.title },
      h('table', {}, h('thead', {}, h('tr', {}, ...heads)), body),
    ),
  );
}

function rowOf(row: Row): HTMLElement {
  const column: Column = {
    name: String(row.metric),
    type: 'float',
    doc: '',
    ...(row.unit === null ? {} : { unit: String(row.unit) }),
  };
  const value = (cell: Cell) => (cell === null ? 'n/a' : formatValue(cell, column));
  const change = String(row.change);
  return h(
    'tr',
    {},
    h('th', { scope: 'row' }, metricWords(String(row.metric)), h('small', {}, ` ${row.table}`)),
    h('td', {}, `${ownerOf(row)} ${rowWords(row.row)}`.trim()),
    h('td', { class: 'number' }, value(row.baseline_value)),
    h('td', { class: 'number' }, value(row.value)),
    h('td', { class: 'number' }, row.difference === null ? '' : value(row.difference)),
    h('td', { class: 'number' }, row.ratio === null ? '' : `x ${Number(row.ratio).toPrecision(3)}`),
    h('td', { class: `change ${change}` }, CHANGE_WORDS[change] ?? change.replaceAll('_', ' ')),
  );
}

/** `window_ns=100000000` is `window=100 ms`. */
function rowWords(row: Cell): string {
  return String(row ?? '').replace(/(\w+)_ns=(\d+)/g, (_, name, ns) => `${name}=${formatNs(Number(ns))}`);
}

/** `wait_ns_p99` is told in a unit anyway. */
function metricWords(metric: string): string {
  return metric.replace(/_ns(?=_|$)/, '').replaceAll('_', ' ');
}

function basename(path: string): string {
  return path.replace(/^.*\//, '');
}

function formatValue(cell: Cell, column: Column): string {
  if (typeof cell !== 'number' || FORMATTED.has(column.unit ?? '')) return formatCell(cell, column);
  return cell.toLocaleString('en', { maximumSignificantDigits: 4 });
}

function ownerOf({ dom, vcpu }: Row): string {
  if (dom === null) return '';
  return vcpu === null ? domLabel(Number(dom)) : vcpuLabel(Number(dom), Number(vcpu));
}
