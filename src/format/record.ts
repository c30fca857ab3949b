/**
 * The atom of the whole system: one record of xentrace's binary format.
 *
 * A record is 1 to 10 little-endian 32-bit words:
 *
 *     word 0       header: event id [27..0], number of extra words [30..28], cycle count present [31]
 *     word 1, 2    only with bit 31: the TSC, low half first
 *     the rest     0 to 7 extra words, laid out by (event, number of extra words)
 *
 * Source: Xen's public trace.h (struct t_rec) and common/trace.c (__trace_var).
 * @module
 */

/** The bits of the header that are the event id. */
export const EVENT_MASK = 0x0fffffff;
/** Where the number of extra words begins in the header. */
export const EXTRA_WORDS_SHIFT = 28;
/** The most extra words that a record can have (Xen: TRACE_EXTRA_MAX). */
export const EXTRA_WORDS_MAX = 7;
/** Bit 31 of the header; the constant is negative as every int32 with that bit set is in JavaScript. */
export const CYCLES_FLAG = 0x80000000 | 0;
/** Header, two TSC words, seven extra words. */
export const RECORD_WORDS_MAX = 10;

/** Xen dropped records on this pCPU for want of space: count, vid << 16 | did, first TSC low, high. */
export const TRC_LOST_RECORDS = 0x0001f001;
/** Fills a ring up to its end. Carries no time and stale words. */
export const TRC_TRACE_WRAP_BUFFER = 0x0001f002;
/** Written by xentrace, not by Xen: what follows, `bytes` long, comes from the ring of pCPU `pcpu`. */
export const TRC_TRACE_CPU_CHANGE = 0x0001f003;
/** The header word of a window: CPU_CHANGE with two extra words and no cycle count. */
export const WINDOW_HEADER = TRC_TRACE_CPU_CHANGE | (2 << EXTRA_WORDS_SHIFT);
/** Header word, pCPU, bytes of records that follow. */
export const WINDOW_HEADER_BYTES = 12;

/** The event id of a header word. */
export function eventOf(header: number): number {
  return header & EVENT_MASK;
}

/** The number of extra words (0 to 7) that a header word announces. */
export function extraWordsOf(header: number): number {
  return (header >>> EXTRA_WORDS_SHIFT) & 7;
}

/** Whether two TSC words follow the header word. */
export function hasCycles(header: number): boolean {
  return header < 0 || header >= 0x80000000;
}

/** The size in words of the record that `header` starts. */
export function recordWords(header: number): number {
  return 1 + extraWordsOf(header) + (hasCycles(header) ? 2 : 0);
}

/** Packs a header word, as an unsigned number. */
export function headerWord(event: number, extraWords: number, cycles: boolean): number {
  return ((event & EVENT_MASK) | (extraWords << EXTRA_WORDS_SHIFT) | (cycles ? CYCLES_FLAG : 0)) >>> 0;
}
