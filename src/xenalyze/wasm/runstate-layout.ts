/**
 * Where things lie in the memory of runstate-counter.ts. Fields are given as bytes behind the beginning of what they
 * belong to.
 * @module
 */
import { INDEXES_MAX, LOG_WORDS } from './walk-layout.ts';

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
export const BASE = 16;
/** The number under which its durations are counted as well, or 0. */
export const SUM = 20;

/** Pieces of the log that are to be counted. */
export const RING = NUMBERS + INDEXES_MAX * NUMBERS_OF_INDEX * NUMBER_BYTES;
export const RING_BLOCKS = 64;
export const RING_BLOCK_BYTES = LOG_WORDS * 4;

/** Samples of durations, four bytes each. */
export const SAMPLES = RING + RING_BLOCKS * RING_BLOCK_BYTES;
