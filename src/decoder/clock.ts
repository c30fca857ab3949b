import { EVENT_MASK, hasCycles, TRC_TRACE_WRAP_BUFFER } from '../format/index.ts';
import { createWalkBuffer, FeedWalker } from './feed-walker.ts';
import { deriveFrequency, type Frequency, LinkFinder } from './frequency.ts';
import { JUMP_TICKS } from './load-records.ts';
import type { TraceSource } from './trace-source.ts';
import type { WindowIndex } from './window-index.ts';

/** How ticks of the TSC relate to time. */
export interface TraceClock {
  /** Undefined where the trace does not tell: then a tick is shown as a nanosecond. */
  readonly cpuHz: number | undefined;
  /** From records that carry nanoseconds, from the user (`cpuHz`), or from nowhere. */
  readonly source: 'derived' | 'given' | 'unknown';
  /** How many stretches of time, known both in ticks and in nanoseconds, the frequency was derived from. */
  readonly pairs: number;
  /** The middle half of what they say lies within this range, in millionths: the smaller, the surer. */
  readonly spreadPpm: number;
  /** The trace's first TSC: time 0. */
  readonly tscStart: bigint;
}

/** What a first look at a trace gives. */
export interface ClockFindings {
  readonly tscStart: bigint;
  readonly frequency: Frequency | undefined;
}

const FIRST_LOOK_BYTES = 4 * 1024 * 1024;
const LONGEST_LOOK_BYTES = 64 * 1024 * 1024;
const BYTES_PER_FEED_MIN = 16 * 1024;
/** So much linked time is enough. */
const NS_ENOUGH = 2e9;
/** TSCs per pCPU that are looked at for the first one that can be believed. */
const START_TSCS = 9;
/** A single first TSC so far behind the second is damage. About 7 minutes. */
const STRAY_TICKS = 2n ** 40n;

/**
 * Looks at the first records of each pCPU to find the trace's first TSC and the frequency of the TSC.
 *
 * The frequency is taken from scheduling records that carry nanoseconds; see {@link LinkFinder}.
 */
export function findClock(source: TraceSource, index: WindowIndex): ClockFindings {
  const feeds = index.feeds();
  const walkers = feeds.map((feed) => new FeedWalker(source, feed));
  const buffer = createWalkBuffer();
  const finder = new ClockFinder();
  let looked = 0;
  const share = Math.max(BYTES_PER_FEED_MIN, Math.ceil(FIRST_LOOK_BYTES / Math.max(1, walkers.length)));
  while (looked < LONGEST_LOOK_BYTES) {
    let walked = 0;
    for (const walker of walkers) {
      walked += walker.walk(share, buffer, (pcpu, header, data, wordsAt) => {
        if (isTimed(header)) finder.see(pcpu, header, data, wordsAt);
      });
    }
    looked += walked;
    if (walked === 0 || finder.isSure) break;
  }
  return finder.findings();
}

/** Whether a record has a TSC that means something. */
export function isTimed(header: number): boolean {
  return hasCycles(header) && (header & EVENT_MASK) !== TRC_TRACE_WRAP_BUFFER;
}

/** Learns from records with a TSC when the trace begins and how fast the TSC counts. */
export class ClockFinder {
  readonly #starts = new StartFinder();
  readonly #links = new LinkFinder();

  /** As {@link LinkFinder.see}. */
  see(pcpu: number, header: number, data: Uint32Array, wordsAt: number): void {
    this.#starts.see(pcpu, data[wordsAt - 2], data[wordsAt - 1]);
    this.#links.see(pcpu, header, data, wordsAt);
  }

  /** More records would not make it much surer. */
  get isSure(): boolean {
    return this.#links.totalNs >= NS_ENOUGH && this.#starts.found;
  }

  findings(): ClockFindings {
    return { tscStart: this.#starts.first(), frequency: deriveFrequency(this.#links) };
  }
}

/** Finds the smallest of the pCPUs' first TSCs, passing over those that lie far from all that follow. */
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
      const own = list.find((tsc, i) => isCredible(tsc, list.slice(i + 1)));
      if (own !== undefined && (first === undefined || own < first)) first = own;
    }
    return first ?? 0n;
  }
}

/** Whether a first TSC fits to those that follow it: neither far ahead of most of them, nor alone far behind. */
function isCredible(tsc: bigint, later: readonly bigint[]): boolean {
  const [next = tsc, second = next] = later;
  if (next - tsc > STRAY_TICKS && second > next && second - next < STRAY_TICKS) return false;
  return later.filter((other) => other < tsc - BigInt(JUMP_TICKS)).length * 2 <= later.length;
}
