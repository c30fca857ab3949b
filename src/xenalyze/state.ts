/**
 * What the analyser knows while it goes through a trace: pCPUs, domains, vCPUs, and where it is in time.
 *
 * TSCs are whole numbers relative to {@link Analyser.tscBase}, which is 0 unless the host had been up for so long that
 * its TSCs exceed 2^52. {@link Analyser.never} stands for a TSC of 0, which means "none". Fields for TSCs begin as 0
 * although constructors set them: V8 makes an object for every number that is put in a field that was undefined at
 * first.
 * @module
 */
import { AsciiText } from './ascii.ts';
import { CycleSummary } from './cycle-summary.ts';
import type { Cr3Value } from './hvm/cr3-values.ts';
import type { EipList } from './hvm/eip-list.ts';
import type { HvmVcpu } from './hvm/hvm-vcpu.ts';
import type { Vlapic } from './hvm/vlapic.ts';
import { MemoryCounts } from './memory.ts';
import type { PvVcpu } from './pv.ts';

export const IDLE_DOMAIN = 32767;
/** The domain of what runs on a pCPU of which nothing is known yet; its vCPUs have the pCPUs' numbers. */
export const DEFAULT_DOMAIN = 32768;

/** Runstates: Xen's own four, and the analyser's. */
export const RUNNING = 0;
export const RUNNABLE = 1;
export const BLOCKED = 2;
export const OFFLINE = 3;
export const LOST = 4;
export const QUEUED = 5;
export const INIT = 6;
export const RUNSTATE_NAMES = ['running', 'runnable', 'blocked', 'offline', 'lost', 'queued', 'init'];

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

/** A pCPU, and the record of it that is being processed. */
export class Pcpu {
  readonly number: number;
  active = false;
  /** Whether any of its records were processed. */
  summary = false;

  // The current record.
  event = 0;
  extraWords = 0;
  hasTsc = false;
  /** Its own TSC, or that of the record before it. */
  tsc = 0;
  /** The same as the file has it, where damage made it so wild that a number cannot hold it. */
  exactTsc: bigint | undefined;
  /** Bytes. */
  size = 0;
  /** {@link words}[wordsAt + i] is extra word i; behind the last one lies what follows in the file. */
  words: Uint32Array = new Uint32Array(0);
  wordsAt = 0;

  firstTsc = 0;
  lastTsc = 0;
  /** The TSC that decides when its current record comes. */
  orderTsc = 0;
  /** Up to which TSC it goes on before another pCPU comes. */
  turnEnd = 0;
  /** Whether its current record, of which {@link orderTsc} is the TSC, has not been read yet; it is a usual one. */
  parked = false;
  /** While it is parked: where that record is among its {@link words}, and the first one that is not yet counted. */
  parkedAt = 0;
  parkedFrom = 0;

  // Where it is in the file; {@link words} are what lies from blockOffset on.
  fileOffset = 0;
  recordOffset = 0;
  blockOffset = 0;
  blockWords = 0;
  nextCpuChangeOffset = 0;
  lastCpuChangePcpu = 0;
  windowOrdinal = 0;
  /** Index of the idle state that it is in; 6: not known. */
  powerState = 6;

  /** TSC skew: what is added to its TSCs, and which pCPUs depend on that. */
  skewOffset = 0;
  skewDownstream = 0;

  current: Vcpu | undefined;

  lostActive = false;
  lostDomainValid = false;
  seenValidSchedule = true;
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

  timeTsc = 0;
  readonly idle = new CycleSummary();
  readonly running = new CycleSummary();
  readonly lost = new CycleSummary();

  constructor(number: number, never: number) {
    this.number = number;
    this.tsc = never;
    this.firstTsc = never;
    this.lastTsc = never;
    this.orderTsc = never;
    this.turnEnd = never;
    this.lostTsc = never;
    this.bufferFirstTsc = never;
    this.bufferDom0RunstateTsc = never;
    this.timeTsc = never;
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
  /** The label, and the character of a pCPU on which it runs. */
  readonly text: AsciiText;
  /** Domain (high) and number (low) as records have them in one word, signed. */
  readonly word: number;
  readonly pictureCode: number;
  activated = false;
  guestPagingLevels = 0;
  runstate = INIT;
  runstateTsc = 0;
  /** Of a transition whose old state was not what was known: both, and where; to tell TSC skew. */
  wrongOldRunstate = INIT;
  actualOldRunstate = 0;
  oldRunstateTsc = 0;
  oldRunstatePcpu = 0;
  pcpu: Pcpu | undefined;
  pcpuTsc = 0;
  /** Its number among all vCPUs and domains of a run, in the order in which they appeared. */
  readonly index: number;
  readonly affinity = new CycleSummary();
  readonly affinityByPcpu: (CycleSummary | undefined)[] = [];
  /** What kind of guest it is, once a record of one kind was seen. */
  hvm: HvmVcpu | undefined;
  pv: PvVcpu | undefined;
  /** Interprocessor interrupts that are on their way to it. */
  vlapic: Vlapic | undefined;

  constructor(domain: Domain, number: number, never: number, index: number) {
    this.index = index;
    this.domain = domain;
    this.number = number;
    this.label = `d${domain.id}v${number}`;
    this.word = (domain.id << 16) | number;
    this.text = new AsciiText(this.label);
    this.pictureCode = '|'.charCodeAt(0);
    if (domain.id === DEFAULT_DOMAIN) this.pictureCode = '.'.charCodeAt(0);
    else if (domain.id === IDLE_DOMAIN) this.pictureCode = '-'.charCodeAt(0);
    this.runstateTsc = never;
    this.oldRunstateTsc = never;
    this.pcpuTsc = never;
  }
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
