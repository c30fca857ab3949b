import { type SampleBudget, Samples } from './samples.ts';

/** The state in which a pCPU executes. A halt of which Xen makes no record looks the same. */
export const C0 = 0;
/** More idle states than Xen knows (ACPI_PROCESSOR_MAX_POWER is 8); a higher number is damage. */
const CSTATES_MAX = 64;
/** More frequencies than a pCPU has; those beyond are damage. */
const FREQUENCIES_MAX = 256;

/** No power record yet: the state is what the first one says, back to the pCPU's first record of any kind. */
const NOT_SEEN = -1;
/** Records are missing. */
const UNKNOWN = -2;

/** Xen's menu governor gives this (-2000, see get_sleep_length_us) where no timer is due within 71 minutes. */
const NO_TIMER_US = 0xfffff830;
/** Xen's idle clock is told by its low 32 bits, which wrap at 4.29 s where they are nanoseconds. */
const CLOCK_WRAPS_NS = 4e9;

/** What one pCPU did in one C-state. */
export interface CState {
  /** Known time in it, of complete stays and of others. */
  ns: number;
  entries: number;
  /** Complete stays. */
  readonly stays: Samples;
  /** Complete stays whose length Xen had reckoned; the sums are of these. */
  predicted: number;
  expectedNs: number;
  predictedNs: number;
  predictedStayNs: number;
  /** Those that were shorter than reckoned. */
  sooner: number;
  /** From the first tickle of a stay to its end. */
  readonly exits: Samples;
}

/** One frequency of one pCPU. */
export interface Frequency {
  ns: number;
  /** Changes to it. */
  entries: number;
}

/** What the power records of one pCPU tell. All times are nanoseconds since the start of the trace. */
export class PcpuPower {
  /** By number; what the pCPU was never in is undefined. */
  readonly cstates: (CState | undefined)[] = [];
  /** By MHz. */
  readonly frequencies = new Map<number, Frequency>();
  frequencyChanges = 0;
  /** Xen's idle clock and the trace's over the same stays. */
  clockTicks = 0;
  clockNs = 0;
  readonly #budget: SampleBudget;
  #state = NOT_SEEN;
  #sinceNs = 0;
  #startSeen = false;
  #entryTicks = 0;
  #expectedUs = 0;
  #predictedUs = 0;
  #tickledNs = Number.NaN;
  #mhz = NOT_SEEN;
  #mhzSinceNs = 0;

  constructor(budget: SampleBudget) {
    this.#budget = budget;
  }

  /** TRC_PM_IDLE_ENTRY. `expectedUs` and `predictedUs` are 0 where the record has none. */
  enter(
    tNs: number,
    firstNs: number,
    state: number,
    ticks: number,
    expectedUs: number,
    predictedUs: number,
  ): void {
    this.#change(tNs, firstNs, C0, state);
    this.#entryTicks = ticks;
    this.#expectedUs = expectedUs;
    this.#predictedUs = predictedUs;
    this.#tickledNs = Number.NaN;
  }

