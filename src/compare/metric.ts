import type { Cell, Column } from '../analysis/index.ts';
import { mean, sum } from '../analysis/statistics.ts';
import { type Headline, headlines } from './headlines.ts';

/** One cell of a row's key: what the row is about. */
export interface KeyCell {
  readonly column: string;
  readonly unit: string | undefined;
  readonly value: number | string | null;
}

/** A figure that runs and traces have in common, and by which they are compared. */
export interface Metric {
  /** `waits/dom=1,vcpu=0,cause=wake/wait_ns_p99`; the domain is numbered as in the baseline. */
  readonly id: string;
  /** The result that it comes from. */
  readonly table: string;
  /** What its row is about. */
  readonly key: readonly KeyCell[];
  /** The column. */
  readonly name: string;
  /** That of the column: `ns`, `ratio`, `count`, ... */
  readonly unit: string | undefined;
  /** Which way is an improvement, where one is. */
  readonly better: 'lower' | 'higher' | undefined;
  /** What people read, without what the key says: `p99 wake wait`, `wait p99`. */
  readonly words: string;
  /** Whether it is one of those that matter most. */
  readonly headline: boolean;
  /** Columns of the key that its words speak of. */
  readonly told: readonly string[];
  /** Whether people see it only where it is not 0 everywhere. */
  readonly nonzero: boolean;
}

/** What one run or trace says: its figures by {@link Metric.id}, null where they are not available. */
export interface Figures {
  readonly metrics: ReadonlyMap<string, Metric>;
  readonly values: ReadonlyMap<string, number | null>;
}

/** A column of a result without its sentence. */
export type FigureColumn = Omit<Column, 'doc'>;

/** A result as far as comparisons need it: without what is only for readers. */
export interface FigureTable {
  readonly name: string;
  readonly columns: readonly FigureColumn[];
  readonly rows: readonly (readonly Cell[])[];
  readonly sampleColumn?: string;
}

/** The number that a domain has in the baseline, or a name where the baseline has no such domain. */
export type DomainMap = (dom: number) => number | string;

/**
 * Every number in results that is no key and no instant: each is a metric of its row. A percentile of fewer
 * samples than it needs is not available, as people are told in a report. Rows with the same key are told
 * apart by their order.
 */
export function figuresOf(
  tables: readonly FigureTable[],
  spanNs: number,
  domains: DomainMap = (dom) => dom,
): Figures {
  const metrics = new Map<string, Metric>();
  const values = new Map<string, number | null>();
  for (const headline of headlines) {
    const table = tables.find(({ name }) => name === headline.table);
    for (const { metric, value } of table ? headlineFigures(headline, table, spanNs, domains) : []) {
      metrics.set(metric.id, metric);
      values.set(metric.id, value);
    }
  }
  for (const table of tables) {
    const seen = new Map<string, number>();
    for (const row of table.rows) {
      const key = uniqueKey(keyOf(table, row, domains), seen);
      for (const [index, column] of table.columns.entries()) {
        if (!isMetric(column)) continue;
        const id = idOf(table.name, key, column.name);
        if (metrics.has(id)) continue;
        metrics.set(id, metricOf(id, table, key, column));
        values.set(id, valueIn(table, row, index));
      }
    }
  }
  return { metrics, values };
}

/** Every figure that any of them has, headlines first, else in the order in which they come up. */
export function allMetrics(sets: readonly Figures[]): Metric[] {
  const metrics = new Map<string, Metric>();
  for (const set of sets) {
    for (const [id, metric] of set.metrics) {
      const known = metrics.get(id);
      // A figure of too few samples to be a headline in one run is one all the same if it is in another.
      if (known === undefined || (metric.headline && !known.headline)) metrics.set(id, metric);
    }
  }
  return [...metrics.values()].sort((a, b) => Number(b.headline) - Number(a.headline));
}

function isMetric(column: FigureColumn): boolean {
  return column.type !== 'string' && !column.key && !column.instant;
}

function metricOf(id: string, { name }: FigureTable, key: readonly KeyCell[], column: FigureColumn): Metric {
  return {
    id,
    table: name,
    key,
    name: column.name,
    unit: column.unit,
    better: column.better,
    words: wordsOf(column.name),
    headline: false,
    told: [],
    nonzero: false,
  };
}

