import {
  EVENT_MASK,
  extraWordsOf,
  hasCycles,
  TRC_LOST_RECORDS,
  TRC_TRACE_WRAP_BUFFER,
} from '../format/index.ts';
import { createWalkBuffer, FeedWalker } from './feed-walker.ts';
import type { TraceSource } from './trace-source.ts';
import { PCPU_LIMIT, type WindowIndex } from './window-index.ts';

/** How ticks of the TSC relate to time. */
export interface TraceClock {
  /** Undefined where the trace does not tell: then a tick is shown as a nanosecond. */
  readonly cpuHz: number | undefined;
  readonly source: 'derived' | 'given' | 'unknown';
  /** How many intervals the frequency was derived from. */
  readonly pairs: number;
  /** The middle half of the intervals lies within this range, in millionths. */
  readonly spreadPpm: number;
  /** The trace's first TSC: time 0. */
  readonly tscStart: bigint;
}

/** What a first look at a trace gives. */
export interface ClockFindings {
  readonly tscStart: bigint;
  readonly frequency: Frequency | undefined;
}

export interface Frequency {
  readonly hz: number;
  readonly pairs: number;
  readonly spreadPpm: number;
}

const TRC_SCHED_SWITCH_INFPREV = 0x0002800e;
const TRC_SCHED_SWITCH_INFNEXT = 0x0002800f;
const TRC_SCHED_SWITCH_INFCONT = 0x00028011;

const FIRST_LOOK_BYTES = 8 * 1024 * 1024;
const LONGEST_LOOK_BYTES = 64 * 1024 * 1024;
const BYTES_PER_FEED_MIN = 64 * 1024;
/** So many intervals are enough, if they are long enough together. */
const PAIRS_ENOUGH = 1000;
const NS_ENOUGH = 1e9;
const PAIRS_MAX = 100_000;
/** With fewer intervals, or less time in them, the trace cannot tell its frequency. */
const PAIRS_NEEDED = 5;
const NS_NEEDED = 1e6;
/** Xen cuts its nanoseconds to 32 bits; longer runs than this may have been cut. */
const RUN_NS_MAX = 2 ** 31;
/** TSCs per pCPU that are looked at for the first one that can be believed. */
const START_TSCS = 9;
/** A clock without jitter, as a simulator has it, misses by no more than the records that share an instant. */
const EXACT_TICKS = 64;

/**
 * Looks at the first records of each pCPU to find the trace's first TSC and the frequency of the TSC.
 *
 * The frequency: Xen says with each context switch for how many nanoseconds the vCPU that is leaving ran (INFPREV) or
 * has run so far (INFCONT); the TSC of the switch to it (INFNEXT) is in the trace. Frequency = ticks / nanoseconds,
 * the median weighted by length, so that short runs with their jitter and the odd false pair do not count.
 */
export function findClock(source: TraceSource, index: WindowIndex): ClockFindings {
  const feeds = index.feeds();
  const walkers = feeds.map((feed) => new FeedWalker(source, feed));
  const buffer = createWalkBuffer();
  const starts = new StartFinder();
  const runs = new RunFinder();
  let looked = 0;
  for (let round = FIRST_LOOK_BYTES; looked < LONGEST_LOOK_BYTES; round = FIRST_LOOK_BYTES) {
    const share = Math.max(BYTES_PER_FEED_MIN, Math.ceil(round / Math.max(1, walkers.length)));
    let walked = 0;
    for (const walker of walkers) {
      walked += walker.walk(share, buffer, (pcpu, header, data, wordsAt) => {
        if (!hasCycles(header) || (header & EVENT_MASK) === TRC_TRACE_WRAP_BUFFER) return;
        starts.see(pcpu, data[wordsAt - 2], data[wordsAt - 1]);
        runs.see(pcpu, header, data, wordsAt);
      });
    }
    looked += walked;
    if (walked === 0 || (runs.enough && starts.found)) break;
  }
  return { tscStart: starts.first(), frequency: deriveFrequency(runs.ticks, runs.ns) };
}

/** Finds the smallest of the pCPUs' first TSCs, passing over those that the following ones contradict. */
class StartFinder {
  readonly #tscs = new Map<number, bigint[]>();

  get found(): boolean {
    return this.#tscs.size > 0;
  }

  see(pcpu: number, low: number, high: number): void {
    let list = this.#tscs.get(pcpu);
    if (list === undefined) {
      list = [];
      this.#tscs.set(pcpu, list);
    }
    if (list.length < START_TSCS) list.push((BigInt(high) << 32n) | BigInt(low));
  }

