/**
 * Follows what {@link findPeriod} found, start by start, over a trace of any length: lengths of frames, starts that
 * come late, frames without a start, and how the starts drift from an ideal grid.
 *
 * What speaks against the pattern (a late start, a frame without one) is held back until as many regular starts have
 * followed; where they do not, the pattern is over, and what was held back was never part of it.
 * @module
 */
import { type Period, toleranceOf } from './find-period.ts';
import { percentile, type SampleBudget, Samples } from './samples.ts';
import { ValueRange } from './value-range.ts';

/** Frames that are late or without a start, less the regular ones since, beyond which the pattern is over. */
const DOUBT_MAX = 8;
/** How much longer or shorter than the median frame the ideal one may be. Timers are late, never early. */
const IDEAL_LONGER = 0.001;
const IDEAL_SHORTER = 0.01;
/** By how many times what frames vary by the median may differ from the ideal: lateness is not so even. */
const IDEAL_STEADY = 8;
/** The precision of records' times. */
const PRECISION_NS = 1_000;

/** What a start means. */
type Finding =
  | { readonly kind: 'length'; readonly fromNs: number; readonly toNs: number }
  | { readonly kind: 'late'; readonly atNs: number; readonly byNs: number }
  | { readonly kind: 'skipped'; readonly frames: number; readonly fromNs: number }
  | { readonly kind: 'start'; readonly atNs: number; readonly frames: number; readonly regular: boolean };

/** A start, and how many frames it is after the last one on the grid. */
interface Start {
  readonly atNs: number;
  readonly frame: number;
}

export class FrameTracker {
  /** The median of the frames in which the pattern was found: what the others are held against. */
  readonly expectedNs: number;
  readonly firstNs: number;
  /** The last start that belongs to the pattern. */
  lastNs: number;
  /** Frames between the first and the last start, with and without a start of their own. */
  frames = 0;
  /** Starts within tolerance of where the one before lets expect them. */
  regular = 0;
  /** Starts that came later than that, and by how much. */
  readonly late = new ValueRange();
  /** Frames without a start, and when the first of them should have had one. */
  skipped = 0;
  skippedNs = Number.NaN;
  readonly lengths: Samples;
  lengthNsMin = Number.POSITIVE_INFINITY;
  /** How far the length of each frame is from the expected one. */
  readonly jitter: Samples;

  /** Sum of the squares of those. */
  #squares = 0;
  readonly #toleranceNs: number;
  /** The last start on the grid, and late ones after it: whether the frames go on from one of them is not known yet. */
  #gridNs: number;
  readonly #lates: number[] = [];
  #doubt = 0;
  #heldBack: Finding[] = [];
  /** Sums for the straight line through the starts: frame number x, deviation from the expected grid y. */
  #n = 1;
  #x = 0;
  #xx = 0;
  #y = 0;
  #xy = 0;
  #yy = 0;

  constructor({ periodNs }: Period, firstNs: number, budget: SampleBudget) {
    this.expectedNs = periodNs;
    this.firstNs = firstNs;
    this.lastNs = firstNs;
    this.lengths = new Samples(budget);
    this.jitter = new Samples(budget);
    this.#toleranceNs = toleranceOf(periodNs);
    this.#gridNs = firstNs;
  }

