/**
 * The thread that decodes a trace and follows its timeline, and sends what it finds; see trace-ahead.ts.
 * @module
 */
import { once } from 'node:events';
import { type MessagePort, workerData } from 'node:worker_threads';
import { collectBeforeExit } from '../base/collect-before-exit.ts';
import { UserError } from '../base/errors.ts';
import {
  type Diagnostic,
  type OpenTraceOptions,
  openTrace,
  type TraceCounts,
  type TraceReader,
} from '../decoder/index.ts';
import { type BatchKind, BatchSender, type ChannelMemory } from './batch-channel.ts';
import { type FollowOptions, followTrace, type TimelineFacts } from './follow-trace.ts';
import type { TimelineListener } from './timeline-listener.ts';

/** What the thread is started with. */
export interface TimelineOrder {
  readonly path: string;
  readonly options: OpenTraceOptions;
  readonly memory: ChannelMemory;
  /** [0]: how many bytes of the trace have been read. */
  readonly doneBytes: Float64Array;
  readonly port: MessagePort;
}

/** What it is told once the trace is open and is to be followed. */
export interface FollowOrder extends Omit<FollowOptions, 'onRecords'> {
  readonly wanted: readonly BatchKind[];
}

/** What it says: first that the trace is open, at last what it found; or that it cannot go on. */
export type TimelineMessage =
  | ({ readonly kind: 'open' } & Pick<TraceReader, 'name' | 'bytes' | 'clock' | 'pcpus'>)
  | {
      readonly kind: 'end';
      readonly facts: TimelineFacts;
      readonly counts: TraceCounts;
      readonly diagnostics: readonly Diagnostic[];
    }
  | { readonly kind: 'failed'; readonly userCode: string | undefined; readonly message: string };

const { path, options, memory, doneBytes, port } = workerData as TimelineOrder;
const sender = new BatchSender(memory);
const say = (message: TimelineMessage) => port.postMessage(message);
try {
  const onProgress = (done: number) => {
    doneBytes[0] = done;
  };
  const reader = await openTrace(path, { ...options, onProgress });
  const { name, bytes, clock, pcpus } = reader;
  const ordered = once(port, 'message');
  say({ kind: 'open', name, bytes, clock, pcpus });
  const [{ wanted, ...follow }] = (await ordered) as [FollowOrder];
  const send = (kind: BatchKind) => {
    return wanted.includes(kind) ? (batch: { count: number }) => sender.send(kind, batch) : undefined;
  };
  const listener: Record<keyof TimelineListener, unknown> = {
    onRunstates: send('runstates'),
    onWaits: send('waits'),
    onJobs: send('jobs'),
    onTransitions: send('transitions'),
    onBlames: send('blames'),
  };
  const facts = followTrace(reader, [listener as TimelineListener], {
    ...follow,
    onRecords: send('records'),
  });
  // Who is told of the end may end this thread at once.
  collectBeforeExit();
  say({ kind: 'end', facts, counts: reader.counts(), diagnostics: reader.diagnostics() });
  reader.close();
} catch (error) {
  const userCode = error instanceof UserError ? error.code : undefined;
  say({ kind: 'failed', userCode, message: error instanceof Error ? error.message : String(error) });
}
sender.end();
