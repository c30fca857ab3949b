/**
 * What the analyser knows while it goes through a trace: pCPUs, domains, vCPUs, and where it is in time.
 *
 * TSCs are whole numbers relative to {@link Analyser.tscBase}, which is 0 unless the host had been up for so long that
 * its TSCs exceed 2^52. {@link Analyser.never} stands for a TSC of 0, which means "none". Fields for TSCs begin as 0
 * although constructors set them: V8 makes an object for every number that is put in a field that was undefined at
 * first.
 * @module
 */
import { CycleSummary } from './cycle-summary.ts';
import type { Cr3Value } from './hvm/cr3-values.ts';
import type { EipList } from './hvm/eip-list.ts';
import type { HvmVcpu } from './hvm/hvm-vcpu.ts';
import type { Vlapic } from './hvm/vlapic.ts';
import { MemoryCounts } from './memory.ts';
import type { PvVcpu } from './pv.ts';
import type { WalkMemory } from './walk-memory.ts';
import { BLOCKED, INIT, LOST, OFFLINE, QUEUED, RUNNABLE, RUNNING } from './wasm/runstates.ts';
import {
  ACTIVATED,
  ACTIVE,
  BLOCK_AT,
  BLOCK_END,
  BLOCK_OFFSET,
  CURRENT,
  EVENT,
  EXTRA_WORDS,
  FILE_OFFSET,
  FLAGS,
  HAS_EXACT_TSC,
  HVM,
  INDEX,
  LAST_CPU_CHANGE_PCPU,
  LOST_ACTIVE,
  NEXT_CPU_CHANGE_OFFSET,
  NUMBER,
  ORDER_TSC,
  PARKED,
  PARKED_AT,
  PARKED_FROM,
  PASSED_BYTES,
  PCPU,
  PCPU_BYTES,
  PCPU_LAST_TSC,
  POWER_STATE,
  RECORD_OFFSET,
  RUNSTATE,
  RUNSTATE_TSC,
  SEEN_VALID_SCHEDULE,
  TIME_TSC,
  TSC,
  TSC_OFFSET,
  VCPU_BYTES,
  WORD,
  WORDS_AT,
  WRONG_OLD_RUNSTATE,
} from './wasm/walk-layout.ts';

export const IDLE_DOMAIN = 32767;
/** The domain of what runs on a pCPU of which nothing is known yet; its vCPUs have the pCPUs' numbers. */
export const DEFAULT_DOMAIN = 32768;

export { BLOCKED, INIT, LOST, OFFLINE, QUEUED, RUNNABLE, RUNNING };
export const RUNSTATE_NAMES = ['running', 'runnable', 'blocked', 'offline', 'lost', 'queued', 'init'];

/** Idle states go from C0 to this. */
export const CSTATE_MAX = 5;
/** The power state of a pCPU that has not been idle yet. */
export const CSTATE_UNKNOWN = CSTATE_MAX + 1;

/** Why a vCPU became runnable. */
export const RUNNABLE_CAUSE_NAMES = ['invalid', 'wake', 'preempt', 'other'];

/** What the vCPUs of a domain do together. */
export const DOMAIN_RUNSTATE_NAMES = [
  'blocked',
  'partial run',
  'full run',
  'partial contention',
  'concurrency_hazard',
  'full_contention',
  'lost',
];

/** What the exits of HVM guests were for. */
export const HVM_SHORT_NAMES = [
  'emulate',
  'unsync',
  'fixup',
  'mmio',
  'propagate',
  'cr3',
  'vmcall',
  'intr',
  'hlt',
  'other',
];

/** Classes of events, by the bit of an event's main part. */
export const CLASS_NAMES = ['gen', 'sched', 'dom0op', 'hvm', 'mem', 'pv', 'shadow', 'hw'];
export const CLASSES = CLASS_NAMES.length;

/** How many bytes of records there were, by class, and of some classes by kind. */
export class TraceVolume {
  readonly byClass = new Float64Array(CLASSES);
  schedVerbose = 0;
  /** Bytes of vmentry, vmexit, handler and emulated devices' records. */
  readonly hvm = new Float64Array(4);

  clear(): void {
    this.byClass.fill(0);
    this.hvm.fill(0);
    this.schedVerbose = 0;
  }
}

/**
 * A pCPU, and the record of it that is being processed. What the program in wasm/ needs of it lies in a memory that
 * both share; so it is with vCPUs.
 */
export class Pcpu {
  readonly number: number;
  /** Whether any of its records were processed. */
  summary = false;

  readonly address: number;
  readonly #memory: WalkMemory;
  readonly #ints: Int32Array;
  readonly #doubles: Float64Array;

