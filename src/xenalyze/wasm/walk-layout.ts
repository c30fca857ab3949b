/**
 * Where things lie in the memory that walk.ts shares with its caller. Fields are given as bytes behind the beginning of
 * their pCPU, vCPU, or of the run; flags and numbers have four bytes, TSCs eight.
 * @module
 */

/** The run as a whole. */
export const RUN = 8_192;
export const LAST_TSC = 0;
/** The first TSC as an integer, and how much larger a TSC may be, so that a number can hold it. */
export const FIRST_TSC_INTEGER = 8;
export const TSC_RANGE = 16;
/** The TSC that stands for none. */
export const NEVER = 24;
export const LOST_CPUS = 32;
/** Whether the caller wants to show each record, to count the time that pCPUs run, to know of transitions. */
export const SHOWS = 36;
export const COUNTS_PCPUS = 40;
export const LOGS = 44;

/** The pCPUs, by number. */
export const PCPUS = 16_384;
export const PCPU_BYTES = 128;
export const PCPUS_MAX = 16_384;
export const ORDER_TSC = 0;
export const TURN_END = 8;
export const PCPU_LAST_TSC = 16;
export const TIME_TSC = 24;
/** What is to be added to a TSC of the file, as an integer. */
export const TSC_OFFSET = 32;
/** The vCPU, or 0. */
export const CURRENT = 40;
export const PARKED = 44;
/** Places among all words of the memory. */
export const PARKED_FROM = 48;
export const PARKED_AT = 52;
/** Where its block ends, as an address. */
export const BLOCK_END = 56;
export const SEEN_VALID_SCHEDULE = 60;
export const TSC = 64;
export const EVENT = 72;
export const EXTRA_WORDS = 76;
export const WORDS_AT = 80;

/** A heap of pCPUs. By place: a key that has the order of TSCs, the number of the placement, the pCPU. */
export const HEAP_KEY = PCPUS + PCPUS_MAX * PCPU_BYTES;
export const HEAP_PLACED = HEAP_KEY + PCPUS_MAX * 8;
export const HEAP_PCPU = HEAP_PLACED + PCPUS_MAX * 8;

/** As many vCPUs and domains there may be. */
export const INDEXES_MAX = 262_144;

/** vCPUs by the word that records have of them: a table of addresses; those that collide lie behind each other. */
export const VCPU_TABLE = HEAP_PCPU + PCPUS_MAX * 4;
export const VCPU_TABLE_SLOTS = INDEXES_MAX * 2;
export const VCPUS = VCPU_TABLE + VCPU_TABLE_SLOTS * 4;
export const VCPU_BYTES = 32;
export const RUNSTATE_TSC = 0;
export const WORD = 8;
/** Its number among vCPUs and domains. */
export const INDEX = 12;
export const RUNSTATE = 16;
export const WRONG_OLD_RUNSTATE = 20;
/** The pCPU, or 0. */
export const PCPU = 24;
export const FLAGS = 28;
export const ACTIVATED = 1;
export const HVM = 2;

/**
 * Transitions that were made: each is a word of vCPU and runstate, in so many bits, and one of the time since the one
 * before it.
 */
export const LOG = VCPUS + INDEXES_MAX * VCPU_BYTES;
export const LOG_WORDS = 32_768;
export const RUNSTATE_BITS = 3;
// What stands in place of a transition's first word. Behind the second there are two more words:
/** the time, as a number, that the next transition's is told from; */
export const TIME = -1;
/** vCPU and domain; */
export const ADD_VCPU = -2;
/** vCPU; */
export const SUPPOSE_RUNNING = -3;
/** vCPU. */
export const FORGET_START = -4;

/** xenalyze copies this much at the place of a record, whatever its length. */
export const RECORD_WORDS = 10;
/** What was read of the file. */
export const BLOCKS = LOG + LOG_WORDS * 4;
export const MEMORY_BYTES = 67_108_864;

/** How far a pCPU's turn is: added to its address. */
export const BEGINS = 0;
/** Its parked record is not usual after all; or was, but what follows cannot be passed. */
export const TRIED = 1;
export const TRIED_AND_PASSED = 2;
/** The turn is over. */
export const PAUSED = 3;
export const HOW_FAR = 3;
