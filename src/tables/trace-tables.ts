import { assert } from '../base/assert.ts';
import { closestWord } from '../base/closest-word.ts';
import { UserError } from '../base/errors.ts';
import type { RecordBatch } from '../decoder/index.ts';
import { refuseUsed } from '../decoder/refuse-used.ts';
import { Timeline } from '../timeline/index.ts';
import { ClassTables, SLICE_ROWS } from './class-tables.ts';
import { rowBytes } from './column-buffer.ts';
import { DomainTimes, fillDomains } from './domains-table.ts';
import { RecordsTable } from './records-table.ts';
import { diagnosticCodes, fillDiagnostics, fillLost, fillMeta } from './summary-tables.ts';
import type { TableSource } from './table-source.ts';
import type { TableSpec } from './table-spec.ts';
import { tableSpecs } from './table-specs.ts';
import { ROWS_MAX, type TableWriter, type TableWriterOptions } from './table-writer.ts';
import { TimelineTables } from './timeline-tables.ts';
import { VcpuAttribution } from './vcpu-attribution.ts';

/**
 * Makes the writer of a table; called when its first row is due, or at the end for tables that may be empty.
 */
export type OpenTable = (spec: TableSpec, options: TableWriterOptions) => TableWriter;

/** The most that the buffers of one wide class table should take. */
const CLASS_BUFFER_BYTES = 4 << 20;

/**
 * All chosen tables of one trace, in one pass: `push` every batch, then `finish`. Between batches nothing is
 * kept but the rows that wait in the writers' buffers.
 */
export class TraceTables {
  readonly writers = new Map<string, TableWriter>();
  readonly #source: TableSource;
  readonly #specs: ReadonlyMap<string, TableSpec>;
  readonly #named: ReadonlySet<string>;
  readonly #open: OpenTable;
  readonly #attribution: VcpuAttribution | undefined;
  readonly #records: RecordsTable | undefined;
  readonly #classes: ClassTables | undefined;
  readonly #timeline: Timeline | undefined;
  readonly #domainTimes = new DomainTimes();

  /**
   * @param source fresh: what it has given already would be missing in the tables
   * @param tables names of the wanted tables; undefined: all. A class table that is asked for by name is written even
   *   when the trace has no such records.
   * @throws UserError unknown-table; already-read for a source that is not fresh.
   */
  constructor(source: TableSource, open: OpenTable, tables?: readonly string[]) {
    this.#source = source;
    this.#open = open;
    refuseUsed(source, 'tables are');
    this.#specs = chooseTables(tableSpecs(source.catalog), tables);
    this.#named = new Set(tables ?? []);
    const specs = [...this.#specs.values()];
    if (specs.some(({ kind }) => kind === 'records' || kind === 'class')) {
      this.#attribution = new VcpuAttribution(source.catalog);
    }
    const records = this.#openIfChosen('records');
    if (records) this.#records = new RecordsTable(records, source.catalog);
    if (specs.some(({ kind }) => kind === 'class')) {
      this.#classes = new ClassTables(source.catalog, (name) => this.#openIfChosen(name));
    }
    this.#timeline = this.#connectTimeline();
  }

  /** Reconstructing the timeline takes time: it is done only where a table is made from it. */
  #connectTimeline(): Timeline | undefined {
    const runstates = this.#openIfChosen('runstates');
    const waits = this.#openIfChosen('waits');
    const jobs = this.#openIfChosen('jobs');
    const domains = this.#specs.has('domains');
    if (!runstates && !waits && !jobs && !domains) return undefined;
    const tables = new TimelineTables({
      ...(runstates && { runstates }),
      ...(waits && { waits }),
      ...(jobs && { jobs }),
    });
    const listeners = domains ? [tables, this.#domainTimes] : [tables];
    return new Timeline(this.#source.catalog, listeners, { pcpus: this.#source.pcpus });
  }

  /** Takes the records of a batch; when this returns, the batch may be reused. */
  push(batch: RecordBatch): void {
    assert(batch.count <= ROWS_MAX, `a batch of ${batch.count} records is too large`);
    if (this.#attribution) {
      this.#attribution.annotate(batch);
      this.#records?.push(batch, this.#attribution);
      this.#classes?.push(batch, this.#attribution);
    }
    this.#timeline?.push(batch);
    const lost = this.#openIfChosen('lost');
    if (lost) fillLost(lost, batch, this.#source);
  }

  /** Writes what is left and ends all tables. The source has been read to its end. */
  finish(): void {
    const source = this.#source;
    this.#timeline?.finish(source.counts().spanNs);
    const domains = this.#openIfChosen('domains');
    if (domains && this.#timeline) fillDomains(domains, this.#timeline.domains(), this.#domainTimes);
    const found = source.diagnostics();
    const codes = new Map([['code', diagnosticCodes(found)]]);
    const diagnostics = this.#openIfChosen('diagnostics', codes);
    if (diagnostics) fillDiagnostics(diagnostics, found);
    const meta = this.#openIfChosen('meta');
    if (meta) fillMeta(meta, source, this.#timeline);
    for (const { name, kind } of this.#specs.values()) {
      if (kind !== 'class' || this.#named.has(name)) this.#openIfChosen(name);
    }
    for (const writer of this.writers.values()) writer.finish();
  }

  #openIfChosen(
    name: string,
    dictionaries?: ReadonlyMap<string, readonly string[]>,
  ): TableWriter | undefined {
    const spec = this.#specs.get(name);
    if (!spec) return undefined;
    let writer = this.writers.get(name);
    if (!writer) {
      writer = this.#open(spec, { rowsMax: rowsMaxOf(spec), ...(dictionaries && { dictionaries }) });
      this.writers.set(name, writer);
    }
    return writer;
  }
}

/** A class's slice must fit; beyond that, wide tables gather fewer rows. */
function rowsMaxOf({ kind, columns }: TableSpec): number {
  if (kind !== 'class') return ROWS_MAX;
  const bytes = columns.reduce((sum, column) => sum + rowBytes(column), 0);
  let rows = ROWS_MAX;
  while (rows > SLICE_ROWS && rows * bytes > CLASS_BUFFER_BYTES) rows /= 2;
  return rows;
}

/** The specs of the tables called `names`, or all. */
export function chooseTables(specs: readonly TableSpec[], names?: readonly string[]): Map<string, TableSpec> {
  const byName = new Map(specs.map((spec) => [spec.name, spec]));
  if (names === undefined) return byName;
  const chosen = new Map<string, TableSpec>();
  for (const name of names) {
    const spec = byName.get(name);
    if (!spec) {
      const near = closestWord(name, [...byName.keys()]);
      const hint = near ? `did you mean "${near}"?` : `the tables are ${[...byName.keys()].join(', ')}`;
      throw new UserError('unknown-table', `there is no table "${name}"`, { hint });
    }
    chosen.set(name, spec);
  }
  return chosen;
}
