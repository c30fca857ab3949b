import {
  Compression,
  Encoding,
  type RecordBatch,
  Table,
  transformParquetStream,
  type WriterProperties,
  WriterPropertiesBuilder,
} from 'parquet-wasm';
import { FileSink, type OutputSink } from '../tables/index.ts';

export interface ParquetSinkOptions {
  /**
   * Columns of 64-bit integers. Almost all are times, ascending or nearly so: as differences they take a fifth of what
   * they take as a dictionary.
   */
  readonly wideColumns: readonly string[];
  /** For the file's footer, where every reader finds it; Arrow's schema, which has it too, only some read. */
  readonly metadata: ReadonlyMap<string, string>;
  /** `zstd` (the default) for files that are kept, `snappy` for those that are read once. */
  readonly compression?: 'zstd' | 'snappy' | undefined;
}

/**
 * Rows that are encoded together. What a reader skips or takes as a whole, what its threads share out, and what the
 * writer keeps in memory.
 */
const ROW_GROUP_ROWS = 262_144;

/**
 * One table on its way into a Parquet file, which appears under its name when it is committed. Takes batches of rows,
 * each a whole Arrow IPC stream. Encoding goes on while others work: `ready` says when there is room for more, `end`
 * waits for all of it.
 */
export class ParquetSink implements OutputSink {
  readonly #file: FileSink;
  readonly #batches: WritableStreamDefaultWriter<RecordBatch>;
  readonly #written: Promise<void>;

  /** @throws UserError where the file cannot be made. */
  constructor(path: string, options: ParquetSinkOptions) {
    this.#file = new FileSink(path);
    const { readable, writable } = new TransformStream<RecordBatch, RecordBatch>();
    this.#batches = writable.getWriter();
    this.#written = this.#encode(readable, propertiesOf(options));
    this.#written.catch(() => {}); // Told by ready() and end().
  }

  get path(): string {
    return this.#file.path;
  }

  write(chunks: readonly Uint8Array[]): void {
    const table = Table.fromIPCStream(Buffer.concat(chunks));
    // Batches are given away to the encoder, and freed there.
    for (const batch of table.recordBatches()) this.#batches.write(batch).catch(() => {});
    table.free();
  }

  /** Waits until what was written is being encoded. */
  async ready(): Promise<void> {
    await Promise.race([this.#batches.ready, this.#written]);
  }

  /** Waits until everything that was written is in the file. */
  async end(): Promise<void> {
    await Promise.race([this.#batches.close(), this.#written]);
    await this.#written;
    this.#file.close();
  }

  commit(): void {
    this.#file.commit();
  }

  abort(): void {
    this.#batches.abort().catch(() => {});
    this.#file.abort();
  }

  async #encode(batches: ReadableStream<RecordBatch>, properties: WriterProperties): Promise<void> {
    const encoded = (await transformParquetStream(batches, properties)) as AsyncIterable<Uint8Array>;
    for await (const bytes of encoded) this.#file.write([bytes]);
  }
}

function propertiesOf({ wideColumns, metadata, compression = 'zstd' }: ParquetSinkOptions): WriterProperties {
  const common = new WriterPropertiesBuilder()
    .setCompression(compression === 'zstd' ? Compression.ZSTD : Compression.SNAPPY)
    .setMaxRowGroupSize(ROW_GROUP_ROWS)
    .setKeyValueMetadata(new Map(metadata))
    .setCreatedBy('xenscope');
  return wideColumns
    .reduce(
      (builder, name) =>
        builder.setColumnDictionaryEnabled(name, false).setColumnEncoding(name, Encoding.DELTA_BINARY_PACKED),
      common,
    )
    .build();
}
