/**
 * What the program in this folder and its caller share: fields in the order in which they lie in the memory, each at
 * the next multiple of its size. Both languages have their view of them from here: compile.mjs makes a class of each in
 * AssemblyScript, ../struct.ts accessors in TypeScript. The name of a struct as a type means one or none of it.
 */

/** The run as a whole. */
export const RUN = /** @type {const} */ ({
  firstTsc: 'f64',
  lastTsc: 'f64',
  /** The TSC that stands for none. */
  never: 'f64',
  /** Up to which TSC the pCPU whose turn it is goes on before another pCPU comes. */
  turnEnd: 'f64',
  /** The first TSC as an integer, and how much larger a TSC may be, so that a number can hold it. */
  firstTscInteger: 'i64',
  tscRange: 'u64',
  /** The TSC that is being processed, modulo 2^64, if a number cannot hold it. */
  wideTsc: 'i64',
  /** Cycles in 1024 nanoseconds. */
  cpuQhz: 'u64',
  fileBytes: 'f64',
  /** From where to where the file was read ahead. */
  readFrom: 'f64',
  readTo: 'f64',
  /** No pCPU whose block is there has its place in front of this. */
  oldestAhead: 'f64',
  /** Where the last sweep that is known of begins. */
  lastEpoch: 'f64',
  /** The time of a TSC that is too large, or too far away, to be taken quickly. */
  seconds: 'u32',
  nanoseconds: 'u32',
  lostCpus: 'i32',
  maxActivePcpu: 'i32',
  defaultGuestPagingLevels: 'i32',
  /** The pCPU whose record's header is still to be made; how long it is, if it is made. */
  headerOf: 'Pcpu',
  headerLength: 'i32',
  /** How many pCPUs the picture shows. */
  drawn: 'i32',
  /** How much there is of the output. */
  outputAt: 'i32',
  /** Whether the caller wants to show each record, to count the time that pCPUs run, to know of transitions. */
  shows: 'bool',
  countsPcpus: 'bool',
  logs: 'bool',
  /** Whether the picture shows power states. */
  showsPower: 'bool',
  /** Whether pCPUs may hop to their next windows at once. */
  hops: 'bool',
  /** Whether the real xenalyze would have ended by now. */
  ended: 'bool',
  /** Whether options allow guests' records to be taken quickly, and whether they are counted. */
  takesGuests: 'bool',
  countsGuests: 'bool',
  /** Whether exits from AMD processors have events of their own. */
  knowsSvmExits: 'bool',
  /** No exit of a guest has a higher reason; by which event its line is found. */
  reasonMax: 'u32',
  exitEvent: 'i32',
  /** How long the exit of the guest was that is being entered. */
  exitCycles: 'f64',
});

/** A pCPU. What each turn needs lies in the first 64 bytes, a line of the processor's caches. */
export const PCPU = /** @type {const} */ ({
  /** The TSC that decides when its current record comes. */
  orderTsc: 'f64',
  /** The number of its placement in the order, and which leaf of that it is, from 1 on, or 0. */
  orderPlaced: 'f64',
  lastTsc: 'f64',
  /** Since when it has run what it runs. */
  timeTsc: 'f64',
  /** What is to be added to a TSC of the file. */
  tscOffset: 'i64',
  orderPlace: 'i32',
  currentVcpu: 'Vcpu',
  /** While it is parked: where its current record is among all words of the memory. */
  parkedAt: 'i32',
  /** The address at which what it has of the file ends. */
  blockEnd: 'i32',
  /** Whether its current record, of which orderTsc is the TSC, has not been read yet, and may be usual. */
  parked: 'bool',
  seenValidSchedule: 'bool',
  lostActive: 'bool',
  /** Whether its TSC is too wild for a number. */
  hasExactTsc: 'bool',
  active: 'bool',
  /** Whether the current record has a TSC of its own. */
  hasTsc: 'bool',
  /** That of the current record, or of the record before it. */
  tsc: 'f64',
  event: 'i32',
  extraWords: 'i32',
  /** Where the extra words are among all words of the memory. */
  wordsAt: 'i32',
  /** How many bytes it has. */
  size: 'i32',
  /** Index of the idle state that it is in. */
  powerState: 'i32',
  /** Where it is in the file. */
  fileOffset: 'f64',
  /** Where its window ends. */
  nextCpuChangeOffset: 'f64',
  /** What its block is of the file, and where that begins among all words. */
  blockOffset: 'f64',
  /** Bytes of usual scheduling records. */
  passedBytes: 'f64',
  /** Likewise those of guests' records, by kind. */
  pvBytes: 'f64',
  vmentryBytes: 'f64',
  vmexitBytes: 'f64',
  handlerBytes: 'f64',
  /** Where the last record that was read is in the file; Infinity if there is none. */
  recordOffset: 'f64',
  blockAt: 'i32',
  /** While it is parked: the first record that is not yet counted, likewise. */
  parkedFrom: 'i32',
  lastCpuChangePcpu: 'i32',
  windowOrdinal: 'i32',
  number: 'i32',
});

