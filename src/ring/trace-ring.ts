import { assert } from '../base/assert.ts';
import { FLOAT_ZERO } from '../base/zero.ts';
import {
  CYCLES_FLAG,
  EVENT_MASK,
  EXTRA_WORDS_MAX,
  EXTRA_WORDS_SHIFT,
  RECORD_WORDS_MAX,
  TRC_LOST_RECORDS,
  TRC_TRACE_WRAP_BUFFER,
} from '../format/record.ts';

/** Of {@link Insertion}: the record was lost for want of space. */
export const LOST = 0;
/** Of {@link Insertion}: it went in. */
export const KEPT = 1;
/** Of {@link Insertion}: it went in and filled the ring up to its high-water mark, half its size. */
export const KEPT_AND_CROSSED_HIGH_WATER = 2;
/** What became of a record: {@link LOST}, {@link KEPT} or {@link KEPT_AND_CROSSED_HIGH_WATER}. */
export type Insertion = typeof LOST | typeof KEPT | typeof KEPT_AND_CROSSED_HIGH_WATER;

/** The bytes of a lost-records record: header, TSC, four words. */
export const LOST_RECORD_BYTES = 28;
/** The smallest ring that any single record fits into. */
export const DATA_BYTES_MIN = 4 * RECORD_WORDS_MAX;

/**
 * The trace buffer of one pCPU: Xen's struct t_buf and what common/trace.c does with it (4.17 and later
 * agree).
 *
 * 1. `prod` and `cons` are byte offsets modulo twice the size of the data, so that full and empty differ.
 * 2. A record never straddles the end of the ring: where it would, a wrap record fills the rest, and the
 *    record starts at offset 0. Every wrap record ends exactly at the end of the ring.
 * 3. A record is lost whole or kept whole. Whether it fits is decided before anything is written, counting
 *    the wrap records and the lost-records record that would have to go in front of it.
 * 4. After a loss the first record that fits is preceded by one lost-records record for all that were lost.
 *
 * Xen leaves a wrap record's words as they were. They are what the ring held there a round ago, or 0 in the
 * first. Records that a consumer has not fetched are those between `cons` and `prod`.
 */
export class TraceRing {
  readonly dataBytes: number;
  readonly highWaterBytes: number;
  /** Records lost since the last lost-records record; Xen's per-CPU lost_records. */
  lostRecords = 0;
  /** Records, wrap and lost-records records among them, that no consumer has fetched. */
  unconsumedRecords = 0;
  private lostFirstTscLow = FLOAT_ZERO;
  private lostFirstTscHigh = FLOAT_ZERO;
  private prod = 0;
  private cons = 0;
  private readonly words: Uint32Array;
  private readonly bytes: Uint8Array;

  constructor(dataBytes: number) {
    assert(dataBytes % 4 === 0 && dataBytes >= DATA_BYTES_MIN, `a ring of ${dataBytes} bytes cannot be`);
    this.dataBytes = dataBytes;
    // Xen: data_size >> 1.
    this.highWaterBytes = dataBytes >>> 1;
    this.bytes = new Uint8Array(dataBytes);
    this.words = new Uint32Array(this.bytes.buffer);
  }

  /** Bytes between `cons` and `prod`, 0 to {@link dataBytes}. Xen's calc_unconsumed_bytes(). */
  get unconsumedBytes(): number {
    const bytes = this.prod - this.cons;
    return bytes < 0 ? bytes + 2 * this.dataBytes : bytes;
  }

  /** Where the next record goes, 0 to below {@link dataBytes}. */
  get offset(): number {
    return this.prod < this.dataBytes ? this.prod : this.prod - this.dataBytes;
  }