  /** @returns whether the pattern still holds */
  add(startNs: number): boolean {
    const frames = this.#framesBetween(this.#gridNs, startNs);
    if (frames > 0) this.#acceptOnGrid(startNs, frames);
    else if (!this.#acceptAfterLate(startNs)) this.#noteLate(startNs);
    return this.#doubt <= DOUBT_MAX && startNs - this.#gridNs <= (DOUBT_MAX + 1) * this.expectedNs;
  }

  /** The trace ends: what is held back counts. */
  finish(): void {
    for (const finding of this.#heldBack) this.#count(finding);
    this.#heldBack = [];
  }

  /**
   * The round length that was probably meant, if there is one near; else undefined. Frames that differ from it more
   * evenly than lateness would were not meant to have it.
   */
  get idealNs(): number | undefined {
    const median = this.medianNs;
    const ideal = idealLength(median);
    const variation = Math.sqrt(this.#squares / Math.max(1, this.lengths.count));
    const steady = Math.abs(median - (ideal ?? 0)) > Math.max(PRECISION_NS, IDEAL_STEADY * variation);
    return steady ? undefined : ideal;
  }

  /** The median frame. */
  get medianNs(): number {
    return percentile([this.lengths], 500) ?? this.expectedNs;
  }

  /** The straight line through all starts: how much longer its frames are than expected; how far off starts are. */
  line(): { slopeNs: number; deviationNs: number } {
    const n = this.#n;
    const sxx = this.#xx - (this.#x * this.#x) / n;
    const sxy = this.#xy - (this.#x * this.#y) / n;
    const syy = this.#yy - (this.#y * this.#y) / n;
    const slopeNs = sxx > 0 ? sxy / sxx : 0;
    return { slopeNs, deviationNs: Math.sqrt(Math.max(0, syy - slopeNs * sxy) / n) };
  }

  /** How many frames lie between two starts, 1 or more; 0 where it is no whole number of them. */
  #framesBetween(fromNs: number, toNs: number): number {
    const frames = Math.round((toNs - fromNs) / this.expectedNs);
    return Math.abs(toNs - fromNs - frames * this.expectedNs) <= this.#toleranceNs ? frames : 0;
  }

  /** A start where the grid has one, so many frames after the last; what was late between was only so for itself. */
  #acceptOnGrid(startNs: number, frames: number): void {
    if (frames === 1 && this.#doubt === 0 && this.#lates.length === 0) {
      // Nearly every start is one of these.
      this.#countLength(this.#gridNs, startNs);
      this.#countStart(startNs, 1, true);
      this.#gridNs = startNs;
      return;
    }
    const last = this.#takeLates(this.#lates.length);
    const since = frames - last.frame;
    if (since === 1) this.#find({ kind: 'length', fromNs: last.atNs, toNs: startNs });
    else this.#skip(last, since - 1);
    this.#find({ kind: 'start', atNs: startNs, frames: since, regular: true });
    this.#gridNs = startNs;
    if (frames === 1 && this.#doubt > 0 && --this.#doubt === 0) this.finish();
  }

  /** A start one frame after one that was late: the frames go on from there. */
  #acceptAfterLate(startNs: number): boolean {
    const late = this.#lates.findLastIndex((lateNs) => this.#framesBetween(lateNs, startNs) === 1);
    if (late < 0) return false;
    this.#gridNs = this.#takeLates(late + 1).atNs;
    this.#acceptOnGrid(startNs, 1);
    return true;
  }

  /** The first start in a frame that did not start in time may be a late one. */
  #noteLate(startNs: number): void {
    const lastNs = this.#lates.at(-1);
    const lastFrame = lastNs === undefined ? 0 : this.#frameOf(lastNs);
    if (this.#frameOf(startNs) > lastFrame) this.#lates.push(startNs);
  }

  /** Takes the first `count` late starts for what they were. */
  #takeLates(count: number): Start {
    let last: Start = { atNs: this.#gridNs, frame: 0 };
    for (let index = 0; index < count; index++) {
      const atNs = this.#lates[index];
      const frame = this.#frameOf(atNs);
      this.#doubt++;
      this.#skip(last, frame - last.frame - 1);
      this.#find({ kind: 'late', atNs, byNs: atNs - this.#gridNs - frame * this.expectedNs });
      if (frame - last.frame === 1) this.#find({ kind: 'length', fromNs: last.atNs, toNs: atNs });
      this.#find({ kind: 'start', atNs, frames: frame - last.frame, regular: false });
      last = { atNs, frame };
    }
    this.#lates.length = 0;
    return last;
  }

  #skip({ frame }: Start, frames: number): void {
    if (frames <= 0) return;
    this.#doubt += frames;
    this.#find({ kind: 'skipped', frames, fromNs: this.#gridNs + (frame + 1) * this.expectedNs });
  }

  /** In which frame after the last start on the grid an instant is: 0 is the one that began with that start. */
  #frameOf(ns: number): number {
    return Math.floor((ns - this.#gridNs - this.#toleranceNs) / this.expectedNs);
  }

  #find(finding: Finding): void {
    if (this.#doubt > 0) this.#heldBack.push(finding);
    else this.#count(finding);
  }

  #count(finding: Finding): void {
    switch (finding.kind) {
      case 'length':
        this.#countLength(finding.fromNs, finding.toNs);
        return;
      case 'late':
        this.late.add(finding.byNs, finding.atNs);
        return;
      case 'skipped':
        if (this.skipped === 0) this.skippedNs = finding.fromNs;
        this.skipped += finding.frames;
        return;
      case 'start':
        this.#countStart(finding.atNs, finding.frames, finding.regular);
    }
  }

  #countLength(fromNs: number, toNs: number): void {
    const ns = toNs - fromNs;
    this.lengths.add(ns, fromNs);
    this.lengthNsMin = Math.min(this.lengthNsMin, ns);
    this.jitter.add(Math.abs(ns - this.expectedNs), fromNs);
    this.#squares += (ns - this.expectedNs) ** 2;
  }

  /** A start, so many frames after the last one. */
  #countStart(startNs: number, frames: number, isRegular: boolean): void {
    if (isRegular) this.regular++;
    this.lastNs = startNs;
    this.frames += frames;
    const x = this.frames;
    const y = startNs - this.firstNs - x * this.expectedNs;
    this.#n++;
    this.#x += x;
    this.#xx += x * x;
    this.#y += y;
    this.#xy += x * y;
    this.#yy += y * y;
  }
}

/**
 * The round length near `ns` that somebody may have asked for: of one significant digit, or of two with a 5 as the
 * second, such as 20 ms, 25 ms or 1.5 ms. At most {@link IDEAL_SHORTER} shorter or {@link IDEAL_LONGER} longer.
 */
export function idealLength(ns: number): number | undefined {
  const unit = 10 ** Math.floor(Math.log10(ns * (1 + IDEAL_LONGER)));
  for (const step of [unit, unit / 2]) {
    const round = Math.round(ns / step) * step;
    const excess = round / ns - 1;
    if (Number.isInteger(round) && excess <= IDEAL_LONGER && excess >= -IDEAL_SHORTER) return round;
  }
  return undefined;
}
