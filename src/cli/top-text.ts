import { formatNanosecondsExact } from '../base/nanoseconds.ts';
import { SLICE_NS, type Snapshot } from '../live/index.ts';
import { formatBytes, formatCount, formatHz, formatNs } from '../report/index.ts';
import { paint } from './colours.ts';
import { type Arrangement, columnsOf, percent, rowsOf } from './top-table.ts';

/** What there is to say of the source. */
export interface SourceStatus {
  readonly name: string;
  readonly records: number;
  readonly bytes: number;
  /** Undefined while it is not known. */
  readonly cpuHz: number | undefined;
  /** Records that came too late for their place in the order. */
  readonly lateRecords: number;
  /** `live`, `replay`, `end of the trace`, ... */
  readonly phase: string;
}

export interface TextSize {
  readonly columns: number;
  readonly rows: number;
}

/** Lines above the rows of the table. */
export const HEAD_ROWS = 5;
/** As many pCPUs are told one by one in the head. */
const PCPUS_TOLD = 8;

/**
 * A snapshot as lines: {@link HEAD_ROWS} of the whole and the headings, then the table; cut to `size` where there is
 * one, `skip` rows being above.
 */
export function topLines(
  snapshot: Snapshot,
  arrangement: Arrangement,
  status: SourceStatus,
  { size, skip = 0, colours = false }: { size?: TextSize; skip?: number; colours?: boolean } = {},
): string[] {
  const cut = (line: string) => (size === undefined ? line : line.slice(0, size.columns));
  const head = headLines(snapshot, status).map(cut);
  const table = tableLines(snapshot, arrangement, size, skip, colours);
  return [...head, '', ...table];
}

function headLines(snapshot: Snapshot, status: SourceStatus): string[] {
  const { tNs, fromNs, toNs, pcpus } = snapshot;
  const spanNs = toNs - fromNs;
  const window =
    fromNs === 0
      ? 'since the start'
      : `last ${spanNs % SLICE_NS === 0 ? formatNanosecondsExact(spanNs) : formatNs(spanNs)}`;
  const busyNs = pcpus.reduce((sum, load) => sum + load.busyNs, 0);
  const each =
    pcpus.length === 0 || pcpus.length > PCPUS_TOLD
      ? ''
      : ` (${pcpus.map((load) => `p${load.pcpu} ${percent(load.busyNs, spanNs)}`).join(', ')})`;
  const clock =
    status.cpuHz === undefined ? 'TSC frequency unknown: a tick is shown as 1 ns' : formatHz(status.cpuHz);
  const warnings = [
    ...(snapshot.partial ? ['records of some pCPU are missing: only running time is known'] : []),
    ...(snapshot.lateLosses > 0 ? [`${snapshot.lateLosses} losses learnt of late`] : []),
    ...(status.lateRecords > 0 ? [`${formatCount(status.lateRecords)} records out of order`] : []),
  ];
  const lost = `lost ${formatCount(snapshot.lostRecords)}`;
  return [
    `${status.name}  ${status.phase}  at ${(tNs / 1e9).toFixed(1)} s, ${window}  ${clock}`,
    `pCPUs ${pcpus.length}, ${percent(busyNs, spanNs * pcpus.length)} % busy${each}`,
    [`records ${formatCount(status.records)}, ${formatBytes(status.bytes)}, ${lost}`, ...warnings].join('; '),
  ];
}

function tableLines(
  snapshot: Snapshot,
  arrangement: Arrangement,
  size: TextSize | undefined,
  skip: number,
  colours: boolean,
): string[] {
  const spanNs = snapshot.toNs - snapshot.fromNs;
  const columns = columnsOf(arrangement.view);
  const all = rowsOf(snapshot, arrangement);
  const room = size?.columns ?? Number.POSITIVE_INFINITY;
  const rows = size === undefined ? all : page(all, skip, size.rows);
  const cells = rows.map((row) => columns.map((column) => column.text(row, spanNs)));
  const headings = columns.map(({ key, heading }) =>
    key === arrangement.sort ? `${heading}${arrangement.reverse ? '^' : '*'}` : heading,
  );
  const widths = headings.map((heading, at) =>
    cells.reduce((width, row) => Math.max(width, row[at]!.length), heading.length),
  );
  const pad = (text: string, at: number) =>
    columns[at]!.left ? text.padEnd(widths[at]!) : text.padStart(widths[at]!);
  const heading = cutCells(headings.map(pad), room).join('  ');
  const lines = rows.map((row, index) =>
    cutCells(cells[index]!.map(pad), room)
      .map((cell, at) => paint(cell, columns[at]!.tone?.(row, spanNs) ?? 'plain', colours))
      .join('  ')
      .trimEnd(),
  );
  const empty =
    arrangement.filter === '' ? 'Nothing is known yet.' : `Nothing is called ${arrangement.filter}.`;
  const shownHeading = colours
    ? paint(heading.padEnd(Number.isFinite(room) ? room : 0), 'heading', true)
    : heading;
  return [shownHeading.trimEnd(), ...(all.length === 0 ? [empty] : lines)];
}

/** `rows` of all, after the first `skip`; the last ones where there are no more. */
function page<T>(all: readonly T[], skip: number, rows: number): readonly T[] {
  const first = Math.max(0, Math.min(skip, all.length - rows));
  return all.slice(first, first + rows);
}

/** As much of a row's cells as fits, two spaces between. */
function cutCells(cells: readonly string[], room: number): string[] {
  const cut: string[] = [];
  let left = room;
  for (const cell of cells) {
    if (left <= 0) break;
    cut.push(cell.slice(0, left));
    left -= cell.length + 2;
  }
  return cut;
}

/** The columns of a view and the keys, for people who ask. */
export function helpLines(view: Arrangement['view']): string[] {
  const columns = columnsOf(view);
  const width = Math.max(...columns.map(({ heading }) => heading.length));
  return [
    'q quit   s sort by the next column   r reverse   / filter   d domains, pCPUs, vCPUs   w window',
    'p pause   up, down, page up, page down, home scroll   ? this help',
    '',
    ...columns.map(({ heading, doc }) => `${heading.padEnd(width)}  ${doc}`),
  ];
}