  // The current record.
  hasTsc = false;
  #exactTsc: bigint | undefined;
  /** Bytes. */
  size = 0;
  /** {@link words}[wordsAt + i] is extra word i; behind the last one lies what follows in the file. */
  readonly words: Uint32Array;

  firstTsc = 0;

  /** Where its own block is among the {@link words}, and how long it may be: see FileBlocks. */
  ownBlockAt = 0;
  blockRoom = 0;

  #skewOffset = 0;
  /** Which pCPUs depend on its {@link skewOffset}. */
  skewDownstream = 0;

  lostDomainValid = false;
  lostDomain = 0;
  lostVcpu = 0;
  lostTsc = 0;

  bufferFirstTsc = 0;
  bufferDom0RunstateTsc = 0;
  readonly bufferDom0RunstateCycles = new Float64Array(RUNSTATE_NAMES.length);
  bufferDom0Runstate = 0;
  bufferSize = 0;
  readonly volume = new TraceVolume();
  readonly bufferVolume = new TraceVolume();

  readonly idle = new CycleSummary();
  readonly running = new CycleSummary();
  readonly lost = new CycleSummary();

  constructor(number: number, never: number, memory: WalkMemory) {
    this.number = number;
    this.#memory = memory;
    this.address = memory.addPcpu(this);
    const { ints, doubles } = memory.fields(this.address, PCPU_BYTES);
    this.#ints = ints;
    this.#doubles = doubles;
    ints[NUMBER / 4] = number;
    this.words = memory.words;
    this.seenValidSchedule = true;
    this.powerState = CSTATE_UNKNOWN;
    this.skewOffset = 0;
    this.tsc = never;
    this.firstTsc = never;
    this.lastTsc = never;
    this.orderTsc = never;
    this.lostTsc = never;
    this.bufferFirstTsc = never;
    this.bufferDom0RunstateTsc = never;
    this.timeTsc = never;
  }

  get event(): number {
    return this.#ints[EVENT / 4];
  }

  set event(value: number) {
    this.#ints[EVENT / 4] = value;
  }

  get extraWords(): number {
    return this.#ints[EXTRA_WORDS / 4];
  }

  set extraWords(value: number) {
    this.#ints[EXTRA_WORDS / 4] = value;
  }

  /** See {@link words}. */
  get wordsAt(): number {
    return this.#ints[WORDS_AT / 4];
  }

  set wordsAt(value: number) {
    this.#ints[WORDS_AT / 4] = value;
  }

  /** That of the current record, or of the record before it. */
  get tsc(): number {
    return this.#doubles[TSC / 8];
  }

  set tsc(value: number) {
    this.#doubles[TSC / 8] = value;
  }

  /** {@link tsc} as the file has it, where damage made it so wild that a number cannot hold it. */
  get exactTsc(): bigint | undefined {
    return this.#exactTsc;
  }

  set exactTsc(value: bigint | undefined) {
    this.#exactTsc = value;
    this.#ints[HAS_EXACT_TSC / 4] = Number(value !== undefined);
  }

  get lastTsc(): number {
    return this.#doubles[PCPU_LAST_TSC / 8];
  }

  set lastTsc(value: number) {
    this.#doubles[PCPU_LAST_TSC / 8] = value;
  }

  /** The TSC that decides when its current record comes. */
  get orderTsc(): number {
    return this.#doubles[ORDER_TSC / 8];
  }

  set orderTsc(value: number) {
    this.#doubles[ORDER_TSC / 8] = value;
  }

  /** Whether its current record, of which {@link orderTsc} is the TSC, has not been read yet, and may be usual. */
  get parked(): boolean {
    return this.#ints[PARKED / 4] !== 0;
  }

  set parked(value: boolean) {
    this.#ints[PARKED / 4] = Number(value);
  }

  /** While it is parked: where that record is among the {@link words}. */
  get parkedAt(): number {
    return this.#ints[PARKED_AT / 4];
  }

  set parkedAt(value: number) {
    this.#ints[PARKED_AT / 4] = value;
  }

  /** While it is parked: the first record that is not yet counted, likewise. */
  get parkedFrom(): number {
    return this.#ints[PARKED_FROM / 4];
  }

  set parkedFrom(value: number) {
    this.#ints[PARKED_FROM / 4] = value;
  }

  get timeTsc(): number {
    return this.#doubles[TIME_TSC / 8];
  }

  set timeTsc(value: number) {
    this.#doubles[TIME_TSC / 8] = value;
  }

