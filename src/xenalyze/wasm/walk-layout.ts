/**
 * Where things lie in the memory that walk.ts shares with its caller. Fields are given as bytes behind the beginning of
 * their pCPU, vCPU, or of the run; flags and numbers have four bytes, TSCs eight.
 * @module
 */

/** The run as a whole. */
export const RUN = 32_768;
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
export const FIRST_TSC = 48;
/** As 64 bits: cycles in 1024 nanoseconds. */
export const CPU_QHZ = 56;
/** The time of a TSC that is too large, or too far away, to be taken quickly. */
export const SECONDS = 64;
export const NANOSECONDS = 68;
/** The pCPU whose record's header is still to be made, or 0; how long it is, if it is made. */
export const HEADER_OF = 72;
export const HEADER_LENGTH = 76;
/** How many pCPUs the picture shows. */
export const DRAWN = 80;
export const MAX_ACTIVE_PCPU = 84;
export const ENDED = 88;
/** Whether the picture shows power states. */
export const SHOWS_POWER = 92;
/** How much there is in {@link OUTPUT}. */
export const OUTPUT_AT = 96;
/** Whether pCPUs may hop to their next windows at once. */
export const HOPS = 100;
/** Where the last sweep that is known of begins. */
export const LAST_EPOCH = 104;
export const FILE_BYTES = 112;
/** From where to where the file was read ahead. */
export const READ_FROM = 120;
export const READ_TO = 128;
/** No pCPU whose block is there has its place in front of this. */
export const OLDEST = 136;
/** Up to which TSC the pCPU whose turn it is goes on before another pCPU comes. */
export const TURN_END = 144;
/** A window header that was not read ahead. */
export const HEADER_SCRATCH = RUN + 152;

/** The pCPUs, by number. What each turn needs lies in the first 64 bytes, a line of the processor's caches. */
export const PCPUS = 40_960;
export const PCPU_BYTES = 192;
export const PCPUS_MAX = 16_384;
export const ORDER_TSC = 0;
/** The number of its placement in the order. */
export const ORDER_PLACED = 8;
export const PCPU_LAST_TSC = 16;
export const TIME_TSC = 24;
/** What is to be added to a TSC of the file, as an integer. */
export const TSC_OFFSET = 32;
/** The vCPU, or 0. */
export const CURRENT = 40;
export const PARKED = 44;
/** Which leaf of the order it is, from 1 on, or 0. */
export const ORDER_PLACE = 48;
/** A place among all words of the memory; so is {@link PARKED_FROM}. */
export const PARKED_AT = 52;
/** Where what was read of the file ends, as an address. */
export const BLOCK_END = 56;
export const SEEN_VALID_SCHEDULE = 60;
export const TSC = 64;
export const EVENT = 72;
export const EXTRA_WORDS = 76;
export const WORDS_AT = 80;
export const LOST_ACTIVE = 84;
export const POWER_STATE = 88;
/** Whether its TSC is too wild for a number. */
export const HAS_EXACT_TSC = 92;
export const FILE_OFFSET = 96;
export const NEXT_CPU_CHANGE_OFFSET = 104;
/** What its block is of the file, and where that begins among all words. */
export const BLOCK_OFFSET = 112;
export const BLOCK_AT = 120;
export const LAST_CPU_CHANGE_PCPU = 124;
/** Bytes of usual records. */
export const PASSED_BYTES = 128;
export const WINDOW_ORDINAL = 136;
export const ACTIVE = 140;
export const NUMBER = 144;
export const PARKED_FROM = 148;
/** Where the last record that was read is in the file. */
export const RECORD_OFFSET = 160;

/** The order of pCPUs: its leaves and its nodes, each with a key that has the order of TSCs, and a pCPU. */
export const ORDER = PCPUS + PCPUS_MAX * PCPU_BYTES;
export const ORDER_BYTES = 16;
export const ORDER_TREE = ORDER + PCPUS_MAX * ORDER_BYTES;
export const ORDER_KEY = 0;
export const ORDER_PCPU = 8;

