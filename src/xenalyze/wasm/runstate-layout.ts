/**
 * Where things lie in the memory of runstate-counter.ts, which threads share. Fields are given as bytes behind the
 * beginning of what they belong to.
 * @module
 */
import { INDEXES_MAX, LOG_WORDS } from './walk-layout.ts';

/** What the search for percentiles has come to: the next number, how many are done, and how many there are. */
export const PROGRESS = 61_440;
export const NEXT = 0;
export const DONE = 4;
export const NUMBERS_USED = 8;
/** Where each of two threads searches. */
export const WORKSPACES = 12;
/** Whether there was no memory left for samples. */
export const IS_SHORT = 20;

/** What lines begin with: by {@link RUNSTATES}, {@link CAUSES}, and what a domain's vCPUs do together. */
export const LABELS = 61_504;
export const LABEL_BYTES = 32;
export const LABEL_LENGTH = 31;
/** The lines of a vCPU or a domain. */
export const LINES = 63_488;

/** vCPUs and domains, by their indexes. */
export const INDEXES = 65_536;
export const INDEX_BYTES = 64;
/** Since when it is in its runstate, and the number under which that is counted. */
export const START = 0;
export const CURRENT_NUMBER = 8;
/** Of a vCPU: its runstate, and its domain, or 0. */
export const RUNSTATE = 12;
export const DOMAIN = 16;
/** Of a domain: by runstate, how many of its vCPUs are in it. */
export const COUNTS = 20;

/** What durations are counted under. Each vCPU has its runstates, then causes of being runnable. */
export const NUMBERS = INDEXES + INDEXES_MAX * INDEX_BYTES;
export const RUNSTATES = 7;
export const CAUSES = 4;
export const NUMBERS_OF_INDEX = RUNSTATES + CAUSES;
export const NUMBER_BYTES = 32;
/** How long they were together, as an integer of 64 bits, and how many. */
export const CYCLES = 0;
export const COUNT = 8;
/** Up to which count the next one goes to the address BASE + 4 * count. */
export const ROOM = 12;
/** Where its sample is; when percentiles have been found, these: three numbers of 64 bits. */
export const BASE = 16;
/** The number under which its durations are counted as well, or 0. */
export const SUM = 20;
/** How many durations the sample may have by now; if it is full, after how many durations one replaces another. */
export const SIZE = 24;
export const REPLACEMENT = 28;

/** Pieces of the log that are to be counted. */
export const RING = NUMBERS + INDEXES_MAX * NUMBERS_OF_INDEX * NUMBER_BYTES;
export const RING_BLOCKS = 64;
export const RING_BLOCK_BYTES = LOG_WORDS * 4;

/** Samples of durations, four bytes each. */
export const SAMPLES = RING + RING_BLOCKS * RING_BLOCK_BYTES;
