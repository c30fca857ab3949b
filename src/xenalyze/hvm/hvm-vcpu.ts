import type { Analyser } from '../analyser.ts';
import { CycleSummaries } from '../cycle-summaries.ts';
import { ERROR_STRICT } from '../options.ts';
import type { PageFaults } from '../shadow/page-faults.ts';
import type { Pcpu, Vcpu } from '../state.ts';
import { structOf } from '../struct.ts';
import type { WalkMemory } from '../walk-memory.ts';
import { HVM_VCPU } from '../wasm/structs.mjs';
import { POST_NOTHING, POST_OWN, RECORDED, RECORDED_WORDS } from '../wasm/walk-layout.ts';
import type { Cr3Value } from './cr3-values.ts';
import type { ExitReasons } from './exit-reasons.ts';
import { IoAddresses } from './io-addresses.ts';
import { Mmio } from './mmio-access.ts';
import { WakeToHalt } from './wake-to-halt.ts';

/** Accounts for the exit that ends. */
export type PostProcess = (a: Analyser, h: HvmVcpu) => void;

/** Prints what belongs below the line of an exit reason. */
export type SummaryHandler = (a: Analyser, h: HvmVcpu, data: number) => void;

/**
 * What is known of a vCPU of an HVM guest: the exit that it is in, and what became of those before.
 *
 * From an exit of the guest to the next entry, records of handlers tell what Xen did. The last one that sets
 * {@link post} decides how the exit is accounted for.
 */
export class HvmVcpu extends structOf(HVM_VCPU) {
  readonly vcpu: Vcpu;

  #reasons: ExitReasons | undefined;
  /** {@link exitTsc} as the file has it, where damage made it so wild that a number cannot hold it. */
  exactExitTsc: bigint | undefined;
  /** The last handler's event, less the base of its class. */
  eventHandler = 0;
  /** With {@link POST_OWN}. */
  postProcess: PostProcess | undefined;

  /**
   * What handlers recorded of the exit, word by word: see {@link detail}, {@link valueLow}, and for page faults
   * shadow/page-faults.ts. One place for all, as in xenalyze (a union): what came last counts, whoever asks.
   */
  readonly recorded: Uint32Array;
  readonly mmio = new Mmio();
  /** Page faults that Xen deals with; made by shadow/. */
  pageFaults: PageFaults | undefined;
  resyncs = 0;
  preallocUnpin = false;
  wrmapBruteForce = false;
  shortSummaryDone = false;

  /** Top-level page table; 0 if not known. */
  cr3 = 0n;
  cr3Start: number;
  /** Only with --with-cr3-enumeration. */
  cr3Data: Cr3Value | undefined;

  readonly wakeToHalt = new WakeToHalt();

  readonly summaryHandlers = new Map<number, { handler: SummaryHandler; data: number }[]>();
  readonly crWrites = new CycleSummaries();
  /** By number of resyncs. */
  readonly cr3Writes = new CycleSummaries();
  readonly vmcalls = new CycleSummaries();
  /** By cause: see mmio.ts. */
  readonly mmios = new CycleSummaries();
  /** External interrupts, by vector. */
  readonly interrupts = new Map<number, number>();
  /** By number of step, of --histogram-interrupt-eip. */
  readonly interruptHistogram = new Map<number, number>();
  readonly mmioAddresses = new IoAddresses();
  readonly ports = new IoAddresses();

  constructor(vcpu: Vcpu, never: number, memory: WalkMemory) {
    const at = memory.guestAt(vcpu);
    super(memory, at);
    this.recorded = new Uint32Array(memory.buffer, at + RECORDED, RECORDED_WORDS);
    this.vcpu = vcpu;
    this.exitTsc = never;
    this.entryTsc = never;
    this.cr3Start = never;
  }

  /** How exits are read; not known before the first one. */
  get reasons(): ExitReasons | undefined {
    return this.#reasons;
  }

  set reasons(reasons: ExitReasons) {
    this.#reasons = reasons;
    this.knowsReasons = true;
  }

  /** What was recorded first: port, register, vector, hypercall, event. */
  get detail(): number {
    return this.recorded[0];
  }

  set detail(detail: number) {
    this.recorded[0] = detail;
  }

  /** The value that goes with {@link detail}. */
  get valueLow(): number {
    return this.recorded[2];
  }

  set valueLow(low: number) {
    this.recorded[2] = low;
  }

  get valueHigh(): number {
    return this.recorded[3];
  }

  set valueHigh(high: number) {
    this.recorded[3] = high;
  }

  /** Keeps the event of a record, and its words. */
  keepWords(p: Pcpu): void {
    const { recorded } = this;
    recorded[0] = p.event;
    for (let i = 0; i < 4; i++) recorded[1 + i] = p.word(i);
  }
}

/** Makes it a vCPU of an HVM guest. False if it is one of a PV guest, which ends the real xenalyze. */
export function setHvm(a: Analyser, vcpu: Vcpu): boolean {
  if (vcpu.hvm !== undefined) return true;
  if (vcpu.pv !== undefined) {
    a.wouldEnd();
    return false;
  }
  vcpu.hvm = new HvmVcpu(vcpu, a.never, a.memory);
  return true;
}

/** Has `post` account for the exit, unless another handler's is set already: then false. */
export function setPostProcess(h: HvmVcpu, post: PostProcess): boolean {
  if (h.post >= POST_NOTHING) return false;
  h.post = POST_OWN;
  h.postProcess = post;
  return true;
}

/**
 * Has `handler` called with `data` after the line of the current exit reason. `site` names the caller, with more behind
 * a blank where it calls from several places: each does this once in a run, for the reason and the vCPU at hand (so
 * does xenalyze; what comes later is not printed).
 */
export function setSummaryHandler(
  a: Analyser,
  h: HvmVcpu,
  site: string,
  handler: SummaryHandler,
  data = 0,
): void {
  const { summarySites } = a.hvm;
  if (summarySites.has(site)) return;
  summarySites.add(site);
  addSummaryHandler(a, h, site.replace(/ .*/, ''), handler, data);
}

/** As {@link setSummaryHandler}, each time. A handler that is there with the same data is not added again. */
export function addSummaryHandler(
  a: Analyser,
  h: HvmVcpu,
  site: string,
  handler: SummaryHandler,
  data: number,
): void {
  const { exitReason, summaryHandlers } = h;
  if (h.reasons === undefined || exitReason >= h.reasons.max) {
    a.stderr.printf('%s: hvm_set_summary_handler returned -22\n', site);
    return;
  }
  const list = summaryHandlers.get(exitReason) ?? [];
  if (list.some((other) => other.handler === handler && other.data === data)) {
    a.stderr.printf('%s: hvm_set_summary_handler returned -16\n', site);
    a.error(ERROR_STRICT);
    return;
  }
  list.push({ handler, data });
  summaryHandlers.set(exitReason, list);
}