  first(): bigint {
    let first: bigint | undefined;
    for (const list of this.#tscs.values()) {
      const own = list.find((tsc, i) => {
        const later = list.slice(i + 1);
        return later.filter((other) => other < tsc).length * 2 <= later.length;
      });
      if (own !== undefined && (first === undefined || own < first)) first = own;
    }
    return first ?? 0n;
  }
}

/** Collects runs whose length is known both in ticks and in nanoseconds. */
class RunFinder {
  readonly ticks: number[] = [];
  readonly ns: number[] = [];
  #totalNs = 0;
  /** The vCPU that each pCPU switched to, and when; NaN: not known. */
  readonly #since = new Float64Array(PCPU_LIMIT).fill(Number.NaN);
  readonly #dom = new Uint32Array(PCPU_LIMIT);
  readonly #vcpu = new Int32Array(PCPU_LIMIT);

  get enough(): boolean {
    return this.ns.length >= PAIRS_ENOUGH && this.#totalNs >= NS_ENOUGH;
  }

  see(pcpu: number, header: number, data: Uint32Array, at: number): void {
    const event = header & EVENT_MASK;
    const words = extraWordsOf(header);
    if (event === TRC_LOST_RECORDS) this.#since[pcpu] = Number.NaN;
    if (event < TRC_SCHED_SWITCH_INFPREV || event > TRC_SCHED_SWITCH_INFCONT) return;
    // A float may be off by a tick beyond 2^53, which does not matter for a run of microseconds.
    const tsc = data[at - 1] * 2 ** 32 + data[at - 2];
    if (event === TRC_SCHED_SWITCH_INFNEXT && (words === 3 || words === 4)) {
      this.#since[pcpu] = tsc;
      this.#dom[pcpu] = data[at];
      this.#vcpu[pcpu] = words === 4 ? data[at + 1] | 0 : -1;
    } else if (event === TRC_SCHED_SWITCH_INFPREV && (words === 2 || words === 3)) {
      this.#add(pcpu, data[at], words === 3 ? data[at + 1] | 0 : -1, tsc, data[at + words - 1]);
      this.#since[pcpu] = Number.NaN;
    } else if (event === TRC_SCHED_SWITCH_INFCONT && words === 4) {
      this.#add(pcpu, data[at], data[at + 1] | 0, tsc, data[at + 2]);
    }
  }

  #add(pcpu: number, dom: number, vcpu: number, tsc: number, ns: number): void {
    const ticks = tsc - this.#since[pcpu];
    if (!(ticks > 0) || ns === 0 || ns >= RUN_NS_MAX || this.ns.length === PAIRS_MAX) return;
    if (this.#dom[pcpu] !== dom || this.#vcpu[pcpu] !== vcpu) return;
    this.ticks.push(ticks);
    this.ns.push(ns);
    this.#totalNs += ns;
  }
}

/** The frequency at which `ticks[i]` took `ns[i]`; undefined where that is too little to tell. */
export function deriveFrequency(ticks: readonly number[], ns: readonly number[]): Frequency | undefined {
  const total = ns.reduce((sum, value) => sum + value, 0);
  if (ns.length < PAIRS_NEEDED || total < NS_NEEDED) return undefined;
  const byRatio = [...ns.keys()].sort((a, b) => ticks[a] / ns[a] - ticks[b] / ns[b]);
  const quantile = (fraction: number) => {
    let sum = 0;
    for (const i of byRatio) {
      sum += ns[i];
      if (sum >= fraction * total) return ticks[i] / ns[i];
    }
    return Number.NaN;
  };
  const median = quantile(0.5);
  const spreadPpm = ((quantile(0.75) - quantile(0.25)) / median) * 1e6;
  return { hz: exactHz(ticks, ns, median * 1e9), pairs: ns.length, spreadPpm };
}

/**
 * `hz` to a whole number. Where the clock has no jitter at all (nine of ten runs fit to a few ticks), the roundest
 * number that fits as well is meant: the few ticks come from records that share an instant and not from the frequency.
 */
function exactHz(ticks: readonly number[], ns: readonly number[], hz: number): number {
  const errors = (candidate: number) => ns.map((value, i) => Math.abs(ticks[i] - (value * candidate) / 1e9));
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const own = errors(hz);
  const jitterFree = own.filter((error) => error <= EXACT_TICKS).length >= 0.9 * own.length;
  if (jitterFree) {
    for (const unit of [1e6, 1e3]) {
      const round = Math.round(hz / unit) * unit;
      if (round > 0 && mean(errors(round)) <= mean(own) + 1) return round;
    }
  }
  return Math.round(hz);
}
