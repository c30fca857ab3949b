/** How much a diagnostic hurts: nothing is lost; records are missing; the bytes make no sense. */
export type Severity = 'info' | 'data_loss' | 'error';

/** Something about a trace that a reader should know, with what to do about it. Rows of the `diagnostics` table. */
export interface Diagnostic {
  readonly severity: Severity;
  /** Stable, for programs: `lost_records`, `truncated_record`, `skipped_bytes`, `unknown_layout`, ... */
  readonly code: string;
  /** -1 where it belongs to no pCPU. */
  readonly pcpu: number;
  /** Byte offset in the (decompressed) trace, or -1. */
  readonly offset: number;
  /** Bytes that were skipped or could not be read; every byte of a trace is in a record, a header or one of these. */
  readonly bytes: number;
  /** How many times, where equal diagnostics are folded into one. */
  readonly count: number;
  /** Nanoseconds since the start of the trace, or undefined where no time is known. */
  readonly tNs: number | undefined;
  /** What happened, in a sentence for people. */
  readonly message: string;
  /** What to do about it, in another. */
  readonly advice: string;
}
