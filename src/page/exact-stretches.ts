/**
 * Every interval, wait and mark of those stretches of a trace that are worth it, in bounded memory, in one pass.
 *
 * Time is cut into stretches of about {@link STRETCH_ROWS} intervals. An interval is kept in every stretch that it
 * touches, so that a stretch by itself shows all that went on in it. When memory is full, the stretches with the
 * shortest waits go; so do, at the end, those for which the page has no room. The first one stays.
 * @module
 */
import { Columns } from './columns.ts';

/** Intervals after which a stretch ends; more where there are many vCPUs, as each has an interval that touches two. */
const STRETCH_ROWS = 1024;
const STRETCH_ROWS_PER_VCPU = 4;
/** Rows held, unless more are asked for: about 70 MiB. */
export const ROWS_MAX = 3 << 20;
/** A missed deadline makes a stretch more interesting than any wait. */
const MISS_INTEREST_NS = 2 ** 52;

const createIntervals = (rows: number) => ({
  vcpu: new Int32Array(rows),
  state: new Uint8Array(rows),
  pcpu: new Int32Array(rows),
  startNs: new Float64Array(rows),
  endNs: new Float64Array(rows),
});
const createParts = (rows: number) => ({
  vcpu: new Int32Array(rows),
  startNs: new Float64Array(rows),
  endNs: new Float64Array(rows),
  culprit: new Int32Array(rows),
  reason: new Uint8Array(rows),
  ns: new Float64Array(rows),
});
const createPoints = (rows: number) => ({
  vcpu: new Int32Array(rows),
  kind: new Uint8Array(rows),
  tNs: new Float64Array(rows),
  value: new Float64Array(rows),
});
export type Intervals = Columns<ReturnType<typeof createIntervals>>;
export type Parts = Columns<ReturnType<typeof createParts>>;
/** Marks, or samples of curves: `kind` says which. */
export type Points = Columns<ReturnType<typeof createPoints>>;

export class Stretch {
  readonly fromNs: number;
  toNs = Number.POSITIVE_INFINITY;
  /** The longest wait in it, or more where a deadline was missed. */
  interest = 0;
  readonly intervals: Intervals = new Columns(createIntervals(STRETCH_ROWS + 512));
  readonly parts: Parts = new Columns(createParts(64));
  readonly marks: Points = new Columns(createPoints(16));
  readonly samples: Points = new Columns(createPoints(16));

  constructor(fromNs: number) {
    this.fromNs = fromNs;
  }

  get rows(): number {
    return this.intervals.count + this.parts.count + this.marks.count + this.samples.count;
  }
}

export class ExactStretches {
  /** Intervals heard of. */
  intervals = 0;
  readonly #rowsMax: number;
  readonly #stretchRows: number;
  /** Those that are kept, in the order of time; the last one is open. */
  readonly #stretches: Stretch[];
  /** Rows of those that are closed. */
  #rows = 0;
  /** The latest end of an interval so far. */
  #latestNs: number;
  /** Since the present stretch began. */
  #fresh = 0;
  #vcpus = 0;
  /** What came before the stretch that it belongs to was closed, in the order of time, but for misses. */
  readonly #partsAhead: Parts = new Columns(createParts(1024));
  readonly #marksAhead: Points = new Columns(createPoints(1024));
  readonly #samplesAhead: Points = new Columns(createPoints(1024));
  readonly #missesNs: number[] = [];

  /** @param limits for tests */
  constructor(fromNs: number, { rowsMax = ROWS_MAX, stretchRows = STRETCH_ROWS } = {}) {
    this.#rowsMax = rowsMax;
    this.#stretchRows = stretchRows;
    this.#latestNs = fromNs;
    this.#stretches = [new Stretch(fromNs)];
  }

