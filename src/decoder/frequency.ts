import { EVENT_MASK, extraWordsOf } from '../format/index.ts';
import { PCPU_LIMIT } from './window-index.ts';

/** The frequency of the TSC, as the trace tells it. */
export interface Frequency {
  readonly hz: number;
  /** Stretches between two records that tell the time both in ticks and in nanoseconds. */
  readonly pairs: number;
  /** The middle half of the pieces lies within this range, in millionths. */
  readonly spreadPpm: number;
}

const TRC_SCHED_SWITCH_INFPREV = 0x0002800e;
const TRC_SCHED_SWITCH_INFNEXT = 0x0002800f;
const TRC_SCHED_SWITCH_INFCONT = 0x00028011;

const LINKS_MAX = 200_000;
/** With less than this the trace cannot tell its frequency. */
const LINKS_NEEDED = 5;
const NS_NEEDED = 1e6;
/**
 * For a first estimate: shorter links are mostly jitter, longer ones count no more than the second number.
 */
const ROUGH_NS_MIN = 5_000;
const ROUGH_NS_WEIGHT_MAX = 10_000_000;
/** So many of them are enough for it. */
const ROUGH_LINKS = 5000;
/** A TSC slower or faster than this (ticks per nanosecond) does not exist. */
const TICKS_PER_NS_MIN = 0.02;
const TICKS_PER_NS_MAX = 20;
/** Xen cuts its nanoseconds to 32 bits. */
const NS_WRAP = 2 ** 32;
/** A link that misses the rough frequency by more than this tells of two different runs. */
const FALSE_LINK_NS = 1_000_000;
const PIECE_NS = 500_000_000;
/** A clock without jitter, as a simulator has it, misses by no more ticks than records share an instant. */
const EXACT_TICKS = 1000;

/**
 * Collects, per pCPU, what its switches say about time. At a switch Xen reads its clock once and writes two
 * records: INFPREV, with the nanoseconds that the vCPU ran which is leaving, and INFNEXT, which names the
 * vCPU that is coming. INFCONT says how long a vCPU that goes on has run so far. So between two of these
 * records on one pCPU that speak of the same run, both the ticks and the nanoseconds are known: a link.
 * Consecutive links form chains, whose jitter is only that of their two ends.
 */
export class LinkFinder {
  readonly pcpu: number[] = [];
  readonly startTsc: number[] = [];
  readonly endTsc: number[] = [];
  readonly ns: number[] = [];
  totalNs = 0;
  /** The last point of each pCPU: when, who runs, and for how long already; TSC NaN: none. */
  readonly #tsc = new Float64Array(PCPU_LIMIT).fill(Number.NaN);
  readonly #dom = new Uint32Array(PCPU_LIMIT);
  readonly #vcpu = new Int32Array(PCPU_LIMIT);
  readonly #ranNs = new Float64Array(PCPU_LIMIT);

  /** @param at Position of the first extra word; the record carries a TSC. */
  see(pcpu: number, header: number, data: Uint32Array, at: number): void {
    const event = header & EVENT_MASK;
    if (event < TRC_SCHED_SWITCH_INFPREV || event > TRC_SCHED_SWITCH_INFCONT) return;
    const words = extraWordsOf(header);
    // A float may be off by a tick beyond 2^53, which does not matter for a run of microseconds.
    const tsc = data[at - 1] * 2 ** 32 + data[at - 2];
    if (event === TRC_SCHED_SWITCH_INFNEXT && (words === 3 || words === 4)) {
      this.#dom[pcpu] = data[at];
      this.#vcpu[pcpu] = words === 4 ? data[at + 1] | 0 : -1;
      this.#ranNs[pcpu] = 0;
    } else if (event === TRC_SCHED_SWITCH_INFPREV && (words === 2 || words === 3)) {
      this.#reach(pcpu, data[at], words === 3 ? data[at + 1] | 0 : -1, tsc, data[at + words - 1]);
    } else if (event === TRC_SCHED_SWITCH_INFCONT && words === 4) {
      this.#reach(pcpu, data[at], data[at + 1] | 0, tsc, data[at + 2]);
    }
  }

