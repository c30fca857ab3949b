/**
 * The thread that decodes ahead: it reads a trace and hands batches on through shared memory; see decode-ahead.ts.
 * @module
 */
import { type MessagePort, workerData } from 'node:worker_threads';
import { UserError } from '../base/errors.ts';
import { BatchRing, type SharedBatches } from './batch-ring.ts';
import type { Diagnostic } from './diagnostic.ts';
import { type OpenTraceOptions, openTrace } from './open-trace.ts';
import type { TraceCounts, TraceReader } from './trace-reader.ts';

export interface DecodeOrder {
  readonly path: string;
  readonly options: OpenTraceOptions;
  readonly shared: SharedBatches;
  readonly port: MessagePort;
}

/** What the thread says: first that the trace is open, at last what it found; or that it cannot go on. */
export type DecodeMessage =
  | ({ readonly kind: 'open' } & Pick<TraceReader, 'name' | 'bytes' | 'clock' | 'pcpus'>)
  | { readonly kind: 'end'; readonly counts: TraceCounts; readonly diagnostics: readonly Diagnostic[] }
  | { readonly kind: 'failed'; readonly userCode: string | undefined; readonly message: string };

const { path, options, shared, port } = workerData as DecodeOrder;
const ring = new BatchRing(shared);
const say = (message: DecodeMessage) => port.postMessage(message);
try {
  const onProgress = (doneBytes: number) => {
    shared.doneBytes[0] = doneBytes;
  };
  const reader = await openTrace(path, { ...options, onProgress });
  const { name, bytes, clock, pcpus } = reader;
  say({ kind: 'open', name, bytes, clock, pcpus });
  while (reader.readBatch(ring.free())) ring.fill();
  say({ kind: 'end', counts: reader.counts(), diagnostics: reader.diagnostics() });
  reader.close();
} catch (error) {
  const userCode = error instanceof UserError ? error.code : undefined;
  say({ kind: 'failed', userCode, message: error instanceof Error ? error.message : String(error) });
}
ring.end();
