import { once } from 'node:events';
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { assert } from '../base/assert.ts';
import { UserError } from '../base/errors.ts';
import {
  type Diagnostic,
  type OpenTraceOptions,
  openTrace,
  type RecordBatch,
  type TraceClock,
  type TraceCounts,
  type TraceFacts,
  type TraceReader,
} from '../decoder/index.ts';
import { refuseUsed } from '../decoder/refuse-used.ts';
import { type EventCatalog, loadCatalog } from '../format/index.ts';
import { type Batch, type BatchKind, BatchReceiver, createChannelMemory } from './batch-channel.ts';
import type { FollowOptions, TimelineFacts } from './follow-trace.ts';
import type { TimelineListener } from './timeline-listener.ts';
import type { FollowOrder, TimelineMessage, TimelineOrder } from './timeline-worker.ts';

/** Options of openTrace that another thread can be told. */
export type TraceAheadOptions = Omit<OpenTraceOptions, 'catalog'>;

/** Which method of a listener hears of which batches. */
const METHODS = {
  runstates: 'onRunstates',
  waits: 'onWaits',
  jobs: 'onJobs',
  transitions: 'onTransitions',
  blames: 'onBlames',
} as const satisfies Record<Exclude<BatchKind, 'records'>, keyof TimelineListener>;

/**
 * A trace that another thread decodes, and whose timeline it follows, a few batches ahead of the listeners in this
 * thread. Worth its start for traces of tens of megabytes. Listeners hear what {@link followTrace} would tell them,
 * kind by kind in the same order.
 */
export class TraceAhead implements TraceFacts {
  readonly name: string;
  readonly bytes: number;
  readonly catalog: EventCatalog;
  readonly clock: TraceClock;
  readonly pcpus: readonly number[];
  readonly #path: string;
  readonly #options: TraceAheadOptions;
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #receiver: BatchReceiver;
  readonly #doneBytes: Float64Array;
  #end: Extract<TimelineMessage, { kind: 'end' }> | undefined;

  private constructor(
    { name, bytes, clock, pcpus }: Extract<TimelineMessage, { kind: 'open' }>,
    { path, memory, doneBytes }: TimelineOrder,
    options: TraceAheadOptions,
    worker: Worker,
    port: MessagePort,
  ) {
    this.name = name;
    this.bytes = bytes;
    this.clock = clock;
    this.pcpus = pcpus;
    this.catalog = loadCatalog(options.formats);
    this.#path = path;
    this.#options = options;
    this.#worker = worker;
    this.#port = port;
    this.#receiver = new BatchReceiver(memory);
    this.#doneBytes = doneBytes;
  }

  /**
   * Starts the thread, and waits until it has opened the trace.
   *
   * @param path of a regular file, plain or gzip
   * @throws UserError as openTrace does.
   */
  static async open(path: string, options: TraceAheadOptions = {}): Promise<TraceAhead> {
    const { onProgress, ...others } = options;
    const { port1, port2 } = new MessageChannel();
    const memory = createChannelMemory();
    const doneBytes = new Float64Array(new SharedArrayBuffer(8));
    const order: TimelineOrder = { path, options: others, memory, doneBytes, port: port2 };
    const worker = new Worker(new URL('./timeline-worker.js', import.meta.url), {
      workerData: order,
      transferList: [port2],
    });
    worker.unref();
    const [opened] = (await once(port1, 'message')) as [TimelineMessage];
    port1.unref();
    if (opened.kind === 'open') return new TraceAhead(opened, order, options, worker, port1);
    port1.close();
    throw failure(opened);
  }

  /** As {@link followTrace}: once, to the end of the trace. */
  follow(listeners: readonly TimelineListener[], options: FollowOptions = {}): TimelineFacts {
    if (this.#end !== undefined) refuseUsed(this, 'a timeline is');
    // Of an empty trace no record was read either, but its thread has ended.
    assert(this.#end === undefined, 'a trace is followed once');
    const { onRecords, ...order } = options;
    const kinds = Object.keys(METHODS) as (keyof typeof METHODS)[];
    const wanted: BatchKind[] = kinds.filter((kind) =>
      listeners.some((listener) => listener[METHODS[kind]] !== undefined),
    );
    if (onRecords !== undefined) wanted.push('records');
    this.#port.postMessage({ ...order, wanted } satisfies FollowOrder);
    const hear = (kind: BatchKind, batch: Batch) => {
      if (kind === 'records') onRecords?.(batch as RecordBatch);
      else for (const listener of listeners) listener[METHODS[kind]]?.(batch as never);
    };
    while (this.#receiver.receive(hear)) this.#options.onProgress?.(this.#doneBytes[0], this.bytes);
    const message = receiveMessageOnPort(this.#port)?.message as TimelineMessage | undefined;
    if (message?.kind !== 'end') throw failure(message);
    this.#end = message;
    return message.facts;
  }

  /** Known once {@link follow} has returned; before, this throws. */
  diagnostics(): readonly Diagnostic[] {
    return this.#ended().diagnostics;
  }

  /** Known once {@link follow} has returned; before, this throws. */
  counts(): TraceCounts {
    return this.#ended().counts;
  }

  /** In this thread: who looks at a trace again seldom reads all of it. */
  reopen(): Promise<TraceReader> {
    return openTrace(this.#path, { ...this.#options, catalog: this.catalog });
  }

  /** Ends the thread. */
  close(): void {
    this.#port.close();
    void this.#worker.terminate();
  }

  #ended(): Extract<TimelineMessage, { kind: 'end' }> {
    assert(this.#end !== undefined, 'a trace that is read ahead has figures once it was followed');
    return this.#end;
  }
}

function failure(message: TimelineMessage | undefined): Error {
  if (message?.kind !== 'failed') return new Error('the thread that decodes ended without a word');
  const { userCode, message: sentence } = message;
  return userCode === undefined ? new Error(sentence) : new UserError(userCode, sentence);
}
