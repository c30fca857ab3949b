/**
 * A result as an HTML table: what people see of it in a text report, with the same words and figures.
 * @module
 */
import type { Cell, ResultTable } from '../../analysis/analysis.ts';
import { renderResultCsv } from '../../report/result-csv.ts';
import { emptySentence, layOut, type ShownColumn, type ShownRow } from '../../report/result-text.ts';
import { h } from './dom.ts';
import { figure } from './figure.ts';

const ROWS_MAX = 100;

/** Something to do with a row, as a button before it. */
export interface RowAction {
  readonly text: string;
  readonly label: (row: readonly Cell[]) => string;
  readonly run: (row: readonly Cell[]) => void;
}

/** A result with its title, its doc and a button to copy it. */
export function resultFigure(table: ResultTable, action?: RowAction): HTMLElement {
  return figure(table.title, plain(table.doc), () => renderResultCsv(table), resultTable(table, action));
}

export function resultTable(table: ResultTable, action?: RowAction): HTMLElement {
  const { columns, rows } = layOut(table);
  if (rows.length === 0) return h('p', { class: 'note' }, emptySentence(table));
  if (table.single) return pairs(columns, rows[0]);
  const shown = rows.slice();
  const withBars = new Set(columns.filter((column) => isShare(column, rows)));
  let count = ROWS_MAX;
  const body = h('tbody');
  const fill = () => {
    body.replaceChildren(...shown.slice(0, count).map((row) => rowOf(columns, row, withBars, action)));
    if (shown.length <= count) return;
    const more = h('button', { type: 'button' }, `Show all ${shown.length.toLocaleString('en')} rows`);
    more.addEventListener('click', () => {
      count = shown.length;
      fill();
    });
    body.append(h('tr', {}, h('td', { colspan: columns.length + 1 }, more)));
  };
  fill();
  const heads = columns.map((column) => headOf(column, shown, fill));
  const head = h('tr', {}, action === undefined ? null : h('td'), ...heads);
  return h(
    'div',
    { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': table.title },
    h('table', {}, h('thead', {}, head), body),
  );
}

/** A click sorts by the column, a second one the other way. */
function headOf(
  { heading, column, index, isName }: ShownColumn,
  rows: ShownRow[],
  fill: () => void,
): HTMLElement {
  const button = h('button', { type: 'button', title: plain(column.doc) }, heading);
  const head = h('th', { scope: 'col', class: isName ? '' : 'number' }, heading === '' ? null : button);
  button.addEventListener('click', () => {
    const down = head.getAttribute('aria-sort') !== 'descending';
    for (const other of head.parentElement?.children ?? []) other.removeAttribute('aria-sort');
    head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
    rows.sort((a, b) => compare(a.row[index], b.row[index]) * (down ? -1 : 1));
    fill();
  });
  return head;
}

/** "Not available" is less than anything. */
function compare(a: Cell, b: Cell): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1;
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a) < String(b) ? -1 : Number(String(a) > String(b));
}

function rowOf(
  columns: readonly ShownColumn[],
  { cells, row }: ShownRow,
  withBars: ReadonlySet<ShownColumn>,
  action: RowAction | undefined,
): HTMLElement {
  const button =
    action === undefined
      ? null
      : h(
          'td',
          {},
          h(
            'button',
            { type: 'button', 'aria-label': action.label(row), onclick: () => action.run(row) },
            action.text,
          ),
        );
  return h(
    'tr',
    {},
    button,
    ...columns.map((shown, at) => {
      const { index, isName } = shown;
      const text = cells[at];
      if (at === 0) return h('th', { scope: 'row', class: isName ? '' : 'number' }, text);
      const ratio = row[index];
      const hasBar = withBars.has(shown) && typeof ratio === 'number';
      const style = hasBar ? `--share:${(ratio * 100).toFixed(1)}%` : undefined;
      return h('td', { class: `${isName ? '' : 'number'}${hasBar ? ' share' : ''}`, style }, text);
    }),
  );
}

/** A bar behind a share shows its size at a glance; of what may be less than nothing or more than all it would not. */
function isShare({ column, index }: ShownColumn, rows: readonly ShownRow[]): boolean {
  if (column.unit !== 'ratio' || column.name === 'coverage') return false;
  return rows.every(({ row }) => row[index] === null || (Number(row[index]) >= 0 && Number(row[index]) <= 1));
}

function pairs(columns: readonly ShownColumn[], { cells }: ShownRow): HTMLElement {
  return h(
    'dl',
    { class: 'pairs' },
    ...columns.flatMap(({ heading, column }, at) => [
      h('dt', { title: plain(column.doc) }, heading),
      h('dd', {}, cells[at]),
    ]),
  );
}

/** Docs are written for Markdown. */
export function plain(doc: string): string {
  return doc.replaceAll('`', '');
}
