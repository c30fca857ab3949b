import { UserError } from '../base/errors.ts';

/**
 * A bounded batch of decoded records as columns; row i of every array is one record. Arrays are reused by the
 * decoder unless it is told otherwise: a consumer copies what it keeps past the call.
 *
 * Rows come in time order across pCPUs (or in file order, on request); rows of one pCPU always keep their
 * file order. Window headers (TRC_TRACE_CPU_CHANGE) are not rows. Wrap and lost-records records are.
 */
export interface RecordBatch {
  /** Rows in use, at most {@link BATCH_ROWS}. */
  count: number;
  /** Event id, 28 bits. */
  readonly event: Uint32Array;
  /** Index into the catalog's layouts, or 0 where (event, extra words) is not defined. */
  readonly layout: Uint16Array;
  /** The physical CPU that recorded it. */
  readonly pcpu: Uint16Array;
  /** 1 where the record carries a TSC of its own. */
  readonly hasTsc: Uint8Array;
  /** The low 32 bits of the TSC, as the file has it; meaningless where `hasTsc` is 0. */
  readonly tscLow: Uint32Array;
  /** The high 32 bits likewise. */
  readonly tscHigh: Uint32Array;
  /**
   * Nanoseconds since the start of the trace, an integer. For a record without a TSC: that of the record
   * before it on its pCPU (0 for the first), a place in the order and not a time.
   */
  readonly tNs: Float64Array;
  /** Row i's extra words are words[wordsOffset[i]] up to words[wordsOffset[i + 1]]; wordsOffset[0] is 0. */
  readonly wordsOffset: Int32Array;
  /** Extra words of all rows, one after the other; `readField` takes fields out of them. */
  readonly words: Uint32Array;
}

/** The rows of a batch unless told otherwise, and the most that tables take at once. */
export const BATCH_ROWS = 65_536;

/**
 * Allocates an empty batch.
 *
 * @param rows for how many records there is room
 */
export function createRecordBatch(rows = BATCH_ROWS): RecordBatch {
  return {
    count: 0,
    event: new Uint32Array(rows),
    layout: new Uint16Array(rows),
    pcpu: new Uint16Array(rows),
    hasTsc: new Uint8Array(rows),
    tscLow: new Uint32Array(rows),
    tscHigh: new Uint32Array(rows),
    tNs: new Float64Array(rows),
    wordsOffset: new Int32Array(rows + 1),
    words: new Uint32Array(rows * 7),
  };
}

/**
 * Empties a batch that is to be filled.
 *
 * @throws UserError bad-batch: nobody could tell a batch without room from the end of the trace.
 */
export function clearRecordBatch(batch: RecordBatch): void {
  if (batch.event.length === 0)
    throw new UserError('bad-batch', 'a batch to read into has no room for records');
  batch.count = 0;
  batch.wordsOffset[0] = 0;
}
