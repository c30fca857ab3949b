import type { TraceCounts, TraceReader } from '../decoder/index.ts';

/**
 * What the tables need of a trace: the decoder's TraceReader has it, and a hand-made source can. It is read
 * once, from its start to its end, and not closed.
 */
export interface TableSource
  extends Pick<TraceReader, 'name' | 'bytes' | 'catalog' | 'clock' | 'pcpus' | 'readBatch' | 'diagnostics'> {
  counts(): Pick<
    TraceCounts,
    'records' | 'lostRecords' | 'windows' | 'skippedBytes' | 'lateRecords' | 'spanNs'
  >;
}
