/**
 * Where things lie in the memory of runstate-counter.ts, which threads share.
 * @module
 */
import { INDEXES_MAX, LOG_WORDS } from './walk-layout.ts';

/** What the search for percentiles has come to: the next tally, how many are done, and how many there are. */
export const PROGRESS = 61_440;
export const NEXT = 0;
export const DONE = 4;
export const TALLIES_USED = 8;
/** Where each of two threads searches. */
export const WORKSPACES = 12;
/** Whether there was no memory left for samples. */
export const IS_SHORT = 20;

/** What lines begin with: by {@link RUNSTATES}, {@link CAUSES}, what a domain's vCPUs do together; those of stays. */
export const LABELS = 61_504;
export const LABEL_BYTES = 32;
export const LABEL_LENGTH = 31;
/** vCPUs and domains, by their indexes. */
export const SUBJECTS = 65_536;
export const SUBJECT_BYTES = 64;

/** What durations are counted under: each vCPU has its runstates, then causes of being runnable. */
export const TALLIES = SUBJECTS + INDEXES_MAX * SUBJECT_BYTES;
export const TALLY_BYTES = 32;
export const RUNSTATES = 7;
export const CAUSES = 4;
export const TALLIES_OF_SUBJECT = RUNSTATES + CAUSES;

/** By vCPU, where the addresses of its exits' tallies are. */
export const EXIT_TABLES = TALLIES + INDEXES_MAX * TALLIES_OF_SUBJECT * TALLY_BYTES;

/** Pieces of the log that are to be counted. */
export const RING = EXIT_TABLES + INDEXES_MAX * 4;
export const RING_BLOCKS = 64;
export const RING_BLOCK_BYTES = LOG_WORDS * 4;

/** Lines of a vCPU or a domain: no more begin behind so many bytes. */
export const LINES = RING + RING_BLOCKS * RING_BLOCK_BYTES;
export const LINES_FULL = 16_384;
export const LINES_BYTES = 65_536;

/** Samples of durations, four bytes each. */
export const SAMPLES = LINES + LINES_BYTES;
