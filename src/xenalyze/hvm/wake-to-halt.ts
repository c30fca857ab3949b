/**
 * Which interrupt woke a guest, and how long it then ran until it halted again.
 *
 * A vCPU that wakes is *waking* until the guest is entered; the first interrupt injected meanwhile woke it. Intervals
 * begin with the entry after an interrupt and end when the vCPU blocks.
 * @module
 */
import type { Analyser } from '../analyser.ts';
import { CycleSummary } from '../cycle-summary.ts';
import { BLOCKED, nameOfRunstate, OFFLINE, type Pcpu, RUNNABLE, RUNNING, type Vcpu } from '../state.ts';
import { printCycleSummary } from '../summary-lines.ts';
import type { HvmVcpu } from './hvm-vcpu.ts';

/** Vectors from it on are one in the summary, and are not followed. */
const VECTORS = 350;
/** Stands for a vector that is not the one injected. */
const FAKE_VECTOR = 349;

/** No interval has begun. */
const NOT_STARTED = Number.NEGATIVE_INFINITY;
/** One begins with the next entry: a TSC of 1 in xenalyze. */
const AT_NEXT_ENTRY = Number.POSITIVE_INFINITY;

class GuestInterrupt {
  count = 0;
  isWake = false;
  start = NOT_STARTED;
  readonly wakeToHaltAlone = new CycleSummary();
  readonly wakeToHaltAny = new CycleSummary();
  readonly interruptToHalt = new CycleSummary();
}

export class WakeToHalt {
  waking = false;
  /** The one that woke it; 0 for none. */
  vector = 0;
  /** The vectors that were injected since it woke, each once: those whose intervals have begun or are about to. */
  readonly started: number[] = [];
  /** Those whose intervals begin with the next entry. */
  readonly starting: number[] = [];
  /** By vector. */
  readonly guestInterrupts: (GuestInterrupt | undefined)[] = [];
}

/** A TSC as xenalyze shows it. */
function shown(a: Analyser, start: number): number | bigint {
  return start === AT_NEXT_ENTRY ? 1 : a.absolute(start);
}

/** An interrupt is injected. `fake`: its vector is not to be trusted, on an AMD processor. */
export function noteInterrupt(a: Analyser, h: HvmVcpu, vector: number, fake: boolean): void {
  const { guestInterrupts } = h.wakeToHalt;
  const place = Math.min(vector, VECTORS);
  let interrupt = guestInterrupts[place];
  if (interrupt === undefined) {
    interrupt = new GuestInterrupt();
    // Xenalyze writes over other things where a vector is negative.
    if (place >= 0) guestInterrupts[place] = interrupt;
  }
  if (a.options.summaryInfo) {
    interrupt.count++;
    a.onGuestInterrupt?.(h, place);
  }
  if (vector < VECTORS) startInterval(a, h, interrupt, vector, fake);
}

function startInterval(
  a: Analyser,
  { wakeToHalt, vcpu }: HvmVcpu,
  interrupt: GuestInterrupt,
  vector: number,
  fake: boolean,
): void {
  const { options, out, warn } = a;
  if (wakeToHalt.waking && wakeToHalt.vector === 0) {
    if (interrupt.start !== NOT_STARTED) {
      const format = 'Strange, %s waking && wake_vector 0 but vec %d start_tsc %lld!\n';
      warn.printf(format, vcpu.label, vector, shown(a, interrupt.start));
    }
    if (wakeToHalt.started.length > 0) {
      const format = 'Strange, waking && wake_vector 0 but interrupts_this_wait_to_halt %d!\n';
      warn.printf(format, wakeToHalt.started.length);
    }
    if (options.dumpAll) out.printf(' [w2h] %s Setting wake_vector %d\n', vcpu.label, vector);
    wakeToHalt.vector = fake && a.hvm.svm ? FAKE_VECTOR : vector;
    interrupt.isWake = true;
  }
  if (interrupt.start !== NOT_STARTED) return;
  interrupt.start = AT_NEXT_ENTRY;
  wakeToHalt.starting.push(vector);
  wakeToHalt.started.push(vector);
  if (options.dumpAll) out.printf(' [w2h] %s Starting vec %d\n', vcpu.label, vector);
}

/** The guest is entered. */
export function startIntervals(a: Analyser, p: Pcpu, { wakeToHalt, vcpu }: HvmVcpu): void {
  const { options, out } = a;
  if (wakeToHalt.waking && options.dumpAll) out.printf(' [w2h] %s Finishing waking\n', vcpu.label);
  wakeToHalt.waking = false;
  const { guestInterrupts, starting } = wakeToHalt;
  if (starting.length === 0) return;
  for (const vector of starting.sort((p, q) => p - q)) {
    const interrupt = guestInterrupts[vector];
    if (interrupt?.start !== AT_NEXT_ENTRY) continue;
    if (options.dumpAll) {
      const format = ' [w2h] %s Setting vec %d tsc to %lld\n';
      out.printf(format, vcpu.label, vector, BigInt.asIntN(64, a.exact(p)));
    }
    interrupt.start = p.tsc;
  }
  starting.length = 0;
}

