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
import { structOf } from './struct.ts';
import type { WalkMemory } from './walk-memory.ts';
import { BLOCKED, INIT, LOST, OFFLINE, QUEUED, RUNNABLE, RUNNING } from './wasm/runstates.ts';
import { PCPU, VCPU } from './wasm/structs.mjs';
import { PCPU_BYTES, PCPUS } from './wasm/walk-layout.ts';

export const IDLE_DOMAIN = 32767;
/** The domain of what runs on a pCPU of which nothing is known yet; its vCPUs have the pCPUs' numbers. */
export const DEFAULT_DOMAIN = 32768;

export { BLOCKED, INIT, LOST, OFFLINE, QUEUED, RUNNABLE, RUNNING };
export const RUNSTATE_NAMES = ['running', 'runnable', 'blocked', 'offline', 'lost', 'queued', 'init'];

/** In xenalyze's memory, names of PV events lie behind those of runstates. */
const NAMES_BEHIND = [
  'hypercall',
  '(null)',
  'trap',
  'page_fault',
  'forced_invalid_op',
  'emulate privop',
  'emulate 4g',
];
const BEHIND = 9;

/** The name of what may be no runstate. */
export function nameOfRunstate(runstate: number): string {
  return RUNSTATE_NAMES[runstate] ?? NAMES_BEHIND[runstate - BEHIND] ?? '(null)';
}

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
export const GENERAL = 0;
export const SCHED = 1;
export const DOM0OP = 2;
export const HVM = 3;
export const MEMORY = 4;
export const PV = 5;
export const SHADOW = 6;

/** The class of an event by its main part (bits 16 to 27), which has one bit set; -1 where it has none or several. */
const CLASS_OF = new Int8Array(4096).fill(-1);
for (let main = 0; main < CLASS_OF.length; main += 2 ** CLASSES)
  for (let bit = 0; bit < CLASSES; bit++) CLASS_OF[main + 2 ** bit] = bit;

/** The class of an event, or -1. */
export function classOf(event: number): number {
  return CLASS_OF[(event >>> 16) & 0xfff];
}

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
export class Pcpu extends structOf(PCPU) {
  /** Whether any of its records were processed. */
  summary = false;

  readonly #memory: WalkMemory;

  #exactTsc: bigint | undefined;
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
    super(memory, PCPUS + number * PCPU_BYTES);
    memory.pcpus[number] = this;
    this.#memory = memory;
    this.number = number;
    this.words = memory.words;
    this.seenValidSchedule = true;
    this.powerState = CSTATE_UNKNOWN;
    this.recordOffset = Number.POSITIVE_INFINITY;
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

  /** {@link tsc} as the file has it, where damage made it so wild that a number cannot hold it. */
  get exactTsc(): bigint | undefined {
    return this.#exactTsc;
  }

  set exactTsc(value: bigint | undefined) {
    this.#exactTsc = value;
    this.hasExactTsc = value !== undefined;
  }

  /** TSC skew: what is added to its TSCs. */
  get skewOffset(): number {
    return this.#skewOffset;
  }

  set skewOffset(cycles: number) {
    this.#skewOffset = cycles;
    this.tscOffset = BigInt(cycles) - this.#memory.tscBase;
  }

  /** A block of so many {@link words} is what lies from a place in the file on. */
  setBlock(at: number, offset: number, words: number): void {
    this.blockAt = at;
    this.blockEnd = (at + words) * 4;
    this.blockOffset = offset;
  }

  get blockWords(): number {
    return this.blockEnd / 4 - this.blockAt;
  }

  get current(): Vcpu | undefined {
    return this.#memory.vcpuAt(this.currentVcpu);
  }

  set current(vcpu: Vcpu | undefined) {
    this.currentVcpu = vcpu?.address ?? 0;
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

export class Vcpu extends structOf(VCPU) {
  readonly number: number;
  readonly domain: Domain;
  /** `d1v0`; the default domain's and the idle domain's by their numbers. */
  readonly label: string;
  readonly #memory: WalkMemory;
  /** Of a transition whose old state was not {@link wrongOldRunstate}: what it was, and where; to tell TSC skew. */
  actualOldRunstate = 0;
  oldRunstateTsc = 0;
  oldRunstatePcpu = 0;
  /** {@link runstateTsc} as the file has it, where a number has rounded it and options want to know. */
  wideRunstateTsc: bigint | undefined;
  #hvm: HvmVcpu | undefined;
  #pv: PvVcpu | undefined;
  /** Interprocessor interrupts that are on their way to it. */
  vlapic: Vlapic | undefined;

  constructor(domain: Domain, number: number, never: number, index: number, memory: WalkMemory) {
    const label = `d${domain.id}v${number}`;
    super(memory, memory.addVcpu(label, pictureCodeOf(domain.id)));
    memory.vcpus.push(this);
    this.#memory = memory;
    this.label = label;
    this.runstate = INIT;
    this.wrongOldRunstate = INIT;
    this.index = index;
    this.domain = domain;
    this.number = number;
    this.word = (domain.id << 16) | number;
    this.runstateTsc = never;
    this.oldRunstateTsc = never;
  }

  /** What it is besides if it is an HVM guest's, once a record of one was seen. */
  get hvm(): HvmVcpu | undefined {
    return this.#hvm;
  }

  set hvm(hvm: HvmVcpu) {
    this.#hvm = hvm;
    this.isHvm = true;
  }

  /** What it is besides if it is a PV guest's, once a record of one was seen. */
  get pv(): PvVcpu | undefined {
    return this.#pv;
  }

  set pv(pv: PvVcpu) {
    this.#pv = pv;
    this.isPv = true;
  }

  /** Where it runs or ran. */
  get pcpu(): Pcpu | undefined {
    return this.#memory.pcpuAt(this.lastPcpu);
  }

  set pcpu(pcpu: Pcpu) {
    this.lastPcpu = pcpu.address;
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
