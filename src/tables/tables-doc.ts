import type { ArrowTypeName, ColumnSpec, TableSpec } from './table-spec.ts';

/** The text of docs/tables.md, made from the specs; a test holds the file to it. */
export function renderTablesDoc(specs: readonly TableSpec[]): string {
  const sections = (kind: string) => specs.filter((spec) => spec.kind === kind).map(renderTable);
  return [
    INTRODUCTION,
    renderIndex(specs),
    CONVENTIONS,
    NOTEBOOKS,
    '## Records\n',
    ...sections('records'),
    '## What the vCPUs did\n',
    ...sections('timeline'),
    '## About the trace\n',
    ...sections('summary'),
    META,
    `## Event classes\n\n${CLASSES}`,
    ...sections('class'),
  ].join('\n');
}

const INTRODUCTION = `# Tables

\`xenscope decode TRACE -o DIR\` writes one Arrow file a table: \`DIR/NAME.arrow\`, IPC *file* format (Feather V2),
uncompressed. \`--tables a,b\` chooses some; \`-o - --tables NAME\` writes one to standard output, in the IPC
*stream* format. The classes' tables are written when the trace has such records (or when they are asked for by name);
all others always are, with no rows where there is nothing to tell. A file appears under its name when all are
complete; until then it is \`NAME.arrow.PID.partial\`. In a program, \`writeTables\` and \`streamTable\` do the same:
[library.md](library.md#arrow-tables).

This file is made from the same declarations as the tables.
`;

function renderIndex(specs: readonly TableSpec[]): string {
  const rows = specs.map(
    ({ name, kind, doc }) => `| [${name}](#${name}) | ${KINDS[kind]} | ${cell(firstSentence(doc))} |`,
  );
  return ['| table | from | |', '|---|---|---|', ...rows, ''].join('\n');
}

const KINDS = { records: 'records', class: 'event class', timeline: 'timeline', summary: 'summary' };

const CONVENTIONS = `## Conventions

- **Times** are 64-bit integers in nanoseconds, in columns that end in \`_ns\`; an instant counts from the start of the
  trace (its first TSC). Where the TSC's frequency is not known (\`cpu_hz\` is \`unknown\`), a tick is shown as a
  nanosecond.
- **Absent is null**, never -1 or 0. pandas gets nullable integers (\`Int64\`, \`UInt16\`, \`boolean\`), which are exact
  to 64 bits: the schema says so.
- **Order.** Rows of \`records\` and of the classes are in time order across pCPUs, those of one pCPU as the trace has
  them. A record without a time (\`t_ns\` is null: ring-wrap and HVM handler records) stands after the record before it
  on its pCPU; to give it a time for plotting, fill forward within the pCPU.
- **Whose record.** \`dom\` and \`vcpu\` are the vCPU that the record names; where it names none, the one that ran on
  its pCPU by the runstate changes and switches before it; null where these are not known (yet).
- **Names** of events and states are dictionaries (categoricals), the same in every batch; their entries are all
  names there are, not only those that occur. An event that no definition names is \`unknown\` with its number in
  \`event_id\`, and a value that its enumeration does not name is \`other\`; the words are in \`records\` anyway.
- **Schema metadata** of every file: \`table\`, and those rows of [meta](#meta) that are known beforehand. Every
  column has its sentence and unit as field metadata \`doc\` and \`unit\`.
`;

const NOTEBOOKS = `## In a notebook

\`\`\`python
import pandas as pd
waits = pd.read_feather("out/waits.arrow")
waits.groupby(["label", "cause"], observed=True).wait_ns.quantile([0.5, 0.99]).unstack()

records = pd.read_feather("out/records.arrow", columns=["t_ns", "pcpu", "event"])
records.event.value_counts()[lambda n: n > 0]            # categories list every event there is
\`\`\`

\`\`\`python
import polars as pl
(pl.scan_ipc("out/runstates.arrow")
   .group_by("label", "state").agg(pl.col("dur_ns").sum() / 1e6)
   .sort("label").collect())
credit = pl.read_ipc("out/credit.arrow").join(             # what the words of a record were
    pl.read_ipc("out/records.arrow").with_row_index("record_index").select(
        pl.col("record_index").cast(pl.Int64), "words"), on="record_index")
pl.read_ipc_stream("waits.arrows")                          # what -o - wrote
\`\`\`

\`\`\`python
import pyarrow as pa, pyarrow.feather as feather
table = feather.read_table("out/records.arrow")             # memory-mapped: opens at once, whatever the size
table.schema.metadata[b"cpu_hz"], table.schema.field("t_ns").metadata[b"doc"]
\`\`\`

DuckDB has no Arrow reader of its own in every build; in Python it reads the tables that pyarrow has opened:

\`\`\`python
import duckdb, pyarrow.feather as feather
waits = feather.read_table("out/waits.arrow")
duckdb.sql("select label, cause, count(*), max(wait_ns) from waits group by all order by 4 desc").df()
\`\`\`

In JavaScript \`tableFromIPC(await readFile("out/waits.arrow"))\` of apache-arrow gives 64-bit columns as bigints.
`;

const META = `\
Its keys: \`producer\`, \`schema_version\`, \`source\` (as named) and \`source_bytes\` (decompressed); \`cpu_hz\`,
\`cpu_hz_source\` (derived, given or unknown), \`cpu_hz_pairs\` (from how many stretches of time it was derived)
and \`cpu_hz_spread_ppm\` (how far the middle half of them lies apart); \`tsc_start\` (the TSC at 0 ns); \`pcpus\`
(those with records); \`span_ns\`, \`records\`, \`lost_records\`, \`windows\`, \`skipped_bytes\`, \`late_records\`
(whose TSC went back), \`diagnostics\` (rows of that table); \`core_scheduling\` (sched-gran=core or socket
shows), \`timeline_partial\` (records of some pCPU are missing altogether, so that only running time is known),
\`timeline_repairs\` (runstate changes that did not continue what was known). The last three only where a table of
the timeline is among the chosen ones.
`;

const CLASSES = `\
One table for each class of \`formats/\`: the columns up to \`vcpu\` are common to all, the others are the fields
of the class's layouts by name, null in the rows whose layout has no such field. A field called like a common
column is in \`field_NAME\`. Written when the trace has such records.
`;

function renderTable({ name, doc, columns }: TableSpec): string {
  const rows = columns.map((column) => {
    return `| ${column.name} | ${typeText(column)} | ${column.unit ?? ''} | ${cell(column.doc)}${valuesText(column)} |`;
  });
  return [`### ${name}`, '', doc, '', '| column | type | unit | |', '|---|---|---|---|', ...rows, ''].join(
    '\n',
  );
}

function typeText({ type, nullable }: ColumnSpec): string {
  return TYPES[type] + (nullable ? ', nullable' : '');
}

const TYPES: Record<ArrowTypeName, string> = {
  int64: 'Int64',
  uint64: 'UInt64',
  uint32: 'UInt32',
  int32: 'Int32',
  uint16: 'UInt16',
  uint8: 'UInt8',
  float64: 'Float64',
  bool: 'Bool',
  utf8: 'Utf8',
  dictionary: 'Dictionary<Utf8>',
  'list<uint32>': 'List<UInt32>',
};

/** More entries than this are told in `formats/`, not here. */
const VALUES_SHOWN = 12;

function valuesText({ name, values }: ColumnSpec): string {
  if (!values || values.length > VALUES_SHOWN || name === 'event') return '';
  return ` One of ${values.map((value) => `\`${value}\``).join(', ')}.`;
}

function firstSentence(text: string): string {
  return text.split(/(?<=\.) /)[0];
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
