import {
  AsyncByteQueue,
  makeData,
  RecordBatch,
  RecordBatchFileWriter,
  RecordBatchStreamWriter,
  Schema,
  Struct,
} from 'apache-arrow';
import { assert } from '../base/assert.ts';
import type { OutputSink } from './byte-sink.ts';
import { type ColumnBuffer, clearColumn, createColumn, dataOf, fieldOf } from './column-buffer.ts';
import { pandasMetadata } from './pandas-metadata.ts';
import type { TableSpec } from './table-spec.ts';

/** Rows of one Arrow batch at most. */
export const ROWS_MAX = 65_536;

/**
 * `file`: random access, extension .arrow, what notebooks open. `stream`: for pipes, no seeking needed.
 * `streams`: each batch is a stream of its own and one write to the sink, for sinks that encode batches anew.
 */
export type ArrowFormat = 'file' | 'stream' | 'streams';

export interface TableWriterOptions {
  readonly format?: ArrowFormat;
  /** Written into the schema of the file. */
  readonly metadata?: ReadonlyMap<string, string>;
  /** Rows that the buffers hold; at most {@link ROWS_MAX}. */
  readonly rowsMax?: number;
  /** Entries of the dictionaries whose spec does not list them, by column. */
  readonly dictionaries?: ReadonlyMap<string, readonly string[]>;
}

/**
 * One table on its way into a sink: the fill loops write rows into the columns' buffers, say how many there
 * are by setting `rows`, and `flush` writes them as one Arrow batch. Bounded memory: the buffers, nothing
 * else.
 */
export class TableWriter {
  readonly spec: TableSpec;
  readonly rowsMax: number;
  readonly columns: readonly ColumnBuffer[];
  /** Rows in the buffers; set by whoever fills them. */
  rows = 0;
  /** Rows that were flushed. */
  rowsWritten = 0;
  readonly sink: OutputSink;
  readonly #byName: ReadonlyMap<string, ColumnBuffer>;
  readonly #schema: Schema;
  readonly #format: ArrowFormat;
  #writer: RecordBatchFileWriter | RecordBatchStreamWriter;
  readonly #queue = new ChunkQueue();
  #batches = 0;

  constructor(spec: TableSpec, sink: OutputSink, options: TableWriterOptions = {}) {
    const { format = 'file', metadata = new Map(), rowsMax = ROWS_MAX, dictionaries } = options;
    assert(rowsMax > 0 && rowsMax <= ROWS_MAX, `rowsMax ${rowsMax} is out of range`);
    this.spec = spec;
    this.sink = sink;
    this.rowsMax = rowsMax;
    this.columns = spec.columns.map((column) =>
      createColumn(column, rowsMax, dictionaries?.get(column.name)),
    );
    this.#byName = new Map(this.columns.map((column) => [column.spec.name, column]));
    const pandas = pandasMetadata(spec.columns);
    const all = new Map([
      ['table', spec.name],
      ...metadata,
      ...(pandas ? [['pandas', pandas] as const] : []),
    ]);
    this.#schema = new Schema(this.columns.map(fieldOf), all);
    this.#format = format;
    this.#writer = this.#startStream();
  }

  #startStream(): RecordBatchFileWriter | RecordBatchStreamWriter {
    const writer = this.#format === 'file' ? new RecordBatchFileWriter() : new RecordBatchStreamWriter();
    writer.reset(this.#queue);
    return writer;
  }

  column(name: string): ColumnBuffer {
    const column = this.#byName.get(name);
    assert(column, `the table ${this.spec.name} has no column ${name}`);
    return column;
  }

  /** Writes the rows in the buffers, if any, and makes room for new ones. */
  flush(): void {
    if (this.rows === 0) return;
    this.#writeBatch();
    for (const column of this.columns) clearColumn(column, this.rows);
    this.rowsWritten += this.rows;
    this.rows = 0;
  }

  /** Flushes and writes what ends the file. The sink still has to be committed. */
  finish(): void {
    this.flush();
    if (this.#batches === 0) this.#writeBatch(); // A table without rows still has its columns.
    if (this.#format !== 'streams') this.#endStream();
  }

  #writeBatch(): void {
    const children = this.columns.map((column) => dataOf(column, this.rows));
    const type = new Struct(this.#schema.fields);
    const data = makeData({ type, length: this.rows, nullCount: 0, children });
    this.#writer.write(new RecordBatch(this.#schema, data));
    this.#batches++;
    if (this.#format === 'streams') {
      this.#endStream();
      this.#writer = this.#startStream();
    } else {
      this.#drain();
    }
  }

  #endStream(): void {
    this.#writer.close();
    this.#drain();
  }

  /**
   * The writer queues views of our buffers: they are in the sink before this returns, hence free to be
   * reused.
   */
  #drain(): void {
    this.sink.write(this.#queue.take());
  }
}

/** Takes what an Arrow writer writes; emptied by hand, synchronously, after each batch. */
class ChunkQueue extends AsyncByteQueue {
  #chunks: Uint8Array[] = [];

  override write(chunk: Uint8Array): void {
    if (chunk.byteLength > 0) this.#chunks.push(chunk);
  }

  take(): Uint8Array[] {
    const chunks = this.#chunks;
    this.#chunks = [];
    return chunks;
  }
}