  /** TRC_PM_IDLE_EXIT. */
  exit(tNs: number, firstNs: number, state: number, ticks: number): void {
    const complete = this.#state === state && this.#startSeen;
    const ns = Math.max(0, tNs - this.#sinceNs);
    if (this.#state === state && this.#tickledNs <= tNs) {
      this.#cstate(state).exits.add(tNs - this.#tickledNs, this.#tickledNs);
    }
    this.#tickledNs = Number.NaN;
    this.#change(tNs, firstNs, state, C0);
    if (!complete) return;
    this.#judgePrediction(this.#cstate(state), ns);
    if (ns === 0 || ns > CLOCK_WRAPS_NS) return;
    this.clockTicks += (ticks - this.#entryTicks) >>> 0;
    this.clockNs += ns;
  }

  /** Another pCPU asked this one to schedule. */
  tickle(tNs: number): void {
    if (this.#state > C0 && Number.isNaN(this.#tickledNs)) this.#tickledNs = tNs;
  }

  /** TRC_PM_FREQ_CHANGE. */
  changeFrequency(tNs: number, firstNs: number, oldMhz: number, newMhz: number): void {
    if (this.#mhz === NOT_SEEN) this.#addFrequency(oldMhz, tNs - firstNs);
    else if (this.#mhz === oldMhz) this.#addFrequency(oldMhz, tNs - this.#mhzSinceNs);
    this.#mhz = newMhz;
    this.#mhzSinceNs = tNs;
    if (oldMhz === newMhz) return; // Xen records that the governor asked, whatever came of it.
    this.frequencyChanges++;
    const frequency = this.#frequency(newMhz);
    if (frequency !== undefined) frequency.entries++;
  }

  /** Records are missing after `lastNs`: what follows is unknown until the next record tells. */
  lose(lastNs: number): void {
    this.#endKnown(lastNs);
    this.#state = UNKNOWN;
    this.#mhz = UNKNOWN;
    this.#tickledNs = Number.NaN;
  }

  finish(endNs: number): void {
    this.#endKnown(endNs);
    this.#state = UNKNOWN;
    this.#mhz = UNKNOWN;
  }

  /** Time whose C-state is known. */
  get knownNs(): number {
    return this.cstates.reduce((sum, cstate) => sum + (cstate?.ns ?? 0), 0);
  }

  #endKnown(endNs: number): void {
    if (this.#state >= C0) this.#cstate(this.#state).ns += Math.max(0, endNs - this.#sinceNs);
    if (this.#mhz >= 0) this.#addFrequency(this.#mhz, endNs - this.#mhzSinceNs);
  }

  /** A record says that the pCPU was in the state `from`, and now is in `to`. */
  #change(tNs: number, firstNs: number, from: number, to: number): void {
    if (from >= CSTATES_MAX || to >= CSTATES_MAX) {
      this.#state = UNKNOWN;
      return;
    }
    if (this.#state === NOT_SEEN) {
      this.#cstate(from).ns += Math.max(0, tNs - firstNs);
    } else if (this.#state === from) {
      const { stays } = this.#cstate(from);
      const ns = Math.max(0, tNs - this.#sinceNs);
      this.#cstate(from).ns += ns;
      if (this.#startSeen) stays.add(ns, this.#sinceNs);
    }
    this.#state = to;
    this.#sinceNs = tNs;
    this.#startSeen = true;
    this.#cstate(to).entries++;
  }

  #judgePrediction(cstate: CState, ns: number): void {
    const expectedUs = this.#expectedUs;
    if (expectedUs >= NO_TIMER_US || (expectedUs === 0 && this.#predictedUs === 0)) return;
    cstate.predicted++;
    cstate.expectedNs += expectedUs * 1000;
    cstate.predictedNs += this.#predictedUs * 1000;
    cstate.predictedStayNs += ns;
    if (ns < this.#predictedUs * 1000) cstate.sooner++;
  }

  #cstate(state: number): CState {
    this.cstates[state] ??= {
      ns: 0,
      entries: 0,
      stays: new Samples(this.#budget),
      predicted: 0,
      expectedNs: 0,
      predictedNs: 0,
      predictedStayNs: 0,
      sooner: 0,
      exits: new Samples(this.#budget),
    };
    return this.cstates[state];
  }

  #addFrequency(mhz: number, ns: number): void {
    const frequency = this.#frequency(mhz);
    if (frequency !== undefined) frequency.ns += Math.max(0, ns);
  }

  #frequency(mhz: number): Frequency | undefined {
    let frequency = this.frequencies.get(mhz);
    if (frequency === undefined && this.frequencies.size < FREQUENCIES_MAX) {
      frequency = { ns: 0, entries: 0 };
      this.frequencies.set(mhz, frequency);
    }
    return frequency;
  }
}
