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

/** How many lengths fell into each bin, and their sum: zero between two searches. */
const counts = new Uint16Array(BINS + 1);
const sums = new Float64Array(BINS + 1);

/** Lengths that lie between instants most often: means of bins that stand out among the lengths, on a log scale. */
function candidates(times: Float64Array): number[] {
  const used: number[] = [];
  for (let from = 0; from < times.length; from++) {
    const last = Math.min(times.length - 1, from + AHEAD);
    for (let to = from + 1; to <= last; to++) {
      const length = times[to] - times[from];
      const bin = binOf(length);
      if (bin < 0) continue;
      if (counts[bin]++ === 0) used.push(bin);
      sums[bin] += length;
    }
  }
  const means = peaks(used).map((bin) => {
    const total = (sums[bin - 1] ?? 0) + sums[bin] + sums[bin + 1];
    return total / windowCount(bin);
  });
  for (const bin of used) {
    counts[bin] = 0;
    sums[bin] = 0;
  }
  return means;
}

/** The bins that have most together with their neighbours, the lowest first of those with as many; no neighbours. */
function peaks(used: readonly number[]): number[] {
  const keys = new Float64Array(used.length);
  let length = 0;
  for (const bin of used) {
    const count = windowCount(bin);
    if (count >= PERIODS_MIN / 2) keys[length++] = count * BINS - bin;
  }
  keys.subarray(0, length).sort();
  const chosen: number[] = [];
  while (length > 0 && chosen.length < CANDIDATES) {
    const key = keys[--length];
    const bin = Math.ceil(key / BINS) * BINS - key;
    if (chosen.every((other) => Math.abs(other - bin) > 1)) chosen.push(bin);
  }
  return chosen;
}

/** Where bins begin, and the bin of each 2048th of an octave, which has no more than one border. */
const BORDERS = Float64Array.from({ length: BINS + 1 }, (_, bin) => 2 ** (bin / BINS_PER_OCTAVE));
const BIN_OF_PART = Uint8Array.from(
  { length: 2048 },
  (_, part) => Math.log2(1 + part / 2048) * BINS_PER_OCTAVE,
);

/** Of a length from 1 ns on; negative for what has none. A search has thousands: most do without a logarithm. */
function binOf(length: number): number {
  if (length < 1 || length >= BORDERS[BINS]) return -1;
  if (length >= 2 ** 31) return Math.floor(Math.log2(length) * BINS_PER_OCTAVE);
  const zeros = Math.clz32(length);
  const part = ((length << zeros) >>> 20) & 2047;
  const bin = (31 - zeros) * BINS_PER_OCTAVE + BIN_OF_PART[part];
  return length < BORDERS[bin + 1] ? bin : bin + 1;
}

function windowCount(bin: number): number {
  return (counts[bin - 1] ?? 0) + counts[bin] + counts[bin + 1];
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
    const { due, share, errors } = walk(times, length, anchor, dueMax);
    if (share < MATCHES_MIN || share <= (best?.share ?? 0) || !isSignificant(due, share, chance)) continue;
    errors.sort((a, b) => a - b);
    const median = length + (errors[errors.length >>> 1] ?? 0);
    best = { periodNs: Math.round(median), anchor, share };
  }
  return best;
}

/**
 * Goes from one due instant to the next, at most `dueMax`; gives up when too few can match any more. The errors are by
 * how much instants that match came later than was due, where the one before matched as well.
 */
function walk(times: Float64Array, length: number, anchor: number, dueMax: number) {
  const tolerance = toleranceOf(length);
  const lastNs = times[times.length - 1];
  const missesMax = (1 - MATCHES_MIN) * ((lastNs - times[anchor]) / length) + 1;
  const errors: number[] = [];
  let due = 0;
  let misses = 0;
  let at = anchor;
  let missedBefore = false;
  let dueNs = times[anchor] + length;
  for (; dueNs <= lastNs && misses <= missesMax && due <= dueMax; due++) {
    while (at + 1 < times.length && nearer(times[at + 1], times[at], dueNs)) at++;
    const missed = Math.abs(times[at] - dueNs) > tolerance;
    if (missed) misses++;
    else if (!missedBefore) errors.push(times[at] - dueNs);
    // After two misses the pattern goes on from the next instant, wherever that is.
    if (missed && missedBefore && times[at] < dueNs) at++;
    dueNs = (missed && !missedBefore ? dueNs : times[at]) + length;
    missedBefore = missed && !missedBefore;
  }
  return { due, share: due < PERIODS_MIN ? 0 : (due - misses) / due, errors };
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
