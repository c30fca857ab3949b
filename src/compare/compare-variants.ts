import { mean } from '../analysis/statistics.ts';
import { UserError } from '../base/errors.ts';
import { Bootstrap, type ConfidenceInterval } from './bootstrap.ts';
import { benjaminiHochberg, holm } from './corrections.ts';
import { cohensD, varghaDelaneyA } from './effect-size.ts';
import { allMetrics, type Figures, type Metric } from './metric.ts';
import { SignFlipTest } from './sign-flip-test.ts';
import { judge, MARGIN_DEFAULT, marginOf, SIGNIFICANCE, type Verdict } from './verdict.ts';

/**
 * Fewer pairs carry no 95 % interval: that all their differences lie on one side of the truth, and with them
 * every mean that can be drawn from them, happens with a probability of 2 / 2^n.
 */
export const INTERVAL_SEEDS_MIN = 6;

/** One way of running a scenario, and what each of its runs says, in the order of the seeds. */
export interface VariantRuns {
  readonly name: string;
  /** Run i of every variant has the same seed. */
  readonly runs: readonly Figures[];
}

/** One figure of a variant against the baseline's, over the seeds that have it in both. */
export interface VariantComparison {
  readonly metric: Metric;
  /** Names of the two. */
  readonly baseline: string;
  readonly variant: string;
  /** Seeds that have the figure in both; the rest is about these. */
  readonly seeds: number;
  /** Seeds that have it in the baseline, and in the variant. */
  readonly seedsBaseline: number;
  readonly seedsVariant: number;
  /** In the figure's unit, as the difference; null where no seed has it in both. */
  readonly baselineMean: number | null;
  readonly variantMean: number | null;
  /** Mean of the paired differences, variant less baseline. */
  readonly difference: number | null;
  /**
   * 95 %, expanded BCa bootstrap; null without chance, or with fewer seeds than {@link INTERVAL_SEEDS_MIN}.
   */
  readonly differenceInterval: ConfidenceInterval | null;
  /** Of the means; null where the baseline's is 0 or a figure is negative. */
  readonly ratio: number | null;
  /** As {@link differenceInterval}. */
  readonly ratioInterval: ConfidenceInterval | null;
  /** Of the sign-flip test; null where there is nothing to test: no difference in any seed, or no chance. */
  readonly p: number | null;
  /** `p` corrected for the number of figures that are tested. */
  readonly pAdjusted: number | null;
  /** How: by Holm's method for headline figures, by Benjamini and Hochberg's for the others. */
  readonly correction: 'holm' | 'benjamini-hochberg' | null;
  /** Mean of the differences over their standard deviation (d_z, Lakens 2013); null where they do not vary. */
  readonly cohensD: number | null;
  /** How likely a run of the variant has more than one of the baseline (Vargha and Delaney 2000); 0.5: as not. */
  readonly varghaDelaneyA: number | null;
  /** Seeds in which the variant has more, and less. */
  readonly seedsHigher: number;
  readonly seedsLower: number;
  readonly verdict: Verdict;
}

/** Every variant against the baseline, and what the statements rest on. */
export interface VariantsComparison {
  readonly baseline: string;
  readonly variants: readonly string[];
  /** Runs of each variant. */
  readonly seeds: number;
  /** No figure of any variant depends on the seed: one run says all. */
  readonly deterministic: boolean;
  /** Within this part of the baseline's mean variants count as equal. */
  readonly margin: number;
  /** Headline figures that Holm's correction is for, over all pairs of variants; the others likewise. */
  readonly headlinesTested: number;
  readonly othersTested: number;
  /** The smallest corrected p-value of a headline figure that so many seeds could have given. */
  readonly pAdjustedLeast: number | null;
  /** Variant by variant, headline figures first. */
  readonly comparisons: readonly VariantComparison[];
}