  get seenValidSchedule(): boolean {
    return this.#ints[SEEN_VALID_SCHEDULE / 4] !== 0;
  }

  set seenValidSchedule(value: boolean) {
    this.#ints[SEEN_VALID_SCHEDULE / 4] = Number(value);
  }

  get lostActive(): boolean {
    return this.#ints[LOST_ACTIVE / 4] !== 0;
  }

  set lostActive(value: boolean) {
    this.#ints[LOST_ACTIVE / 4] = Number(value);
  }

  /** Index of the idle state that it is in, or {@link CSTATE_UNKNOWN}. */
  get powerState(): number {
    return this.#ints[POWER_STATE / 4];
  }

  set powerState(value: number) {
    this.#ints[POWER_STATE / 4] = value;
  }

  /** TSC skew: what is added to its TSCs. */
  get skewOffset(): number {
    return this.#skewOffset;
  }

  set skewOffset(cycles: number) {
    this.#skewOffset = cycles;
    this.#memory.integers[(this.address + TSC_OFFSET) / 8] = BigInt(cycles) - this.#memory.tscBase;
  }

  get active(): boolean {
    return this.#ints[ACTIVE / 4] !== 0;
  }

  set active(value: boolean) {
    this.#ints[ACTIVE / 4] = Number(value);
  }

  /** Where it is in the file. */
  get fileOffset(): number {
    return this.#doubles[FILE_OFFSET / 8];
  }

  set fileOffset(value: number) {
    this.#doubles[FILE_OFFSET / 8] = value;
  }

  /** Where the last record that was read is in the file. */
  get recordOffset(): number {
    return this.#doubles[RECORD_OFFSET / 8];
  }

  set recordOffset(value: number) {
    this.#doubles[RECORD_OFFSET / 8] = value;
  }

  /** Where its window ends. */
  get nextCpuChangeOffset(): number {
    return this.#doubles[NEXT_CPU_CHANGE_OFFSET / 8];
  }

  set nextCpuChangeOffset(value: number) {
    this.#doubles[NEXT_CPU_CHANGE_OFFSET / 8] = value;
  }

  get lastCpuChangePcpu(): number {
    return this.#ints[LAST_CPU_CHANGE_PCPU / 4];
  }

  set lastCpuChangePcpu(value: number) {
    this.#ints[LAST_CPU_CHANGE_PCPU / 4] = value;
  }

  /** Bytes of usual records. */
  get passedBytes(): number {
    return this.#doubles[PASSED_BYTES / 8];
  }

  /** A block of so many {@link words} is what lies from a place in the file on. */
  setBlock(at: number, offset: number, words: number): void {
    this.#ints[BLOCK_AT / 4] = at;
    this.#ints[BLOCK_END / 4] = (at + words) * 4;
    this.#doubles[BLOCK_OFFSET / 8] = offset;
  }

  get blockAt(): number {
    return this.#ints[BLOCK_AT / 4];
  }

  get blockWords(): number {
    return this.#ints[BLOCK_END / 4] / 4 - this.blockAt;
  }

  get blockOffset(): number {
    return this.#doubles[BLOCK_OFFSET / 8];
  }

  get current(): Vcpu | undefined {
    const address = this.#ints[CURRENT / 4];
    return address === 0 ? undefined : this.#memory.vcpuAt(address);
  }

  set current(vcpu: Vcpu | undefined) {
    this.#ints[CURRENT / 4] = vcpu?.address ?? 0;
  }

  /** Extra word `i` of the current record, unsigned. */
  word(i: number): number {
    return this.words[this.wordsAt + i];
  }

  /** Extra word `i`, signed. */
  signed(i: number): number {
    return this.words[this.wordsAt + i] | 0;
  }

  /** Extra words `i` (low) and `i + 1` (high) as a number; exact below 2^53. */
  wide(i: number): number {
    return this.words[this.wordsAt + i + 1] * 2 ** 32 + this.words[this.wordsAt + i];
  }

  /** Extra words `i` and `i + 1`, exact. */
  bigint(i: number): bigint {
    return (BigInt(this.words[this.wordsAt + i + 1]) << 32n) | BigInt(this.words[this.wordsAt + i]);
  }

  /** Bits 0 to 11 of the event. */
  get minor(): number {
    return this.event & 0xfff;
  }
}

