/**
 * Where things lie in the memory that walk.ts shares with its caller; structs.mjs tells what fields they have.
 * @module
 */

/** The run as a whole; a window header that was not read ahead. */
export const RUN = 32_768;
export const HEADER_SCRATCH = RUN + 256;

/** The pCPUs, by number. */
export const PCPUS = 40_960;
// Odd multiples of a line of the caches, so that beginnings of structs share as few of their places as may be.
export const PCPU_BYTES = 320;
export const PCPUS_MAX = 16_384;

/** The order of pCPUs: its leaves and its nodes. */
export const ORDER = PCPUS + PCPUS_MAX * PCPU_BYTES;
export const ORDER_BYTES = 16;
export const ORDER_TREE = ORDER + PCPUS_MAX * ORDER_BYTES;

/** As many vCPUs and domains there may be. */
export const INDEXES_MAX = 262_144;

/** vCPUs by the word that records have of them: a table of addresses; those that collide lie behind each other. */
export const VCPU_TABLE = ORDER_TREE + PCPUS_MAX * ORDER_BYTES;
export const VCPU_TABLE_SLOTS = INDEXES_MAX * 2;
export const VCPUS = VCPU_TABLE + VCPU_TABLE_SLOTS * 4;
export const VCPU_BYTES = 32;

/**
 * Transitions that were made: each is a word of vCPU and runstate, in so many bits, and one of the time since the one
 * before it.
 */
export const LOG = VCPUS + INDEXES_MAX * VCPU_BYTES;
export const LOG_WORDS = 32_768;
export const RUNSTATE_BITS = 3;
// What stands in place of a transition's first word. Behind the second there are two more words:
/** the time, modulo 2^64, that the next transition's is told from; */
export const TIME = -1;
/** vCPU and domain; */
export const ADD_VCPU = -2;
/** vCPU; */
export const SUPPOSE_RUNNING = -3;
/** vCPU; */
export const FORGET_START = -4;
/** vCPU, and the pCPU that it comes to. The second word is as that of a transition. */
export const STAY = -5;
/**
 * how many cycles an exit of a guest took. The second word is the vCPU and, in so many bits, the exit's reason; or the
 * handler that it is counted for, from EXIT_HANDLERS on.
 */
export const EXIT = -6;
export const EXIT_BITS = 12;
export const EXIT_HANDLERS = 2048;

/** By vCPU, its label, how long that is, and the character of a pCPU on which it runs. */
export const LABELS = LOG + LOG_WORDS * 4;
export const LABEL_BYTES = 16;
export const LABEL_LENGTH = 14;
export const PICTURE_CODE = 15;

/** By pCPU, what it does; the text in front of the lines of a record. */
export const PICTURE = LABELS + INDEXES_MAX * LABEL_BYTES;
export const HEADER = PICTURE + PCPUS_MAX + 64;

/** By vCPU, what it has as one of a PV or an HVM guest: HVM_VCPU and behind it what was recorded, or counts. */
export const GUESTS = HEADER + PCPUS_MAX + 192;
export const GUEST_BYTES = 448;
export const RECORDED = 64;
export const RECORDED_WORDS = 11;
// What HVM_VCPU's post may be: nobody or the last handler accounts for an exit, nothing is counted, or it is ../'s.
export const POST_NONE = 0;
export const POST_BY_HANDLER = 1;
export const POST_NOTHING = 2;
export const POST_OWN = 3;
/** As many numbers of extra words there are. */
export const WORD_COUNTS = 8;
/** Bits 0 to 8 of a PV guest's event and the number of extra words: a PV_RULE each. */
export const PV_RULES = GUESTS + INDEXES_MAX * GUEST_BYTES;
export const PV_RULE_BYTES = 8;
/** Numbers of handlers (their events, less the base) and of extra words: what their records mean for a summary. */
export const HANDLER_RULES = PV_RULES + 512 * WORD_COUNTS * PV_RULE_BYTES;
export const HANDLERS_MAX = 1024;
// More than is known here.
export const HANDLER_OTHER = 0;
export const HANDLER_NOTHING = 1;
/** The exit that it is in is counted for it; or is not counted for a handler. */
export const HANDLER_NOTE = 2;
export const HANDLER_MSR = 3;
export const HANDLER_RDTSC = 4;
/** Added to these: the line is not the words as numbers. */
export const HANDLER_HAS_LINE = 0x80;
/** Numbers of handlers that exits are counted for and exit reasons: not known, counted, or not. */
export const ARC_RULES = HANDLER_RULES + HANDLERS_MAX * WORD_COUNTS;
export const ARC_HANDLERS = 64;
export const ARC_REASONS = EXIT_HANDLERS;
export const ARC_COUNTED = 1;
export const ARC_QUIET = 2;