/**
 * Compares each variant with the baseline, figure by figure. Runs with the same place in `runs` have the same
 * seed, so that what is drawn at random is alike and cancels: the differences are paired.
 *
 * p-values of headline figures are corrected together by Holm's method, since each of them may become a
 * sentence and no sentence should be false; those of all others together by Benjamini and Hochberg's, since
 * they are a list to look through and Holm would hide nearly all of it.
 *
 * @param options `margin`: within which part of the baseline's mean variants count as equal, {@link MARGIN_DEFAULT}
 * @throws UserError unpaired-runs, where a variant has not as many runs as the baseline.
 */
export function compareVariants(
  baseline: VariantRuns,
  variants: readonly VariantRuns[],
  options: { readonly margin?: number | undefined } = {},
): VariantsComparison {
  const { margin = MARGIN_DEFAULT } = options;
  const seeds = baseline.runs.length;
  for (const { name, runs } of variants) {
    if (runs.length === seeds) continue;
    const sentence = `${name} has ${runs.length} runs, ${baseline.name} as the baseline has ${seeds}`;
    throw new UserError('unpaired-runs', sentence, { hint: 'the runs are paired, seed by seed' });
  }
  const deterministic = seeds > 1 && [baseline, ...variants].every(isDeterministic);
  const tools = new Tools();
  const pairs = variants.flatMap((variant) => pairUp(baseline, variant));
  const tested = pairs.map((pair) => test(pair, deterministic, tools));
  const adjusted = adjust(tested);
  const headlinesTested = adjusted.filter(({ correction }) => correction === 'holm').length;
  return {
    baseline: baseline.name,
    variants: variants.map(({ name }) => name),
    seeds,
    deterministic,
    margin,
    headlinesTested,
    othersTested: adjusted.filter(({ correction }) => correction === 'benjamini-hochberg').length,
    pAdjustedLeast: headlinesTested === 0 ? null : Math.min(1, headlinesTested * SignFlipTest.least(seeds)),
    comparisons: adjusted.map((each) => conclude(each, margin, deterministic)),
  };
}

/**
 * Seeds from which on `tested` figures can be told apart after Holm's correction, however clear the
 * difference.
 */
export function seedsNeeded(tested: number): number {
  let seeds = 2;
  while (seeds < 64 && tested * SignFlipTest.least(seeds) > SIGNIFICANCE) seeds++;
  return seeds;
}

function isDeterministic({ runs }: VariantRuns): boolean {
  const first = runs[0];
  return runs.every(
    ({ values }) =>
      values.size === first.values.size && [...values].every(([id, value]) => first.values.get(id) === value),
  );
}

interface Pair {
  readonly metric: Metric;
  readonly baseline: string;
  readonly variant: string;
  readonly base: readonly number[];
  readonly values: readonly number[];
  readonly seedsBaseline: number;
  readonly seedsVariant: number;
}

function pairUp(baseline: VariantRuns, variant: VariantRuns): Pair[] {
  return allMetrics([...baseline.runs, ...variant.runs]).map((metric) => {
    const [base, values]: [number[], number[]] = [[], []];
    let [seedsBaseline, seedsVariant] = [0, 0];
    for (const [index, run] of baseline.runs.entries()) {
      const before = run.values.get(metric.id) ?? null;
      const after = variant.runs[index].values.get(metric.id) ?? null;
      if (before !== null) seedsBaseline++;
      if (after !== null) seedsVariant++;
      if (before === null || after === null) continue;
      base.push(before);
      values.push(after);
    }
    const names = { baseline: baseline.name, variant: variant.name };
    return { metric, ...names, base, values, seedsBaseline, seedsVariant };
  });
}

/** Resamples and patterns of signs by the number of pairs, made once. */
class Tools {
  readonly #bootstraps = new Map<number, Bootstrap>();
  readonly #tests = new Map<number, SignFlipTest>();

  bootstrap(n: number): Bootstrap {
    const bootstrap = this.#bootstraps.get(n) ?? new Bootstrap(n);
    this.#bootstraps.set(n, bootstrap);
    return bootstrap;
  }

  signFlipTest(n: number): SignFlipTest {
    const signFlipTest = this.#tests.get(n) ?? new SignFlipTest(n);
    this.#tests.set(n, signFlipTest);
    return signFlipTest;
  }
}

