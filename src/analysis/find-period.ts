/**
 * Whether instants come periodically, and with which period: a robust search that does not mind other instants between,
 * missing ones, or a period that drifts.
 *
 * The candidates are the lengths that most often lie between two instants. A candidate is followed from an instant: the
 * next one is due a period later, and it is a match where an instant lies within a fortieth of the period, and within a
 * millisecond, of that. From there, or from where it was due, one goes on; after two misses, from the next instant. A
 * candidate is accepted if at least {@link MATCHES_MIN} of the due instants match, and if instants at random would do
 * so with a probability below {@link CHANCE_MAX}: by Chernoff's bound, exp(-n KL(share, p)), times the number of tries,
 * p being the chance that one random instant lies there. Of those accepted the shortest is taken that matches
 * nearly as well as the best.
 * @module
 */

/** How far from where it is due an instant may be: a part of the period, and a time. */
const TOLERANCE = 1 / 40;
const TOLERANCE_NS_MAX = 1_000_000;
const MATCHES_MIN = 0.75;
const CHANCE_MAX = 1 / 1000;
/** Due instants below which nothing is called periodic. */
const PERIODS_MIN = 8;
/** Instants ahead to which lengths are measured: there may be so many in a period. */
const AHEAD = 16;
const CANDIDATES = 24;
const ANCHORS = 16;
/** Lengths fall into bins that are 0.5 % wide, up to 2^50 ns; three neighbours make a candidate. */
const BINS_PER_OCTAVE = 140;
const BINS = 50 * BINS_PER_OCTAVE;
/** A shorter period is preferred if it matches at least this part of what the best one does. */
const NEARLY = 0.85;

export interface Period {
  /** The median distance of two instants that match one after the other. */
  readonly periodNs: number;
  /** Index of the instant that it was followed from. */
  readonly anchor: number;
}

interface Match extends Period {
  readonly share: number;
}

/** How far from where it is due an instant may be. */
export function toleranceOf(periodNs: number): number {
  return Math.min(TOLERANCE * periodNs, TOLERANCE_NS_MAX);
}

/** @param times ascending */
export function findPeriod(times: Float64Array): Period | undefined {
  if (times.length <= PERIODS_MIN) return undefined;
  const accepted = candidates(times).flatMap((length) => follow(times, length) ?? []);
  const best = accepted.reduce((max, { share }) => Math.max(max, share), 0);
  return accepted
    .filter(({ share }) => share >= NEARLY * best)
    .reduce<Match | undefined>(
      (least, match) => (least === undefined || match.periodNs < least.periodNs ? match : least),
      undefined,
    );
}

/** Lengths that lie between instants most often: means of bins that stand out among the lengths, on a log scale. */
function candidates(times: Float64Array): number[] {
  const counts = new Uint16Array(BINS);
  const sums = new Float64Array(BINS);
  for (let from = 0; from < times.length; from++) {
    const last = Math.min(times.length - 1, from + AHEAD);
    for (let to = from + 1; to <= last; to++) {
      const length = times[to] - times[from];
      const bin = length < 1 ? BINS : (Math.log2(length) * BINS_PER_OCTAVE) | 0;
      if (bin >= BINS) continue;
      counts[bin]++;
      sums[bin] += length;
    }
  }
  return peaks(counts).map((bin) => {
    const total = (sums[bin - 1] ?? 0) + sums[bin] + (sums[bin + 1] ?? 0);
    return total / windowCount(counts, bin);
  });
}

/** The bins that have most together with their neighbours; no two of them are neighbours. */
function peaks(counts: Uint16Array): number[] {
  const bins: number[] = [];
  for (let bin = 0; bin < BINS; bin++) {
    if (counts[bin] > 0 && windowCount(counts, bin) >= PERIODS_MIN / 2) bins.push(bin);
  }
  bins.sort((a, b) => windowCount(counts, b) - windowCount(counts, a));
  const taken = new Uint8Array(BINS + 1);
  const chosen: number[] = [];
  for (const bin of bins) {
    if (taken[bin] === 1) continue;
    if (chosen.push(bin) === CANDIDATES) break;
    taken.fill(1, Math.max(0, bin - 1), bin + 2);
  }
  return chosen;
}

function windowCount(counts: Uint16Array, bin: number): number {
  return (counts[bin - 1] ?? 0) + counts[bin] + (counts[bin + 1] ?? 0);
}

/** The best way to follow `length` through the instants, if it is good enough. */
function follow(times: Float64Array, length: number): Match | undefined {
  const spanNs = times[times.length - 1] - times[0];
  // An instant matches one that is due and no other, so that many more due ones than instants cannot match.
  const dueMax = times.length / MATCHES_MIN;
  if (spanNs / length > dueMax) return undefined;
  const chance = 1 - Math.exp((-2 * toleranceOf(length) * times.length) / spanNs);
  if (!isSignificant(Math.floor(spanNs / length), 1, chance)) return undefined;
  let best: Match | undefined;
  for (let anchor = 0; anchor < ANCHORS && times[anchor] - times[0] < length; anchor++) {
    const { due, share, median } = walk(times, length, anchor, dueMax);
    if (share < MATCHES_MIN || share <= (best?.share ?? 0) || !isSignificant(due, share, chance)) continue;
    best = { periodNs: Math.round(median), anchor, share };
  }
  return best;
}

/** Goes from one due instant to the next, at most `dueMax`; gives up when too few can match any more. */
function walk(times: Float64Array, length: number, anchor: number, dueMax: number) {
  const tolerance = toleranceOf(length);
  const lastNs = times[times.length - 1];
  const missesMax = (1 - MATCHES_MIN) * ((lastNs - times[anchor]) / length) + 1;
  const lengths: number[] = [];
  let due = 0;
  let misses = 0;
  let at = anchor;
  let missedBefore = false;
  let dueNs = times[anchor] + length;
  for (; dueNs <= lastNs && misses <= missesMax && due <= dueMax; due++) {
    while (at + 1 < times.length && nearer(times[at + 1], times[at], dueNs)) at++;
    const missed = Math.abs(times[at] - dueNs) > tolerance;
    if (missed) misses++;
    else if (!missedBefore) lengths.push(times[at] - dueNs);
    // After two misses the pattern goes on from the next instant, wherever that is.
    if (missed && missedBefore && times[at] < dueNs) at++;
    dueNs = (missed && !missedBefore ? dueNs : times[at]) + length;
    missedBefore = missed && !missedBefore;
  }
  lengths.sort((a, b) => a - b);
  const median = length + (lengths.length === 0 ? 0 : lengths[lengths.length >>> 1]);
  return { due, share: due < PERIODS_MIN ? 0 : (due - misses) / due, median };
}

function nearer(a: number, b: number, to: number): boolean {
  return Math.abs(a - to) <= Math.abs(b - to);
}

/** Whether at least `share` of `due` instants match too well for chance, by Chernoff's bound times the tries. */
function isSignificant(due: number, share: number, chance: number): boolean {
  if (share <= chance) return false;
  const failures = share < 1 ? (1 - share) * Math.log((1 - share) / (1 - chance)) : 0;
  const logProbability = -due * (share * Math.log(share / chance) + failures);
  return logProbability + Math.log(ANCHORS * CANDIDATES) <= Math.log(CHANCE_MAX);
}
