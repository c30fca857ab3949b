import { once } from 'node:events';
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { assert } from '../base/assert.ts';
import { UserError } from '../base/errors.ts';
import { type EventCatalog, loadCatalog } from '../format/index.ts';
import { BatchRing, createSharedBatches, type SharedBatches } from './batch-ring.ts';
import type { TraceClock } from './clock.ts';
import type { DecodeMessage, DecodeOrder } from './decode-worker.ts';
import type { Diagnostic } from './diagnostic.ts';
import { type OpenTraceOptions, openTrace } from './open-trace.ts';
import type { RecordBatch } from './record-batch.ts';
import type { TraceCounts, TraceReader } from './trace-reader.ts';

/** Options of openTrace that another thread can be told. */
export type DecodeAheadOptions = Omit<OpenTraceOptions, 'catalog'>;

/**
 * Opens a trace as `openTrace` does, and decodes it in a thread of its own, a few batches ahead of who works on them.
 * Worth its start for traces of tens of megabytes. The same records, counts and diagnostics come out.
 *
 * @param path of a regular file, plain or gzip
 * @throws UserError as openTrace does.
 */
export async function openTraceAhead(path: string, options: DecodeAheadOptions = {}): Promise<TraceReader> {
  const { onProgress: _, ...others } = options;
  const shared = createSharedBatches();
  const { port1, port2 } = new MessageChannel();
  const order: DecodeOrder = { path, options: others, shared, port: port2 };
  const worker = new Worker(new URL('./decode-worker.js', import.meta.url), {
    workerData: order,
    transferList: [port2],
  });
  worker.unref();
  const [opened] = (await once(port1, 'message')) as [DecodeMessage];
  port1.unref();
  if (opened.kind !== 'open') {
    port1.close();
    throw failure(opened);
  }
  return new AheadReader(opened, loadCatalog(options.formats), worker, port1, shared, path, options);
}

class AheadReader implements TraceReader {
  readonly name: string;
  readonly bytes: number;
  readonly catalog: EventCatalog;
  readonly clock: TraceClock;
  readonly pcpus: readonly number[];
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #shared: SharedBatches;
  readonly #ring: BatchRing;
  readonly #path: string;
  readonly #options: DecodeAheadOptions;
  #counts: TraceCounts | undefined;
  #diagnostics: readonly Diagnostic[] = [];
  #holds = false;

  constructor(
    { name, bytes, clock, pcpus }: Extract<DecodeMessage, { kind: 'open' }>,
    catalog: EventCatalog,
    worker: Worker,
    port: MessagePort,
    shared: SharedBatches,
    path: string,
    options: DecodeAheadOptions,
  ) {
    this.name = name;
    this.bytes = bytes;
    this.clock = clock;
    this.pcpus = pcpus;
    this.catalog = catalog;
    this.#worker = worker;
    this.#port = port;
    this.#shared = shared;
    this.#ring = new BatchRing(shared);
    this.#path = path;
    this.#options = options;
  }

  nextBatch(): RecordBatch | undefined {
    if (this.#counts !== undefined) return undefined;
    if (this.#holds) this.#ring.release();
    const batch = this.#ring.full();
    this.#holds = batch !== undefined;
    this.#options.onProgress?.(this.#shared.doneBytes[0], this.bytes);
    if (batch === undefined) this.#finish();
    return batch;
  }

  readBatch(batch: RecordBatch): boolean {
    const next = this.nextBatch();
    batch.count = next?.count ?? 0;
    if (next === undefined) return false;
    assert(batch.event.length >= next.count, 'a batch is too small for those decoded ahead');
    const rows = next.count;
    for (const column of ['event', 'layout', 'pcpu', 'hasTsc', 'tscLow', 'tscHigh', 'tNs'] as const) {
      batch[column].set(next[column].subarray(0, rows));
    }
    batch.wordsOffset.set(next.wordsOffset.subarray(0, rows + 1));
    batch.words.set(next.words.subarray(0, next.wordsOffset[rows]));
    return true;
  }

  diagnostics(): readonly Diagnostic[] {
    return this.#diagnostics;
  }

  counts(): TraceCounts {
    assert(this.#counts !== undefined, 'a trace that is decoded ahead has counts at its end');
    return this.#counts;
  }

  /** In this thread: who looks at a trace again seldom reads all of it. */
  reopen(): Promise<TraceReader> {
    return openTrace(this.#path, { ...this.#options, catalog: this.catalog });
  }

  close(): void {
    this.#port.close();
    void this.#worker.terminate();
  }

  #finish(): void {
    const message = receiveMessageOnPort(this.#port)?.message as DecodeMessage | undefined;
    assert(message !== undefined && message.kind !== 'open', 'the thread that decodes ends with a message');
    if (message.kind === 'failed') throw failure(message);
    this.#counts = message.counts;
    this.#diagnostics = message.diagnostics;
  }
}

function failure(message: DecodeMessage): Error {
  if (message.kind !== 'failed') return new Error(`the thread that decodes said ${message.kind}`);
  const { userCode, message: sentence } = message;
  return userCode === undefined ? new Error(sentence) : new UserError(userCode, sentence);
}