  #reach(pcpu: number, dom: number, vcpu: number, tsc: number, ranNs: number): void {
    const sameRun = this.#dom[pcpu] === dom && this.#vcpu[pcpu] === vcpu && ranNs > this.#ranNs[pcpu];
    if (sameRun && tsc > this.#tsc[pcpu] && this.ns.length < LINKS_MAX) {
      this.pcpu.push(pcpu);
      this.startTsc.push(this.#tsc[pcpu]);
      this.endTsc.push(tsc);
      this.ns.push(ranNs - this.#ranNs[pcpu]);
      this.totalNs += ranNs - this.#ranNs[pcpu];
    }
    this.#tsc[pcpu] = tsc;
    this.#dom[pcpu] = dom;
    this.#vcpu[pcpu] = vcpu;
    this.#ranNs[pcpu] = ranNs;
  }
}

/** A stretch of one pCPU's time, in ticks and in nanoseconds. */
interface Piece {
  readonly ticks: number;
  readonly ns: number;
}

/**
 * The frequency that the links tell; undefined where they are too few.
 *
 * Links are joined to pieces of up to half a second and their median is taken, weighted by length: Xen steers
 * the clock of each pCPU towards the platform's, which may make one of them run off for a while. A single
 * pCPU has no others to be compared with; there the mean is better, because the steering undoes its own
 * errors.
 */
export function deriveFrequency(links: LinkFinder): Frequency | undefined {
  if (links.ns.length < LINKS_NEEDED) return undefined;
  const rough = roughTicksPerNs(links);
  if (rough === undefined) return undefined;
  const { pieces, pcpus } = joinLinks(links, rough);
  const ns = pieces.reduce((sum, piece) => sum + piece.ns, 0);
  if (ns < NS_NEEDED) return undefined;
  const median = weightedQuantile(pieces, 0.5);
  const mean = pieces.reduce((sum, piece) => sum + piece.ticks, 0) / ns;
  const hz = exactHz(pieces, (pcpus > 1 ? median : mean) * 1e9);
  const spread = weightedQuantile(pieces, 0.75) - weightedQuantile(pieces, 0.25);
  return { hz, pairs: links.ns.length, spreadPpm: (spread / median) * 1e6 };
}

/** The median of the links' ratios: right to a percent, whatever single links say. */
function roughTicksPerNs(links: LinkFinder): number | undefined {
  const pieces: Piece[] = [];
  const step = Math.ceil(links.ns.length / ROUGH_LINKS);
  for (let i = 0; i < links.ns.length; i += step) {
    const ticksPerNs = (links.endTsc[i] - links.startTsc[i]) / links.ns[i];
    if (links.ns[i] < ROUGH_NS_MIN || ticksPerNs < TICKS_PER_NS_MIN || ticksPerNs > TICKS_PER_NS_MAX)
      continue;
    const ns = Math.min(links.ns[i], ROUGH_NS_WEIGHT_MAX);
    pieces.push({ ticks: ticksPerNs * ns, ns });
  }
  return pieces.length === 0 ? undefined : weightedQuantile(pieces, 0.5);
}

/** Joins adjacent links of a pCPU, leaves out false ones and adds what the cut to 32 bits took away. */
function joinLinks(links: LinkFinder, ticksPerNs: number): { pieces: Piece[]; pcpus: number } {
  const pieces: Piece[] = [];
  const open = new Map<number, { start: number; end: number; ns: number }>();
  for (let i = 0; i < links.ns.length; i++) {
    const pcpu = links.pcpu[i];
    const expectedNs = (links.endTsc[i] - links.startTsc[i]) / ticksPerNs;
    const ns = links.ns[i] + Math.max(0, Math.round((expectedNs - links.ns[i]) / NS_WRAP)) * NS_WRAP;
    const isFalse = Math.abs(expectedNs - ns) > Math.max(FALSE_LINK_NS, ns / 50);
    const chain = open.get(pcpu);
    if (chain && !isFalse && chain.end === links.startTsc[i] && chain.ns < PIECE_NS) {
      chain.end = links.endTsc[i];
      chain.ns += ns;
      continue;
    }
    if (chain) pieces.push({ ticks: chain.end - chain.start, ns: chain.ns });
    if (isFalse) open.delete(pcpu);
    else open.set(pcpu, { start: links.startTsc[i], end: links.endTsc[i], ns });
  }
  for (const chain of open.values()) pieces.push({ ticks: chain.end - chain.start, ns: chain.ns });
  return { pieces, pcpus: new Set(links.pcpu).size };
}

/** The ticks per nanosecond below which `fraction` of all nanoseconds lie. */
function weightedQuantile(pieces: readonly Piece[], fraction: number): number {
  const sorted = [...pieces].sort((a, b) => a.ticks / a.ns - b.ticks / b.ns);
  const total = sorted.reduce((sum, piece) => sum + piece.ns, 0);
  let sum = 0;
  for (const piece of sorted) {
    sum += piece.ns;
    if (sum >= fraction * total) return piece.ticks / piece.ns;
  }
  return Number.NaN;
}

/**
 * `hz` to a whole number. Where the clock has no jitter at all (nine of ten pieces fit to a few ticks), the
 * roundest number that fits as well is meant: the few ticks come from records that share an instant, of which
 * each has a TSC of its own, and not from the frequency. For a real TSC this changes less than a millionth.
 */
function exactHz(pieces: readonly Piece[], hz: number): number {
  const errors = (candidate: number) =>
    pieces.map(({ ticks, ns }) => Math.abs(ticks - (ns * candidate) / 1e9));
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const own = errors(hz);
  if (own.filter((error) => error <= EXACT_TICKS).length >= 0.9 * own.length) {
    for (const unit of [1e6, 1e3]) {
      const round = Math.round(hz / unit) * unit;
      if (round > 0 && mean(errors(round)) <= mean(own) + EXACT_TICKS / 2) return round;
    }
  }
  return Math.round(hz);
}