/** `wait_ns_p999` is read as `wait p99.9`. */
function wordsOf(name: string): string {
  return name
    .replace(/_ns(?=_|$)/, '')
    .replace(/_p99(9+)$/, '_p99.$1')
    .replaceAll('_', ' ');
}

function valueIn(table: FigureTable, row: readonly Cell[], index: number): number | null {
  const cell = row[index];
  const column = table.columns[index];
  if (typeof cell !== 'number') return null;
  if (column.samplesMin === undefined || table.sampleColumn === undefined) return cell;
  const samples = row[table.columns.findIndex(({ name }) => name === table.sampleColumn)];
  return Number(samples) < column.samplesMin ? null : cell;
}

function keyOf(table: FigureTable, row: readonly Cell[], domains: DomainMap): KeyCell[] {
  return table.columns.flatMap(({ name, unit, key }, index) => {
    if (!key) return [];
    const cell = row[index];
    return [{ column: name, unit, value: unit === 'dom' && typeof cell === 'number' ? domains(cell) : cell }];
  });
}

/** The key, with `row=2` after it for the second row of this key. */
function uniqueKey(key: KeyCell[], seen: Map<string, number>): KeyCell[] {
  const text = keyText(key);
  const times = (seen.get(text) ?? 0) + 1;
  seen.set(text, times);
  return times === 1 ? key : [...key, { column: 'row', unit: undefined, value: times }];
}

export function keyText(key: readonly KeyCell[]): string {
  return key.map(({ column, value }) => `${column}=${value}`).join(',');
}

function idOf(table: string, key: readonly KeyCell[], name: string): string {
  return `${table}/${keyText(key)}/${name}`;
}

interface Figure {
  readonly metric: Metric;
  readonly value: number | null;
}

/** The rows that a headline speaks of: one figure each, or one for all where it sums or averages them. */
function headlineFigures(
  headline: Headline,
  table: FigureTable,
  spanNs: number,
  domains: DomainMap,
): Figure[] {
  const index = table.columns.findIndex(({ name }) => name === headline.column);
  if (index < 0) return [];
  const at = (name: string) => table.columns.findIndex((column) => column.name === name);
  const { where = {}, samplesMin = 0 } = headline;
  const rows = table.rows.filter(
    (row) =>
      Object.entries(where).every(([name, value]) => row[at(name)] === value) &&
      (samplesMin === 0 || Number(row[at(table.sampleColumn ?? '')] ?? 0) >= samplesMin),
  );
  const column = table.columns[index];
  const figure = (key: readonly KeyCell[], value: number | null): Figure => {
    const name = derivedName(headline);
    const id = idOf(table.name, key, name);
    const unit = headline.perSecond ? 'per_s' : column.unit;
    const better = headline.better ?? column.better;
    const { words, nonzero = false } = headline;
    return {
      metric: {
        id,
        table: table.name,
        key,
        name,
        unit,
        better,
        words,
        headline: true,
        told: Object.keys(where),
        nonzero,
      },
      value: derived(headline, value, spanNs),
    };
  };
  if (headline.rows === undefined) {
    return rows.map((row) => figure(keyOf(table, row, domains), valueIn(table, row, index)));
  }
  const known = rows.flatMap((row) => valueIn(table, row, index) ?? []);
  const whole = known.length < rows.length ? null : headline.rows === 'sum' ? sum(known) : mean(known);
  return rows.length === 0 ? [] : [figure([], whole)];
}

function derived({ perSecond, magnitude }: Headline, value: number | null, spanNs: number): number | null {
  if (value === null || (perSecond && spanNs <= 0)) return null;
  const size = magnitude ? Math.abs(value) : value;
  return perSecond ? (size * 1e9) / spanNs : size;
}

/** The column's own name where the figure is the cell itself. */
function derivedName({ column, rows, perSecond, magnitude }: Headline): string {
  const name = magnitude ? `${column}_size` : column;
  return `${name}${perSecond ? '_per_s' : ''}${rows === undefined ? '' : `_${rows}`}`;
}
