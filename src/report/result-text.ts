import type { Cell, Column, ResultTable } from '../analysis/index.ts';
import { domLabel, vcpuLabel } from '../timeline/vcpu-label.ts';
import { formatCount, formatInstant, formatNs, formatPercent, NOT_AVAILABLE } from './quantities.ts';
import { TEXT_WIDTH, textTable, underlined, wrapText } from './text-table.ts';

const NOTHING_TELLS = 'the trace has no records that would tell.';
const NOBODY_NAME = '-';

/** One result for people: its title underlined, its rows lined up, dom and vcpu put together as `d1v0`. */
export function renderResultText(table: ResultTable): string {
  const heading = underlined(table.title);
  const { columns, rows } = layOut(table);
  if (rows.length === 0) return `${heading}${wrapText(emptySentence(table), TEXT_WIDTH)}\n`;
  if (table.single) return heading + renderPairs(columns, rows[0]);
  return (
    heading +
    textTable(
      columns.map((column) => column.heading),
      rows.map(({ cells }) => cells),
      columns.map(({ isName }) => isName),
    )
  );
}

/** A column as people see it. */
export interface ShownColumn {
  readonly heading: string;
  readonly column: Column;
  /** Where its cells are in the result's rows. */
  readonly index: number;
  /** It holds names, not numbers. */
  readonly isName: boolean;
}

/** A row as people see it, and as it is. */
export interface ShownRow {
  readonly cells: readonly string[];
  readonly row: readonly Cell[];
}

/** What people see of a result: without rows that rest on nothing, and columns that would tell them nothing. */
export function layOut(table: ResultTable): { columns: ShownColumn[]; rows: ShownRow[] } {
  const rows = rowsToShow(table);
  const columns = table.columns.map((column, index) => ({
    column,
    index,
    vcpuIndex: table.single ? -1 : partnerOf(column, table),
  }));
  const partners = new Set(columns.map(({ vcpuIndex }) => vcpuIndex));
  const shown = columns.filter(({ column, index }) => !partners.has(index) && isShown(column, rows, index));
  const samples = table.columns.findIndex(({ name }) => name === table.sampleColumn);
  const cellOf = (row: readonly Cell[], { column, index, vcpuIndex }: (typeof columns)[number]) => {
    if (column.unit === 'dom' && !table.single)
      return vcpuIndex < 0 ? domText(row[index]) : vcpuText(row[index], row[vcpuIndex]);
    const count = samples < 0 ? Number.POSITIVE_INFINITY : Number(row[samples]);
    return formatCell(row[index], column, count);
  };
  return {
    columns: shown.map(({ column, index, vcpuIndex }) => ({
      heading: headingOf(column, vcpuIndex >= 0),
      column,
      index,
      isName: column.type === 'string' || column.unit === 'dom',
    })),
    rows: rows.map((row) => ({ cells: shown.map((column) => cellOf(row, column)), row })),
  };
}

/** Whether people have anything to see in a result. */
export function hasRows(table: ResultTable): boolean {
  return rowsToShow(table).length > 0;
}

/** Whether a result by domain says the same as the one by vCPU, since every domain has one vCPU. */
export function isRepetition(table: ResultTable, tables: readonly ResultTable[]): boolean {
  const finer = tables.find(({ name }) => `${name}_by_domain` === table.name);
  return finer !== undefined && finer.rows.length === table.rows.length;
}

/**
 * Results without rows, for people: what each would have told, and why it cannot. Of a part of a trace nothing is said
 * that would be of all of it.
 */
export function renderEmptyResults(tables: readonly ResultTable[], { isPart = false } = {}): string {
  const title = `Nothing to tell of${isPart ? ', in the part of the trace that was chosen' : ''}`;
  const heading = underlined(title);
  const byReason = new Map<string, string[]>();
  for (const table of tables) {
    const { empty = NOTHING_TELLS } = table;
    const reason = isPart ? empty.replace(/^the trace has/, 'it has') : empty;
    byReason.set(reason, [...(byReason.get(reason) ?? []), table.title]);
  }
  return (
    heading +
    [...byReason].map(([why, titles]) => `${wrapText(`${titles.join('; ')}: ${why}`, TEXT_WIDTH)}\n`).join('')
  );
}

function rowsToShow({ columns, rows, sampleColumn }: ResultTable): readonly (readonly Cell[])[] {
  if (sampleColumn === undefined) return rows;
  const samples = columns.findIndex(({ name }) => name === sampleColumn);
  return rows.filter((row) => row[samples] !== 0);
}

/** Why a result has no rows. */
export function emptySentence({ empty = NOTHING_TELLS }: ResultTable): string {
  return `None: ${empty}`;
}

/** Where the vCPU's number is that belongs to a domain's: `dom` and `vcpu`, `other_dom` and `other_vcpu`; -1: none. */
function partnerOf({ name, unit }: Column, { columns }: ResultTable): number {
  const partner = name.replace(/dom$/, 'vcpu');
  return unit === 'dom' ? columns.findIndex((column) => column.name === partner) : -1;
}

function isShown(column: Column, rows: readonly (readonly Cell[])[], index: number): boolean {
  if (column.text === 'never') return false;
  return column.text !== 'nonzero' || rows.some((row) => row[index] !== 0 && row[index] !== null);
}

function headingOf(column: Column, withVcpu: boolean): string {
  if (column.name === 'dom') return withVcpu ? 'vcpu' : 'dom';
  if (column.unit === 'dom') return column.heading ?? column.name.replace(/_dom$/, '').replaceAll('_', ' ');
  return column.heading ?? column.name.replace(/_ns$/, '').replaceAll('_', ' ');
}

/** A result of one row, as `heading: value` lines. */
function renderPairs(columns: readonly ShownColumn[], { cells }: ShownRow): string {
  const width = columns.reduce((max, { heading }) => Math.max(max, heading.length), 0);
  const line = ({ heading }: ShownColumn, index: number) =>
    `${`${heading}:`.padEnd(width + 2)} ${cells[index]}`;
  return `${columns.map(line).join('\n')}\n`;
}

/** One figure for people. `samples` is how many it rests on. */
export function formatCell(cell: Cell, column: Column, samples = Number.POSITIVE_INFINITY): string {
  if (cell === null || samples < (column.samplesMin ?? 0))
    return column.samplesMin === undefined ? '-' : NOT_AVAILABLE;
  if (typeof cell === 'string') return cell;
  switch (column.unit) {
    case 'ns':
      return column.instant ? formatInstant(cell) : formatNs(cell);
    case 'ratio':
      return column.name.startsWith('jain') ? formatIndex(cell) : formatPercent(cell);
    case 'percent':
      return `${cell} %`;
    case 'count':
      return formatCount(cell);
    default:
      return String(cell);
  }
}

/** An index between 0 and 1; what is below 1 is not rounded up to it. */
function formatIndex(index: number): string {
  return index < 1 && index >= 0.99995 ? '>0.9999' : index.toFixed(4);
}

function domText(dom: Cell): string {
  return dom === null ? NOBODY_NAME : domLabel(Number(dom));
}

function vcpuText(dom: Cell, vcpu: Cell): string {
  return dom === null ? NOBODY_NAME : vcpuLabel(Number(dom), Number(vcpu));
}
