import {
  DRAWN_PATTERNS,
  EXACT_PAIRS_MAX,
  type Metric,
  SIGNIFICANCE,
  seedsNeeded,
  type TraceComparison,
  type VariantComparison,
  type VariantsComparison,
} from '../compare/index.ts';
import {
  changeText,
  type DomainNames,
  differenceOf,
  distanceText,
  figureText,
  partText,
  ratioText,
  valueText,
  verdictSentence,
  verdictText,
} from './comparison-words.ts';
import { plural, trustSentences } from './head-text.ts';
import { formatCount, formatNs } from './quantities.ts';
import { TEXT_WIDTH, textTable, underlined, wrapText } from './text-table.ts';
import type { TraceSummary } from './trace-summary.ts';

const INDENT = 9;
/** Figures besides the headline ones that people see without asking. */
const OTHERS_SHOWN = 10;
/** Spans that differ by more make sums of time and counts differ too. */
const SPAN_DIFFERENCE_MAX = 0.01;

/** How a comparison is told to people. */
export interface ComparisonTextOptions {
  /** What domains are called, by their ids; `d1` unless given. */
  readonly names: DomainNames;
  /** Every figure, not only those that matter most. */
  readonly all: boolean;
}

/** Traces side by side, for people. */
export function renderTraceComparison(
  summaries: readonly TraceSummary[],
  comparisons: readonly TraceComparison[],
  options: ComparisonTextOptions,
): string {
  const heads = summaries.map((summary, index) =>
    field(index === 0 ? 'first' : index === 1 ? 'second' : `trace ${index + 1}`, [
      `${summary.name}: ${plural(summary.records, 'record')}, ${formatNs(summary.spanNs)} on ` +
        `${plural(summary.pcpus.length, 'pCPU')}.`,
      ...trustSentences(summary),
    ]),
  );
  const notes = [
    'One trace of each: what differs may be chance. Many seeds of a scenario tell ' +
      '(xenscope compare SCENARIO).',
    ...spanNotes(summaries),
  ];
  const parts = summaries.slice(1).map(({ name }) =>
    tracePart(
      name,
      comparisons.filter(({ trace }) => trace === name),
      options,
    ),
  );
  return [`${[...heads, field('note', notes)].join('\n')}\n`, ...parts].join('\n');
}

function spanNotes([first, ...others]: readonly TraceSummary[]): string[] {
  const differ = others.some(
    ({ spanNs }) => Math.abs(spanNs - first.spanNs) > SPAN_DIFFERENCE_MAX * Math.max(1, first.spanNs),
  );
  return differ
    ? ['The traces differ in length: sums of time and counts grow with it, the other figures do not.']
    : [];
}

function tracePart(
  name: string,
  comparisons: readonly TraceComparison[],
  { names, all }: ComparisonTextOptions,
): string {
  const known = comparisons.filter(({ change }) => change !== 'unknown');
  const headlines = known.filter(({ metric, baselineValue, value }) => {
    return metric.headline && !(metric.nonzero && baselineValue === 0 && value === 0);
  });
  const others = known.filter(({ metric }) => !metric.headline);
  const same = known.filter(({ change }) => change === 'same').length;
  const both = known.filter(({ difference }) => difference !== null).length;
  const sides = [...new Set(comparisons.map(({ baseline }) => baseline))];
  const title = `${name} against ${sides[0]}`;
  const summary =
    same === both
      ? `All ${plural(both, 'figure')} that both have are the same.`
      : `${plural(both, 'figure')} that both have; ${same} of them are the same.`;
  const lines = [underlined(title), `${wrapText(summary, TEXT_WIDTH)}\n`];
  if (all) lines.push(traceTable(known, names, true));
  else {
    lines.push(traceTable(headlines, names, false));
    const largest = largestChanges(others);
    if (largest.length > 0) lines.push('\nLargest other changes\n', traceTable(largest, names, true));
  }
  lines.push(...onlySentences(comparisons, names));
  return lines.join('');
}