  /** Takes an interval; `waited` where it was spent waiting. */
  addInterval(
    vcpu: number,
    state: number,
    pcpu: number,
    startNs: number,
    endNs: number,
    waited: boolean,
  ): void {
    this.intervals++;
    for (let index = this.#stretches.length - 1; index >= 0; index--) {
      const stretch = this.#stretches[index];
      if (stretch.toNs <= startNs) break;
      if (stretch.fromNs >= endNs && startNs !== endNs) continue;
      const { columns } = stretch.intervals;
      const row = stretch.intervals.push();
      columns.vcpu[row] = vcpu;
      columns.state[row] = state;
      columns.pcpu[row] = pcpu;
      columns.startNs[row] = startNs;
      columns.endNs[row] = endNs;
      if (stretch.toNs !== Number.POSITIVE_INFINITY) this.#rows++;
      if (waited) stretch.interest = Math.max(stretch.interest, endNs - startNs);
    }
    if (endNs > this.#latestNs) this.#latestNs = endNs;
    if (vcpu >= this.#vcpus) this.#vcpus = vcpu + 1;
    const enough = Math.max(this.#stretchRows, STRETCH_ROWS_PER_VCPU * this.#vcpus);
    if (++this.#fresh >= enough && this.#latestNs > this.#stretches.at(-1)!.fromNs) this.#turn();
  }

  /** Takes a part of a wait; those of one wait come together, and waits in the order of their ends. */
  addPart(vcpu: number, startNs: number, endNs: number, culprit: number, reason: number, ns: number): void {
    const row = this.#partsAhead.push();
    const { columns } = this.#partsAhead;
    columns.vcpu[row] = vcpu;
    columns.startNs[row] = startNs;
    columns.endNs[row] = endNs;
    columns.culprit[row] = culprit;
    columns.reason[row] = reason;
    columns.ns[row] = ns;
  }

  /** Takes a mark, in the order of time. */
  addMark(kind: number, vcpu: number, tNs: number, value: number): void {
    addPoint(this.#marksAhead, kind, vcpu, tNs, value);
  }

  /** Takes a sample of a curve, in the order of time. */
  addSample(kind: number, vcpu: number, tNs: number, value: number): void {
    addPoint(this.#samplesAhead, kind, vcpu, tNs, value);
  }

  /** A deadline was missed, which may be told late. */
  noteMiss(tNs: number): void {
    const stretch = this.#stretches.find(({ toNs }) => tNs < toNs);
    if (stretch !== undefined && stretch.toNs !== Number.POSITIVE_INFINITY) raise(stretch, tNs);
    else this.#missesNs.push(tNs);
  }

  /**
   * Ends the last stretch, and gives those that have at most `rowsMax` rows, in order: the first one, the most
   * interesting ones for half of the room, and others evenly over the trace.
   */
  finish(endNs: number, rowsMax: number): Stretch[] {
    this.#latestNs = Math.max(endNs, this.#latestNs);
    this.#close(this.#stretches.at(-1)!, this.#latestNs);
    const [first, ...others] = this.#stretches;
    const kept = new Set([first]);
    let rows = first.rows;
    const keep = (stretch: Stretch, most: number) => {
      if (rows + stretch.rows > most) return;
      kept.add(stretch);
      rows += stretch.rows;
    };
    const rest = this.#stretches.reduce((sum, stretch) => sum + stretch.rows, 0);
    if (rest <= rowsMax) return this.#stretches;
    for (const stretch of others.toSorted((a, b) => b.interest - a.interest)) keep(stretch, rowsMax / 2);
    const dull = others.filter((stretch) => !kept.has(stretch));
    const step = Math.max(1, rest / Math.max(1, rowsMax - rows));
    for (let at = 0; at < dull.length; at += step) keep(dull[Math.floor(at)], rowsMax);
    return [...kept].sort((a, b) => a.fromNs - b.fromNs);
  }

  /** The next stretch begins. */
  #turn(): void {
    const stretch = this.#stretches.at(-1)!;
    this.#close(stretch, this.#latestNs);
    this.#rows += stretch.intervals.count;
    this.#fresh = 0;
    while (this.#rows > this.#rowsMax && this.#stretches.length > 2) this.#dropOne();
    this.#stretches.push(new Stretch(this.#latestNs));
  }

  /** What came ahead is put where it belongs. */
  #close(stretch: Stretch, toNs: number): void {
    stretch.toNs = toNs;
    for (const tNs of this.#missesNs.splice(0)) this.noteMiss(tNs);
    this.#dealParts(toNs);
    this.#dealPoints(this.#marksAhead, toNs, (of) => of.marks);
    this.#dealPoints(this.#samplesAhead, toNs, (of) => of.samples);
  }

  /** Parts of waits that end until `toNs` go to the stretches that the waits touch. */
  #dealParts(toNs: number): void {
    const ahead = this.#partsAhead;
    const { vcpu, startNs, endNs, culprit, reason, ns } = ahead.columns;
    let row = ahead.first;
    for (; row < ahead.count && endNs[row] <= toNs; row++) {
      for (let index = this.#stretches.length - 1; index >= 0; index--) {
        const { fromNs, toNs: untilNs, parts } = this.#stretches[index];
        if (untilNs <= startNs[row]) break;
        if (fromNs >= endNs[row]) continue;
        const at = parts.push();
        const { columns } = parts;
        columns.vcpu[at] = vcpu[row];
        columns.startNs[at] = startNs[row];
        columns.endNs[at] = endNs[row];
        columns.culprit[at] = culprit[row];
        columns.reason[at] = reason[row];
        columns.ns[at] = ns[row];
        this.#rows++;
      }
    }
    ahead.dropUntil(row);
  }

  /** Points until `toNs` go to the stretch that they are in, if it is kept. */
  #dealPoints(ahead: Points, toNs: number, pointsOf: (stretch: Stretch) => Points): void {
    const { vcpu, kind, tNs, value } = ahead.columns;
    let index = 0;
    let row = ahead.first;
    for (; row < ahead.count && tNs[row] <= toNs; row++) {
      while (index < this.#stretches.length - 1 && this.#stretches[index].toNs <= tNs[row]) index++;
      const stretch = this.#stretches[index];
      if (tNs[row] < stretch.fromNs) continue;
      addPoint(pointsOf(stretch), kind[row], vcpu[row], tNs[row], value[row]);
      this.#rows++;
    }
    ahead.dropUntil(row);
  }

  /** Drops the stretch with the shortest waits, but for the first one. */
  #dropOne(): void {
    let dull = 1;
    for (let index = 2; index < this.#stretches.length; index++) {
      if (this.#stretches[index].interest < this.#stretches[dull].interest) dull = index;
    }
    const [dropped] = this.#stretches.splice(dull, 1);
    this.#rows -= dropped.rows;
  }
}

function addPoint(points: Points, kind: number, vcpu: number, tNs: number, value: number): void {
  const row = points.push();
  const { columns } = points;
  columns.kind[row] = kind;
  columns.vcpu[row] = vcpu;
  columns.tNs[row] = tNs;
  columns.value[row] = value;
}

function raise(stretch: Stretch, tNs: number): void {
  if (tNs >= stretch.fromNs) stretch.interest = MISS_INTEREST_NS;
}