export class Vcpu {
  readonly number: number;
  readonly domain: Domain;
  /** `d1v0`; the default domain's and the idle domain's by their numbers. */
  readonly label: string;
  /** Domain (high) and number (low) as records have them in one word, signed. */
  readonly word: number;
  readonly address: number;
  readonly #memory: WalkMemory;
  readonly #ints: Int32Array;
  readonly #doubles: Float64Array;
  guestPagingLevels = 0;
  /** Of a transition whose old state was not {@link wrongOldRunstate}: what it was, and where; to tell TSC skew. */
  actualOldRunstate = 0;
  oldRunstateTsc = 0;
  oldRunstatePcpu = 0;
  pcpuTsc = 0;
  /** Its number among all vCPUs and domains of a run, in the order in which they appeared. */
  readonly index: number;
  readonly affinity = new CycleSummary();
  /** By the number of a pCPU. */
  readonly affinityByPcpu = new Map<number, CycleSummary>();
  #hvm: HvmVcpu | undefined;
  /** What it is besides if it is a PV guest's, once a record of one was seen. */
  pv: PvVcpu | undefined;
  /** Interprocessor interrupts that are on their way to it. */
  vlapic: Vlapic | undefined;

  constructor(domain: Domain, number: number, never: number, index: number, memory: WalkMemory) {
    this.#memory = memory;
    this.label = `d${domain.id}v${number}`;
    this.address = memory.addVcpu(this, this.label, pictureCodeOf(domain.id));
    const { ints, doubles } = memory.fields(this.address, VCPU_BYTES);
    this.#ints = ints;
    this.#doubles = doubles;
    this.runstate = INIT;
    this.wrongOldRunstate = INIT;
    this.index = index;
    ints[INDEX / 4] = index;
    this.domain = domain;
    this.number = number;
    this.word = (domain.id << 16) | number;
    ints[WORD / 4] = this.word;
    this.runstateTsc = never;
    this.oldRunstateTsc = never;
    this.pcpuTsc = never;
  }

  get runstate(): number {
    return this.#ints[RUNSTATE / 4];
  }

  set runstate(value: number) {
    this.#ints[RUNSTATE / 4] = value;
  }

  get runstateTsc(): number {
    return this.#doubles[RUNSTATE_TSC / 8];
  }

  set runstateTsc(value: number) {
    this.#doubles[RUNSTATE_TSC / 8] = value;
  }

  /** The old runstate that a transition told, where that was not what was known. */
  get wrongOldRunstate(): number {
    return this.#ints[WRONG_OLD_RUNSTATE / 4];
  }

  set wrongOldRunstate(value: number) {
    this.#ints[WRONG_OLD_RUNSTATE / 4] = value;
  }

  get activated(): boolean {
    return (this.#ints[FLAGS / 4] & ACTIVATED) !== 0;
  }

  set activated(value: boolean) {
    this.#ints[FLAGS / 4] = (this.#ints[FLAGS / 4] & ~ACTIVATED) | (value ? ACTIVATED : 0);
  }

  /** What it is besides if it is an HVM guest's, once a record of one was seen. */
  get hvm(): HvmVcpu | undefined {
    return this.#hvm;
  }

  set hvm(hvm: HvmVcpu) {
    this.#hvm = hvm;
    this.#ints[FLAGS / 4] |= HVM;
  }

  /** Where it runs or ran. */
  get pcpu(): Pcpu | undefined {
    const address = this.#ints[PCPU / 4];
    return address === 0 ? undefined : this.#memory.pcpuAt(address);
  }

  set pcpu(pcpu: Pcpu) {
    this.#ints[PCPU / 4] = pcpu.address;
  }
}

/** The character of a pCPU on which a vCPU of a domain runs. */
function pictureCodeOf(domainId: number): number {
  if (domainId === DEFAULT_DOMAIN) return '.'.charCodeAt(0);
  return (domainId === IDLE_DOMAIN ? '-' : '|').charCodeAt(0);
}

export class Domain {
  readonly id: number;
  readonly vcpus: (Vcpu | undefined)[] = [];
  /** How many of its vCPUs are {@link QUEUED}. */
  queuedVcpus = 0;
  readonly totalTime = new CycleSummary();
  /** As {@link Vcpu.index}. */
  readonly index: number;
  readonly memory = new MemoryCounts();
  /** What the exits of HVM guests were for, in short: see hvm/short-summary.ts. */
  readonly hvmShort = HVM_SHORT_NAMES.map(() => new CycleSummary());
  /** Guest interrupts by vector, for --interval-domain-guest-interrupt. */
  readonly guestInterrupts = new Map<number, number>();
  emulateEips: EipList | undefined;
  interruptEips: EipList | undefined;
  /** By guest frame, in the order in which they appeared. */
  readonly cr3Values = new Map<number, Cr3Value>();

  constructor(id: number, index: number) {
    this.index = index;
    this.id = id;
  }
}