function traceTable(comparisons: readonly TraceComparison[], names: DomainNames, withTable: boolean): string {
  if (comparisons.length === 0) return 'None.\n';
  const rows = comparisons.map((each) => [
    figureText(each.metric, names),
    ...(withTable ? [each.metric.table] : []),
    valueText(each.baselineValue, each.metric),
    valueText(each.value, each.metric),
    signed(each),
    ratioText(each.ratio),
    changeText(each),
  ]);
  const headings = ['figure', ...(withTable ? ['result'] : []), 'first', 'second', 'difference', 'ratio', ''];
  return textTable(
    headings,
    rows,
    headings.map((_, index) => index === 0 || (withTable && index === 1) || index === headings.length - 1),
  );
}

function signed({ difference, metric }: TraceComparison): string {
  if (difference === null) return '-';
  if (difference === 0) return '0';
  return `${difference < 0 ? '-' : '+'}${distanceText(difference, metric)}`;
}

/** Differences below this, by unit, are not worth a line of their own. */
const WORTH_TELLING: Readonly<Record<string, number>> = { ns: 10_000, count: 10, ratio: 0.01 };

/** Units of numbers that name something: that another pCPU was the busiest is no amount. */
const NAMING: ReadonlySet<string | undefined> = new Set([
  'cstate',
  'dom',
  'pcpu',
  'runqueue',
  'task',
  'vcpu',
]);

function isWorthTelling({ unit }: Metric, difference: number): boolean {
  return !NAMING.has(unit) && Math.abs(difference) >= (WORTH_TELLING[unit ?? ''] ?? 1e-9);
}

function largestChanges(comparisons: readonly TraceComparison[]): TraceComparison[] {
  const told = comparisons.filter(
    ({ difference, metric }) => difference !== null && isWorthTelling(metric, difference),
  );
  return largestOfEach(told, ({ baselineValue, value }) => [baselineValue, value]);
}

/** The largest change of each column: one that all vCPUs share would be all that there is to see. */
function largestOfEach<T extends { readonly metric: Metric }>(
  items: readonly T[],
  sidesOf: (item: T) => readonly [number | null, number | null],
): T[] {
  const sides = items.map((item) => {
    const [before, after] = sidesOf(item).map((side) => side ?? 0);
    return {
      item,
      unit: item.metric.unit ?? '',
      change: Math.abs(after - before),
      larger: Math.max(Math.abs(before), Math.abs(after)),
    };
  });
  const largestOf = new Map<string, number>();
  for (const { unit, larger } of sides) largestOf.set(unit, Math.max(larger, largestOf.get(unit) ?? 0));
  const ranked = sides.map(({ item, unit, change, larger }) => ({
    item,
    rank: (change / larger) * sizeOf(change, largestOf.get(unit)!, unit),
  }));
  const largestFirst = ranked.sort((a, b) => b.rank - a.rank).map(({ item }) => item);
  return distinctBy(largestFirst, ({ metric }) => metric.name).slice(0, OTHERS_SHOWN);
}

/**
 * How large a change is among all that has its unit, 0 to 1 on a logarithmic scale that begins with what is just worth
 * telling: many times next to nothing is still next to nothing.
 */
function sizeOf(change: number, largest: number, unit: string): number {
  const least = WORTH_TELLING[unit] ?? 1e-3;
  return Math.log1p(change / least) / Math.log1p(largest / least);
}