/** As many vCPUs and domains there may be. */
export const INDEXES_MAX = 262_144;

/** vCPUs by the word that records have of them: a table of addresses; those that collide lie behind each other. */
export const VCPU_TABLE = ORDER_TREE + PCPUS_MAX * ORDER_BYTES;
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

/** By vCPU, its label, how long that is, and the character of a pCPU on which it runs. */
export const LABELS = LOG + LOG_WORDS * 4;
export const LABEL_BYTES = 16;
export const LABEL_LENGTH = 14;
export const PICTURE_CODE = 15;

/** By pCPU, what it does; the text in front of the lines of a record. */
export const PICTURE = LABELS + INDEXES_MAX * LABEL_BYTES;
export const HEADER = PICTURE + PCPUS_MAX + 64;

/** Text that is to be written, which is flushed before a line if there is more than OUTPUT_FULL. */
export const OUTPUT = HEADER + PCPUS_MAX + 192;
export const OUTPUT_FULL = 229_376;
export const OUTPUT_BYTES = 262_144;
/** How many bytes behind what was put may change. */
export const OVERSHOOT = 16;

/** Lines of scheduling records by bits 0 to 15 of the event and the number of extra words: 0 if not known yet. */
export const SCHED_LINES = OUTPUT + OUTPUT_BYTES + OVERSHOOT;
/** There is no line for that, or an empty one. */
export const NO_LINE = 1;
export const EMPTY_LINE = 2;
/** Compiled lines. */
export const TEMPLATES = SCHED_LINES + 65_536 * 8 * 4;
export const TEMPLATES_BYTES = 1_048_576;
/** A line is pieces: text, and what follows it. */
export const PIECE_BYTES = 20;
export const TEXT = 0;
export const TEXT_LENGTH = 4;
export const KIND = 6;
/** The place of its word behind the first one, in bytes. */
export const WORD_AT = 7;
export const MASK = 8;
export const VALUE = 12;
export const SHIFT = 16;
/** By how many bits to the left before; or the place of the word with the shift. */
export const SHIFT_LEFT = 17;
/** How many bytes of pieces. */
export const SKIPPED = 18;
// Kinds.
export const END = 0;
export const UNSIGNED = 1;
export const SIGNED = 2;
export const MICROSECONDS = 3;
export const WIDE = 4;
export const SIGNED_WIDE = 5;
export const HEX = 6;
export const WIDE_HEX = 7;
export const UNSIGNED_SHORT = 8;
/** The next pieces are put only if the word is VALUE. */
export const SKIP_UNLESS = 9;
export const SKIP = 10;
export const PERCENT = 11;
export const COMPUTED = 12;

/** The last windows that are known; by pCPU, the ordinal of its last one, plus 1. */
export const REMEMBERED = 1_048_576;
export const WINDOW_BYTES = 32;
export const CHAIN = TEMPLATES + TEMPLATES_BYTES;
export const LAST_OF = CHAIN + REMEMBERED * WINDOW_BYTES;
/** CPU_CHANGE, two extra words, no TSC. */
export const WINDOW_HEADER = 0x2001f003;
export const WINDOW_HEADER_BYTES = 12;
/** xenalyze's arrays of pCPUs end here. */
export const XENALYZE_PCPUS = 256;

/** What was read ahead of the file: the byte at `offset` lies at `offset % READ_AHEAD_BYTES`. */
export const READ_AHEAD = LAST_OF + PCPUS_MAX * 4;
export const READ_AHEAD_BYTES = 4_194_304;

/** xenalyze copies this much at the place of a record, whatever its length. */
export const RECORD_WORDS = 10;
/** What was read of the file. */
export const BLOCKS = READ_AHEAD + READ_AHEAD_BYTES;
export const MEMORY_BYTES = 134_217_728;

/** How far a pCPU's turn is: added to its address. */
export const BEGINS = 0;
/** Its parked record is not usual after all; or was, but what follows cannot be passed. */
export const TRIED = 1;
export const TRIED_AND_PASSED = 2;
/** The turn is over. */
export const PAUSED = 3;
export const HOW_FAR = 3;