/** A vCPU. */
export const VCPU = /** @type {const} */ ({
  runstateTsc: 'f64',
  /** Domain (high) and number (low) as records have them in one word, signed. */
  word: 'i32',
  /** Its number among all vCPUs and domains of a run, in the order in which they appeared. */
  index: 'i32',
  /** Where it runs or ran. */
  lastPcpu: 'Pcpu',
  guestPagingLevels: 'i32',
  runstate: 'u8',
  /** The old runstate that a transition told, where that was not what was known. */
  wrongOldRunstate: 'u8',
  activated: 'bool',
  /** Whether GUESTS has more of it, as of a guest's of this kind. */
  isHvm: 'bool',
  isPv: 'bool',
});

/** What a vCPU of an HVM guest has besides: the exit that it is in. Behind it lies what handlers recorded of that. */
export const HVM_VCPU = /** @type {const} */ ({
  exitTsc: 'f64',
  entryTsc: 'f64',
  /** How long the exit was that was closed last. */
  arcCycles: 'f64',
  /** The TSC that it read last. */
  lastRdtsc: 'u64',
  exitReason: 'u32',
  /** Where the guest was. */
  ripLow: 'u32',
  ripHigh: 'u32',
  /** Who accounts for the exit: POST_NONE and those that follow. */
  post: 'u8',
  /** Whether it is known why the guest was left. */
  vmexitValid: 'bool',
  knowsReasons: 'bool',
  /** Whether an exit leaves more to be forgotten than is here. */
  leavesMore: 'bool',
  /** Whether there is more to be done when the guest is entered. */
  awaitsEntry: 'bool',
  /** Whether exits were counted. */
  summaryInfo: 'bool',
});

/** What is counted of a PV guest's record: its kind, and what a word of it tells. */
export const PV_RULE = /** @type {const} */ ({
  /** Whose place among the counts is this, less 1; 0: that is not known. */
  kind: 'u8',
  word: 'u8',
  /** Where the counts of what the word tells begin, and how many they are. */
  from: 'u8',
  limit: 'u8',
  mask: 'u32',
});

/** A leaf or a node of the order of pCPUs: a key that has the order of TSCs, and whose it is. */
export const ORDER_NODE = /** @type {const} */ ({ key: 'i64', pcpu: 'Pcpu' });

/** A piece of a line: a text, and what follows it. */
export const LINE_PIECE = /** @type {const} */ ({
  text: 'u32',
  textLength: 'u16',
  kind: 'u8',
  /** The place of its word behind the first one, in bytes. */
  wordAt: 'u8',
  mask: 'u32',
  value: 'u32',
  shift: 'u8',
  /** By how many bits to the left before; or the place of the word with the shift. */
  shiftLeft: 'u8',
  /** How many bytes of pieces. */
  skipped: 'u16',
});

export const STRUCTS = {
  Run: RUN,
  Pcpu: PCPU,
  Vcpu: VCPU,
  HvmVcpu: HVM_VCPU,
  PvRule: PV_RULE,
  OrderNode: ORDER_NODE,
  LinePiece: LINE_PIECE,
};