/** Text that is to be written, which is flushed before a line if there is more than OUTPUT_FULL. */
export const OUTPUT = ARC_RULES + ARC_HANDLERS * ARC_REASONS;
export const OUTPUT_FULL = 229_376;
export const OUTPUT_BYTES = 262_144;
/** How many bytes behind what was put may change. */
export const OVERSHOOT = 16;

/** Lines by class, bits 0 to 15 of the event, and the number of extra words: 0 if not known yet. */
export const FOUND_LINES = OUTPUT + OUTPUT_BYTES + OVERSHOOT;
/** There is no line for that, or an empty one. */
export const NO_LINE = 1;
export const EMPTY_LINE = 2;
/** Compiled lines. */
export const TEMPLATES = FOUND_LINES + 8 * 65_536 * WORD_COUNTS * 4;
export const TEMPLATES_BYTES = 1_048_576;
// Marks in front of lines: one that is not about an exit of an HVM guest, or changes nothing about it; one about an
// exit; one of a record that cannot be made sense of, as the exit that it belongs to was not seen.
export const PLAIN = 0x20;
export const IN_EXIT = 0x5d;
export const NO_EXIT = 0x21;
/** How far the pieces of a line are apart. */
export const PIECE_BYTES = 24;
/** The first event of a PV guest, and that of handler 0. */
export const PV_EVENT = 0x200000;
export const HANDLER_BASE = 0x82000;
/** In an event: of a guest in 64-bit mode. */
export const EVENT_64 = 0x100;
/** In the event of an access to a port or a device: the guest writes. */
export const EVENT_WRITE = 0x200;
// These are no events, but stand for what is shown: the entry of a guest, outside of an exit; after one; after a long
// one. And what is added to the event of a handler for the line with its words as numbers.
export const ENTRY = 0x84000;
export const ENTRY_AFTER = 0x84001;
export const ENTRY_AFTER_LONG = 0x84002;
export const AS_NUMBERS = 0x1000;
/** An exit longer than so many cycles is marked. */
export const LONG_EXIT = 10_000;
// Kinds of pieces.
export const END = 0;
export const UNSIGNED = 1;
export const SIGNED = 2;
export const MICROSECONDS = 3;
export const WIDE = 4;
export const SIGNED_WIDE = 5;
export const HEX = 6;
export const WIDE_HEX = 7;
export const UNSIGNED_SHORT = 8;
/** The next pieces are put only if the word is the piece's value. */
export const SKIP_UNLESS = 9;
export const SKIP = 10;
export const PERCENT = 11;
export const COMPUTED = 12;
/** The name of what the word is; where there is one, the next pieces are skipped. */
export const NAMES = 13;
export const CYCLES = 14;
export const ARGUMENTS = 15;

/** The last windows that are known; by pCPU, the ordinal of its last one, plus 1. */
export const REMEMBERED = 1_048_576;
export const WINDOW_BYTES = 32;
export const CHAIN = TEMPLATES + TEMPLATES_BYTES;
export const LAST_OF = CHAIN + REMEMBERED * WINDOW_BYTES;
/** CPU_CHANGE, two extra words, no TSC. */
export const WINDOW_HEADER = 0x2001f003;
export const WINDOW_HEADER_BYTES = 12;
/** From here on, a number may have been rounded. */
export const WIDE_CYCLES = 9.007199254740992e15;
/** xenalyze's arrays of pCPUs end here. */
export const XENALYZE_PCPUS = 256;

/** What was read ahead of the file: the byte at `offset` lies at `offset % READ_AHEAD_BYTES`. */
export const READ_AHEAD = LAST_OF + PCPUS_MAX * 4;
export const READ_AHEAD_BYTES = 4_194_304;

/** xenalyze copies this much at the place of a record, whatever its length. */
export const RECORD_WORDS = 10;
export const RECORD_BYTES = RECORD_WORDS * 4;
/** What was read of the file. */
export const BLOCKS = READ_AHEAD + READ_AHEAD_BYTES;
export const MEMORY_BYTES = 268_435_456;

/** How far a pCPU's turn is: added to its address. */
export const BEGINS = 0;
/** Its parked record is not usual after all; or was, but what follows cannot be passed. */
export const TRIED = 1;
export const TRIED_AND_PASSED = 2;
/** The turn is over. */
export const PAUSED = 3;
export const HOW_FAR = 3;