  /**
   * Puts a record in, or counts it as lost: __trace_var(). `event` is the id alone; without `cycles` the
   * record carries no TSC, but the TSC is needed all the same, for the records that may go in front of it.
   * `currentDom` and `currentVcpu` name the vCPU current on this pCPU, for a lost-records record.
   *
   * Xen reads the TSC anew for each record. Here a lost-records record and a wrap record with a cycle count
   * bear the TSC of the record that they precede, the latest time at which Xen can have written them, so that
   * time on a pCPU never goes back. A loss ends later than it began: a record that bears the first lost one's
   * TSC, as no two records of Xen do, is lost with it.
   */
  insert(
    event: number,
    cycles: boolean,
    tscLow: number,
    tscHigh: number,
    extra: Uint32Array,
    extraWords: number,
    currentDom: number,
    currentVcpu: number,
  ): Insertion {
    const { dataBytes } = this;
    const recordBytes = 4 * (extraWords + (cycles ? 3 : 1));
    const unconsumed = this.unconsumedBytes;
    // Never 0: a record that ends at the end of the ring leaves a whole round up to the next wrap.
    let bytesToWrap = dataBytes - this.offset;
    let totalBytes = recordBytes;
    let wrapBeforeLost = false;
    if (this.lostRecords > 0) {
      wrapBeforeLost = LOST_RECORD_BYTES > bytesToWrap;
      if (wrapBeforeLost) {
        totalBytes += bytesToWrap;
        bytesToWrap = dataBytes;
      }
      totalBytes += LOST_RECORD_BYTES;
      bytesToWrap -= LOST_RECORD_BYTES;
      if (bytesToWrap === 0) bytesToWrap = dataBytes;
    }
    const wrapBeforeRecord = recordBytes > bytesToWrap;
    if (wrapBeforeRecord) totalBytes += bytesToWrap;

    if (totalBytes > dataBytes - unconsumed || (this.lostRecords > 0 && !this.isAfterLoss(tscLow, tscHigh))) {
      if (this.lostRecords === 0) {
        this.lostFirstTscLow = tscLow;
        this.lostFirstTscHigh = tscHigh;
      }
      this.lostRecords += 1;
      return LOST;
    }

    if (this.lostRecords > 0) {
      if (wrapBeforeLost) this.insertWrap(tscLow, tscHigh);
      this.insertLost(tscLow, tscHigh, currentDom, currentVcpu);
    }
    if (wrapBeforeRecord) this.insertWrap(tscLow, tscHigh);
    let at = this.start(event, cycles, extraWords, tscLow, tscHigh);
    for (let index = 0; index < extraWords; index += 1) this.words[at++] = extra[index]!;
    this.advance(recordBytes);

    const crossed = unconsumed < this.highWaterBytes && this.unconsumedBytes >= this.highWaterBytes;
    return crossed ? KEPT_AND_CROSSED_HIGH_WATER : KEPT;
  }

  /**
   * Hands the unconsumed bytes to `take` in ring order, as one piece or, where they go around the end, as
   * two; nothing where there are none. The pieces are views of the ring: they hold until the next record goes
   * in.
   */
  unread(take: (first: Uint8Array, second: Uint8Array) => void): void {
    const unconsumed = this.unconsumedBytes;
    if (unconsumed === 0) return;
    const start = this.cons < this.dataBytes ? this.cons : this.cons - this.dataBytes;
    const firstBytes = Math.min(unconsumed, this.dataBytes - start);
    take(
      this.bytes.subarray(start, start + firstBytes),
      this.bytes.subarray(0, unconsumed - firstBytes), // Empty unless the window goes around the end.
    );
  }

  /** Marks everything as consumed. */
  consume(): void {
    this.cons = this.prod;
    this.unconsumedRecords = 0;
  }

  /** Whether a TSC is later than that of the first record lost. */
  private isAfterLoss(tscLow: number, tscHigh: number): boolean {
    return tscHigh !== this.lostFirstTscHigh
      ? tscHigh > this.lostFirstTscHigh
      : tscLow > this.lostFirstTscLow;
  }

  /** Xen's insert_wrap_record(): up to 7 stale words, and the cycle count only where those do not suffice. */
  private insertWrap(tscLow: number, tscHigh: number): void {
    const bytes = this.dataBytes - this.offset;
    let extraWords = bytes / 4 - 1;
    const cycles = extraWords > EXTRA_WORDS_MAX;
    if (cycles) extraWords -= 2;
    this.start(TRC_TRACE_WRAP_BUFFER, cycles, extraWords, tscLow, tscHigh);
    this.advance(bytes);
  }

  /** Xen's insert_lost_records(). The count is cut to 32 bits, as there. */
  private insertLost(tscLow: number, tscHigh: number, currentDom: number, currentVcpu: number): void {
    const at = this.start(TRC_LOST_RECORDS, true, 4, tscLow, tscHigh);
    this.words[at] = this.lostRecords;
    this.words[at + 1] = (currentDom & 0xffff) | (currentVcpu << 16);
    this.words[at + 2] = this.lostFirstTscLow;
    this.words[at + 3] = this.lostFirstTscHigh;
    this.lostRecords = 0;
    this.advance(LOST_RECORD_BYTES);
  }

  /** Writes header and TSC at `prod`; the index of the first extra word. */
  private start(event: number, cycles: boolean, extraWords: number, tscLow: number, tscHigh: number): number {
    const at = this.offset >>> 2;
    const header = (event & EVENT_MASK) | (extraWords << EXTRA_WORDS_SHIFT);
    if (!cycles) {
      this.words[at] = header;
      return at + 1;
    }
    this.words[at] = header | CYCLES_FLAG;
    this.words[at + 1] = tscLow;
    this.words[at + 2] = tscHigh;
    return at + 3;
  }

  private advance(bytes: number): void {
    this.unconsumedRecords += 1;
    this.prod += bytes;
    if (this.prod >= 2 * this.dataBytes) this.prod -= 2 * this.dataBytes;
  }
}