interface Tested extends Pair {
  readonly differences: readonly number[];
  readonly differenceInterval: ConfidenceInterval | null;
  readonly ratioInterval: ConfidenceInterval | null;
  readonly p: number | null;
}

function test(pair: Pair, deterministic: boolean, tools: Tools): Tested {
  const { base, values } = pair;
  const n = base.length;
  const differences = values.map((value, index) => value - base[index]);
  const same = differences.every((difference) => difference === 0);
  if (deterministic || n < 2) {
    return { ...pair, differences, differenceInterval: null, ratioInterval: null, p: null };
  }
  const bootstrap = !same && n >= INTERVAL_SEEDS_MIN ? tools.bootstrap(n) : undefined;
  return {
    ...pair,
    differences,
    differenceInterval: bootstrap?.ofMean(differences) ?? null,
    ratioInterval: hasRatio(pair) ? (bootstrap?.ofRatio(values, base) ?? null) : null,
    p: same ? null : tools.signFlipTest(n).p(differences),
  };
}

function hasRatio({ base, values }: Pair): boolean {
  return base.some((value) => value > 0) && base.every((value) => value >= 0) && values.every((v) => v >= 0);
}

interface Adjusted extends Tested {
  readonly pAdjusted: number | null;
  readonly correction: VariantComparison['correction'];
}

function adjust(tested: readonly Tested[]): Adjusted[] {
  const family = (headline: boolean) =>
    tested.flatMap(({ metric, p }, index) => (metric.headline === headline && p !== null ? [index] : []));
  const adjusted = new Map<number, number>();
  for (const [indices, correct] of [
    [family(true), holm],
    [family(false), benjaminiHochberg],
  ] as const) {
    const ps = correct(indices.map((index) => tested[index].p!));
    for (const [at, index] of indices.entries()) adjusted.set(index, ps[at]);
  }
  return tested.map((each, index) => {
    const pAdjusted = adjusted.get(index) ?? null;
    const correction = pAdjusted === null ? null : each.metric.headline ? 'holm' : 'benjamini-hochberg';
    return { ...each, pAdjusted, correction };
  });
}

function conclude(each: Adjusted, margin: number, deterministic: boolean): VariantComparison {
  const { metric, base, values, differences } = each;
  const baselineMean = mean(base);
  const variantMean = mean(values);
  return {
    metric,
    baseline: each.baseline,
    variant: each.variant,
    seeds: base.length,
    seedsBaseline: each.seedsBaseline,
    seedsVariant: each.seedsVariant,
    baselineMean,
    variantMean,
    difference: mean(differences),
    differenceInterval: each.differenceInterval,
    ratio: hasRatio(each) ? variantMean! / baselineMean! : null,
    ratioInterval: each.ratioInterval,
    p: each.p,
    pAdjusted: each.pAdjusted,
    correction: each.correction,
    cohensD: cohensD(differences),
    varghaDelaneyA: deterministic ? null : varghaDelaneyA(values, base),
    seedsHigher: differences.filter((difference) => difference > 0).length,
    seedsLower: differences.filter((difference) => difference < 0).length,
    verdict: verdictOf(each, baselineMean, margin, deterministic),
  };
}

function verdictOf(
  { metric, differences, differenceInterval, pAdjusted }: Adjusted,
  baselineMean: number | null,
  margin: number,
  deterministic: boolean,
): Verdict {
  if (baselineMean === null || (differences.length < 2 && !deterministic)) return 'unknown';
  if (differences.every((difference) => difference === 0)) return 'same';
  const { size } = marginOf(metric.unit, baselineMean, margin);
  if (deterministic) {
    const [difference] = differences;
    const interval = { low: difference, high: difference };
    return judge({ interval, pAdjusted: 0, margin: size });
  }
  if (differenceInterval === null) return 'unclear';
  return judge({ interval: differenceInterval, pAdjusted: pAdjusted ?? 1, margin: size });
}
