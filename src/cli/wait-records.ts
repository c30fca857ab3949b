/**
 * The records around the longest waits: what led to each of them, and what ended it. They are looked for in a
 * second reading of the trace, once the longest waits are known.
 * @module
 */
import { type Column, type ResultTable, type WorstWait, worstWaitsOf } from '../analysis/index.ts';
import { type RecordBatch, type RecordsAround, recordsAround, type TraceFacts } from '../decoder/index.ts';
import type { EventCatalog } from '../format/index.ts';
import { DumpFormatter, formatNs } from '../report/index.ts';
import { underlined } from '../report/text-table.ts';
import { vcpuLabel } from '../timeline/index.ts';
import { RecordSelection } from './record-selection.ts';

const PARTS = ['before', 'begun', 'ending', 'after'] as const;

/** A wait, with the records around it. */
export interface WaitRecords {
  readonly wait: WorstWait;
  readonly around: RecordsAround;
}

const COLUMNS: readonly Column[] = [
  { name: 'rank', type: 'int', key: true, doc: 'The wait, by its rank in worst_waits.' },
  {
    name: 'part',
    type: 'string',
    key: true,
    doc: '`before`: up to its beginning; `begun`: after that; `ending`: before its end; `after`: from its end on.',
  },
  { name: 't_ns', type: 'int', unit: 'ns', key: true, instant: true, doc: "The record's time." },
  { name: 'pcpu', type: 'int', unit: 'pcpu', doc: 'The pCPU that made the record.' },
  { name: 'event', type: 'string', doc: "Xen's name of the event." },
  { name: 'fields', type: 'string', doc: 'Its fields, as `name=value` pairs.' },
];

/**
 * Reads the trace again and finds, for each wait of the table `worst_waits` among `tables`, `count` records
 * before and after its beginning and before and after its end: of those that its two pCPUs made, and those
 * about the vCPU. Empty where that table is not among them.
 */
export async function readWaitRecords(
  reader: TraceFacts,
  tables: readonly ResultTable[],
  count: number,
): Promise<WaitRecords[]> {
  const table = tables.find(({ name }) => name === 'worst_waits');
  const waits = table === undefined ? [] : worstWaitsOf(table);
  if (waits.length === 0) return [];
  const selections = waits.map(
    ({ dom, vcpu }) => new RecordSelection(reader.catalog, { vcpu: [{ dom, vcpu }] }),
  );
  const concerns = (batch: RecordBatch, row: number, index: number) => {
    const { fromPcpu, toPcpu } = waits[index];
    const pcpu = batch.pcpu[row];
    return pcpu === fromPcpu || pcpu === toPcpu || selections[index].takes(batch, row);
  };
  const again = await reader.reopen();
  try {
    const found = recordsAround(again, waits, count, concerns);
    return waits.map((wait, index) => ({ wait, around: found[index] }));
  } finally {
    again.close();
  }
}

/** For people: each wait, with its records as `dump` prints them. */
export function renderWaitRecords(catalog: EventCatalog, records: readonly WaitRecords[]): string {
  const formatter = new DumpFormatter(catalog);
  const lines = (batch: RecordBatch) => rowsOf(batch).map((row) => formatter.textLine(batch, row));
  const parts = records.map(({ wait, around: { before, begun, ending, after } }, index) => {
    const [heading, waiting] = [`${index + 1}. ${headingOf(wait)}\n`, `${waitedLine(wait)}\n`];
    return [heading, ...lines(before), ...lines(begun), waiting, ...lines(ending), ...lines(after)].join('');
  });
  return underlined('Records around the longest waits') + parts.join('\n');
}

/** For programs: one row for each record. */
export function waitRecordsTable(catalog: EventCatalog, records: readonly WaitRecords[]): ResultTable {
  const formatter = new DumpFormatter(catalog);
  return {
    name: 'worst_wait_records',
    title: 'Records around the longest waits',
    doc: 'The records of the pCPUs and the vCPU of each of the longest waits, around its beginning and its end.',
    columns: COLUMNS,
    rows: records.flatMap(({ around }, index) =>
      PARTS.flatMap((part) =>
        rowsOf(around[part]).map((row) => {
          const { t_ns, pcpu, event, tsc: _, ...fields } = JSON.parse(formatter.jsonLine(around[part], row));
          const pairs = Object.entries(fields).map(([name, value]) => `${name}=${value}`);
          return [index + 1, part, t_ns, pcpu, event, pairs.join(' ')];
        }),
      ),
    ),
  };
}

function rowsOf({ count }: RecordBatch): number[] {
  return Array.from({ length: count }, (_, row) => row);
}

function headingOf({ dom, vcpu, cause, startNs, endNs, fromPcpu, toPcpu }: WorstWait): string {
  const place = (pcpu: number | null) => (pcpu === null ? 'an unknown pCPU' : `p${pcpu}`);
  const where = fromPcpu === toPcpu ? `on ${place(toPcpu)}` : `from ${place(fromPcpu)} to ${place(toPcpu)}`;
  return `${vcpuLabel(dom, vcpu)} waited ${formatNs(endNs - startNs)} after ${cause}, ${where}`;
}

/** What stands for the time between the records before a wait and those after it. */
function waitedLine({ startNs, endNs, ranDom, ranVcpu, ranNs }: WorstWait): string {
  const waited = `    ... it waits for ${formatNs(endNs - startNs)}`;
  if (ranDom === null || ranVcpu === null || ranNs === null) return waited;
  return `${waited}; ${vcpuLabel(ranDom, ranVcpu)} runs for ${formatNs(ranNs)} of it`;
}