/** A change of the runstate of an HVM vCPU that is not lost, before it is made. */
export function trackWaking(a: Analyser, p: Pcpu, v: Vcpu, oldRunstate: number, newRunstate: number): void {
  if (v.hvm === undefined) return;
  const { wakeToHalt } = v.hvm;
  if (newRunstate === RUNNABLE && oldRunstate === BLOCKED) {
    if (a.options.dumpAll) a.out.printf(' [w2h] %s Setting waking\n', v.label);
    wakeToHalt.waking = true;
    v.hvm.awaitsEntry = true;
    return;
  }
  if (oldRunstate !== RUNNING) return;
  if (wakeToHalt.waking && newRunstate !== OFFLINE) {
    if (oldRunstate !== v.runstate) {
      const format = 'Strange, unexpected waking transition for %s: %s -> %s\n';
      a.warn.printf(format, v.label, nameOfRunstate(oldRunstate), nameOfRunstate(newRunstate));
    }
    wakeToHalt.waking = false;
  }
  if (newRunstate === BLOCKED && wakeToHalt.started.length > 0) closeIntervals(a, wakeToHalt, p.tsc);
}

function closeIntervals(a: Analyser, wakeToHalt: WakeToHalt, tsc: number): void {
  const { options, out } = a;
  const isAlone = wakeToHalt.started.length === 1;
  for (const [vector, interrupt] of takeStarted(wakeToHalt)) {
    const { start, isWake } = interrupt;
    const time = start === AT_NEXT_ENTRY ? 0 : tsc - start;
    if (options.dumpAll)
      out.printf(' [w2h] Halting vec %d is_wake %d time %lld\n', vector, isWake ? 1 : 0, time);
    if (time !== 0) {
      if (options.scatterplotWakeToHalt && isWake) a.scatterplot(tsc, time);
      if (options.summary) addInterval(a, interrupt, time, isAlone);
    }
    interrupt.start = NOT_STARTED;
    interrupt.isWake = false;
  }
  wakeToHalt.vector = 0;
}

/** Takes the interrupts that are in an interval or about to begin one, by vector. */
function takeStarted({ guestInterrupts, started }: WakeToHalt): [number, GuestInterrupt][] {
  const taken: [number, GuestInterrupt][] = [];
  for (const vector of started.sort((p, q) => p - q)) {
    const interrupt = guestInterrupts[vector];
    if (interrupt !== undefined) taken.push([vector, interrupt]);
  }
  started.length = 0;
  return taken;
}

function addInterval({ options }: Analyser, interrupt: GuestInterrupt, time: number, alone: boolean): void {
  if (!interrupt.isWake) interrupt.interruptToHalt.add(time, options);
  else {
    if (alone) interrupt.wakeToHaltAlone.add(time, options);
    interrupt.wakeToHaltAny.add(time, options);
  }
}

/** A vCPU is lost out of sight; its runstate is lost already. */
export function loseHvm(a: Analyser, v: Vcpu): void {
  if (v.hvm === undefined) return;
  const { options, out } = a;
  const { wakeToHalt } = v.hvm;
  if (options.dumpAll) out.printf(' [w2h] Clearing w2h state for %s\n', v.label);
  wakeToHalt.vector = 0;
  wakeToHalt.waking = false;
  for (const [vector, interrupt] of takeStarted(wakeToHalt)) {
    if (options.dumpAll)
      out.printf('  Interrupt %d clearing start_tsc %lld\n', vector, shown(a, interrupt.start));
    interrupt.start = NOT_STARTED;
  }
}

export function printGuestInterrupts(a: Analyser, { wakeToHalt: { guestInterrupts } }: HvmVcpu): void {
  const { out } = a;
  out.text('Guest interrupt counts:\n');
  for (const [vector, interrupt] of guestInterrupts.entries()) {
    if (interrupt === undefined || interrupt.count === 0) continue;
    if (vector === VECTORS) {
      out.printf('  [%d+] %d\n', vector, interrupt.count);
      continue;
    }
    out.printf('  [%3d] %d\n', vector, interrupt.count);
    printCycleSummary(a, interrupt.wakeToHaltAlone, '   * wake to halt alone');
    printCycleSummary(a, interrupt.wakeToHaltAny, '   * wake to halt any  ');
    printCycleSummary(a, interrupt.interruptToHalt, '   * intr to halt      ');
  }
}