/** The first of those with the same key. */
function distinctBy<T>(items: readonly T[], keyOf: (item: T) => string): T[] {
  const seen = new Set<string>();
  return items.filter((item) => {
    const key = keyOf(item);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/** Rows of which one trace knows nothing at all. */
function onlySentences(comparisons: readonly TraceComparison[], names: DomainNames): string[] {
  return (['only_baseline', 'only_other'] as const).flatMap((change) => {
    const known = new Set(
      comparisons.filter(({ difference }) => difference !== null).map((each) => rowText(each, names)),
    );
    const rows = [
      ...new Set(comparisons.filter((each) => each.change === change).map((each) => rowText(each, names))),
    ].filter((row) => !known.has(row));
    if (rows.length === 0) return [];
    const shown = rows.slice(0, OTHERS_SHOWN);
    const more = rows.length > shown.length ? ` and ${rows.length - shown.length} more` : '';
    const where = change === 'only_baseline' ? 'Only in the first' : 'Only in the second';
    return [`${wrapText(`${where}: ${shown.join('; ')}${more}.`, TEXT_WIDTH)}\n`];
  });
}

function rowText({ metric }: TraceComparison, names: DomainNames): string {
  return figureText({ ...metric, words: metric.table, told: [] }, names);
}

/** What was compared with what: the head of a comparison of variants. */
export interface VariantsHead {
  /** The scenario's file and what it is called. */
  readonly scenario: string;
  /** `seeds 1 to 30`. */
  readonly seeds: string;
  /** Of each variant's runs. */
  readonly durationsNs: readonly number[];
  /** Runs in which records found no space in the rings. */
  readonly lossyRuns: number;
}

/** Variants of a scenario against each other, for people. */
export function renderVariantsComparison(
  head: VariantsHead,
  result: VariantsComparison,
  options: ComparisonTextOptions,
): string {
  const fields = [
    field('scenario', [head.scenario]),
    field('variants', [[`${result.baseline} (baseline)`, ...result.variants].join(', ')]),
    field('runs', [`${head.seeds}, ${durationText(head)}`]),
    field('method', methodSentences(result)),
    ...(head.lossyRuns > 0
      ? [field('trust', [`${plural(head.lossyRuns, 'run')} lost records: their figures are incomplete.`])]
      : []),
  ];
  const parts = result.variants.map((name) =>
    variantPart(
      name,
      result.comparisons.filter(({ variant }) => variant === name),
      result,
      options,
    ),
  );
  return [`${fields.join('\n')}\n`, ...parts].join('\n');
}

function durationText({ durationsNs }: VariantsHead): string {
  const [least, most] = [Math.min(...durationsNs), Math.max(...durationsNs)];
  if (least === most) return `${formatNs(least)} each`;
  return `${formatNs(least)} to ${formatNs(most)}: sums of time and counts grow with it`;
}

function methodSentences(result: VariantsComparison): string[] {
  const { seeds, deterministic, headlinesTested, othersTested, pAdjustedLeast, margin } = result;
  if (deterministic) {
    return ['The scenario draws nothing at random: all seeds give the same figures, and one run says all.'];
  }
  if (seeds < 2) return ['One seed: what differs may be chance. More seeds can tell.'];
  const sentences = [
    'Runs with the same seed draw the same and are compared as pairs. [...]: 95 % confidence interval of ' +
      `one figure (bootstrap, expanded BCa). p: sign-flip test (${patternsText(seeds)}), corrected for ` +
      `${plural(headlinesTested, 'headline figure')} (Holm) and ${plural(othersTested, 'other')} ` +
      '(Benjamini-Hochberg). "Lower" and "higher" need p <= 0.05 and an interval without 0; "equal" an ' +
      `interval within ${marginsText(margin)} of the baseline. d, A: effect sizes (Cohen, Vargha-Delaney).`,
  ];
  if (pAdjustedLeast !== null && pAdjustedLeast > SIGNIFICANCE) {
    sentences.push(
      `Too few seeds: with so many figures ${seeds} seeds can show no difference, however clear; ` +
        `take at least ${seedsNeeded(headlinesTested)}.`,
    );
  }
  return sentences;
}

function marginsText(margin: number): string {
  return `${partText(margin)}, 1 us or 0.1 points`;
}

function patternsText(seeds: number): string {
  return seeds <= EXACT_PAIRS_MAX ? 'exact' : `${formatCount(DRAWN_PATTERNS)} patterns drawn`;
}

function variantPart(
  name: string,
  comparisons: readonly VariantComparison[],
  result: VariantsComparison,
  { names, all }: ComparisonTextOptions,
): string {
  const known = comparisons.filter(
    ({ metric, baselineMean, variantMean }) =>
      baselineMean !== null && !(metric.nonzero && baselineMean === 0 && variantMean === 0),
  );
  const headlines = known.filter(({ metric }) => metric.headline);
  const lines = [
    underlined(`${name} against ${result.baseline}`),
    variantTable(all ? known : headlines, result, names, all),
    wordsOf(headlines, result, names),
    oneSided(comparisons, names),
  ];
  if (!all) {
    const others = mostDifferent(known);
    if (others.length > 0) {
      lines.push('\nOther figures that differ most\n', variantTable(others, result, names, true));
    }
  }
  return lines.join('');
}

function variantTable(
  comparisons: readonly VariantComparison[],
  result: VariantsComparison,
  names: DomainNames,
  withTable: boolean,
): string {
  if (comparisons.length === 0) return 'None.\n';
  const withChance = !result.deterministic && result.seeds > 1;
  const rows = comparisons.map((each) => {
    const { words, interval } = differenceOf(each);
    return [
      figureText(each.metric, names),
      ...(withTable ? [each.metric.table] : []),
      valueText(each.baselineMean, each.metric),
      valueText(each.variantMean, each.metric),
      words,
      ...(withChance
        ? [interval, pText(each.pAdjusted), effectText(each.cohensD), effectText(each.varghaDelaneyA)]
        : []),
      verdictText(each, result.margin) + seedsNote(each, result.seeds),
    ];
  });
  const headings = [
    'figure',
    ...(withTable ? ['result'] : []),
    result.baseline,
    comparisons[0].variant,
    'difference',
    ...(withChance ? ['95 %', 'p', 'd', 'A'] : []),
    'verdict',
  ];
  const last = headings.length - 1;
  return textTable(
    headings,
    rows,
    headings.map((_, index) => index === 0 || (withTable && index === 1) || index === last),
  );
}

/** Of a figure that not every seed has in both. */
function seedsNote({ seeds }: VariantComparison, of: number): string {
  return seeds < of ? ` (${plural(seeds, 'seed')})` : '';
}

function pText(p: number | null): string {
  if (p === null) return '-';
  return p < 0.0001 ? '<0.0001' : p.toFixed(4);
}

function effectText(effect: number | null): string {
  if (effect === null) return '-';
  if (Math.abs(effect) >= 1000) return effect < 0 ? '<-999' : '>999';
  return effect.toFixed(Math.abs(effect) >= 10 ? 1 : 2);
}

/** The verdicts on the headline figures as sentences; those that say the same thing together. */
function wordsOf(
  headlines: readonly VariantComparison[],
  { seeds, margin, deterministic }: VariantsComparison,
  names: DomainNames,
): string {
  const of = (...verdicts: readonly VariantComparison['verdict'][]) =>
    headlines.filter(({ verdict }) => verdicts.includes(verdict));
  const list = (comparisons: readonly VariantComparison[]) =>
    comparisons.map(({ metric }) => figureText(metric, names)).join('; ');
  const sentences = of('lower', 'higher').map((each) => `${verdictSentence(each, names, seeds)}.`);
  const unclear = of('unclear');
  const equal = of('equal');
  const same = of('same');
  if (unclear.length > 0) sentences.push(`No difference that ${seeds} seeds can show: ${list(unclear)}.`);
  if (equal.length > 0) sentences.push(`Equal within ${marginsText(margin)}: ${list(equal)}.`);
  if (same.length > 0) sentences.push(`The same${deterministic ? '' : ' in every run'}: ${list(same)}.`);
  if (sentences.length === 0) return '';
  return `\n${sentences.map((sentence) => `* ${wrapText(sentence, TEXT_WIDTH, 2).trimStart()}\n`).join('')}`;
}

/** Headline figures that one of the two has and the other has not. */
function oneSided(comparisons: readonly VariantComparison[], names: DomainNames): string {
  const missing = comparisons.filter(
    ({ metric, seeds, seedsBaseline, seedsVariant }) =>
      metric.headline && seeds === 0 && seedsBaseline + seedsVariant > 0,
  );
  if (missing.length === 0) return '';
  const list = missing.map(({ metric, seedsVariant, baseline, variant }) => {
    return `${figureText(metric, names)} (only ${seedsVariant > 0 ? variant : baseline} has it)`;
  });
  return `* ${wrapText(`Not to be compared: ${list.join('; ')}.`, TEXT_WIDTH, 2).trimStart()}\n`;
}

function mostDifferent(comparisons: readonly VariantComparison[]): VariantComparison[] {
  const different = comparisons.filter(
    ({ metric, verdict, difference }) =>
      (verdict === 'lower' || verdict === 'higher') && isWorthTelling(metric, difference!),
  );
  // Of a domain with one vCPU there are two results for each figure.
  const distinct = distinctBy(different, ({ metric, baselineMean, variantMean }) => {
    return `${metric.unit} ${baselineMean} ${variantMean}`;
  });
  return largestOfEach(
    distinct.filter(({ metric }) => !metric.headline),
    ({ baselineMean, variantMean }) => [baselineMean, variantMean],
  );
}

function field(heading: string, sentences: readonly string[]): string {
  return heading.padEnd(INDENT) + wrapText(sentences.join(' '), TEXT_WIDTH, INDENT).trimStart();
}
