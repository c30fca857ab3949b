import { describe, expect, test } from 'vitest';
import { Prng } from '../../src/base/prng.ts';
import {
  compareTraces,
  compareVariants,
  type Figures,
  type FigureTable,
  figuresOf,
  seedsNeeded,
  traceComparisonTable,
  type VariantComparison,
  variantComparisonTable,
} from '../../src/compare/index.ts';

const COLUMNS = [
  { name: 'dom', type: 'int', unit: 'dom', key: true },
  { name: 'cause', type: 'string', key: true },
  { name: 'count', type: 'int', unit: 'count' },
  { name: 'wait_ns_p99', type: 'int', unit: 'ns', samplesMin: 100, better: 'lower' },
  { name: 'wait_max_start_ns', type: 'int', unit: 'ns', instant: true },
  { name: 'source', type: 'string' },
] as const satisfies FigureTable['columns'];

type Row = [dom: number, cause: string, count: number, p99: number | null];

function waits(...rows: Row[]): FigureTable {
  return {
    name: 'example',
    columns: COLUMNS,
    rows: rows.map((row, index) => [...row, index, 'given']),
    sampleColumn: 'count',
  };
}

function valuesOf({ values }: Figures): Record<string, number | null> {
  return Object.fromEntries(values);
}

describe('figures of results', () => {
  test('are all numbers that are no keys and no instants, named by their keys', () => {
    const figures = figuresOf([waits([1, 'wake', 200, 5000], [2, 'wake', 300, 7000])], 1e9);
    expect(valuesOf(figures)).toEqual({
      'example/dom=1,cause=wake/count': 200,
      'example/dom=1,cause=wake/wait_ns_p99': 5000,
      'example/dom=2,cause=wake/count': 300,
      'example/dom=2,cause=wake/wait_ns_p99': 7000,
    });
  });

  test('percentiles of too few samples are not available, as in a report', () => {
    const figures = figuresOf([waits([1, 'wake', 99, 5000], [2, 'wake', 100, 7000])], 1e9);
    expect(figures.values.get('example/dom=1,cause=wake/wait_ns_p99')).toBeNull();
    expect(figures.values.get('example/dom=2,cause=wake/wait_ns_p99')).toBe(7000);
  });

  test('domains take the numbers of the baseline', () => {
    const figures = figuresOf([waits([7, 'wake', 200, 5000])], 1e9, (dom) => (dom === 7 ? 1 : 'other'));
    expect([...figures.values.keys()]).toContain('example/dom=1,cause=wake/count');
  });

  test('rows of the same key are told apart by their order', () => {
    const figures = figuresOf([waits([1, 'wake', 1, null], [1, 'wake', 2, null])], 1e9);
    expect(figures.values.get('example/dom=1,cause=wake/count')).toBe(1);
    expect(figures.values.get('example/dom=1,cause=wake,row=2/count')).toBe(2);
  });

  test('headlines are derived: rates, sums over rows, sizes without sign', () => {
    const pcpus: FigureTable = {
      name: 'pcpus',
      columns: [
        { name: 'pcpu', type: 'int', key: true },
        { name: 'utilisation', type: 'float', unit: 'ratio' },
        { name: 'switches', type: 'int', unit: 'count' },
      ],
      rows: [
        [0, 0.5, 30],
        [1, 1, 10],
      ],
    };
    const fairness: FigureTable = {
      name: 'fairness',
      columns: [
        { name: 'dom', type: 'int', unit: 'dom', key: true },
        { name: 'share_error', type: 'float', unit: 'ratio' },
      ],
      rows: [[1, -0.25]],
    };
    const { values, metrics } = figuresOf([pcpus, fairness], 2e9);
    expect(values.get('pcpus//utilisation_mean')).toBe(0.75);
    expect(values.get('pcpus//switches_per_s_sum')).toBe(20);
    expect(values.get('fairness/dom=1/share_error_size')).toBe(0.25);
    expect(values.get('fairness/dom=1/share_error')).toBe(-0.25);
    expect(metrics.get('fairness/dom=1/share_error_size')?.headline).toBe(true);
    expect(metrics.get('fairness/dom=1/share_error')?.headline).toBe(false);
  });
});

describe('traces side by side', () => {
  const compare = (before: FigureTable, after: FigureTable) =>
    Object.fromEntries(
      compareTraces([
        { name: 'a', figures: figuresOf([before], 1e9) },
        { name: 'b', figures: figuresOf([after], 1e9) },
      ]).map((each) => [each.metric.id.replace('example/', ''), each]),
    );

  test('difference, ratio, and whether it is better', () => {
    const compared = compare(waits([1, 'wake', 200, 8000]), waits([1, 'wake', 250, 2000]));
    expect(compared['dom=1,cause=wake/wait_ns_p99']).toMatchObject({
      baselineValue: 8000,
      value: 2000,
      difference: -6000,
      ratio: 0.25,
      change: 'better',
    });
    expect(compared['dom=1,cause=wake/count']).toMatchObject({ difference: 50, change: 'higher' });
  });

  test('what one has alone, and what neither knows', () => {
    const compared = compare(
      waits([1, 'wake', 200, 8000], [2, 'wake', 5, null]),
      waits([3, 'wake', 200, 1], [2, 'wake', 5, null]),
    );
    expect(compared['dom=1,cause=wake/count'].change).toBe('only_baseline');
    expect(compared['dom=3,cause=wake/count'].change).toBe('only_other');
    expect(compared['dom=2,cause=wake/wait_ns_p99'].change).toBe('unknown');
    expect(compared['dom=2,cause=wake/count'].change).toBe('same');
  });

  test('a ratio to nothing is none', () => {
    const compared = compare(waits([1, 'wake', 0, null]), waits([1, 'wake', 4, null]));
    expect(compared['dom=1,cause=wake/count']).toMatchObject({
      difference: 4,
      ratio: null,
      change: 'higher',
    });
  });

  test('as a table: a row for each figure, domains in a column of their own', () => {
    const figures = figuresOf([waits([1, 'wake', 200, 8000])], 1e9);
    const table = traceComparisonTable(
      compareTraces([
        { name: 'a', figures },
        { name: 'b', figures },
      ]),
    );
    expect(table.rows).toHaveLength(2);
    for (const row of table.rows) expect(row).toHaveLength(table.columns.length);
    expect(table.rows[0].slice(0, 7)).toEqual(['a', 'b', 'example', 1, null, 'cause=wake', 'count']);
  });
});

/** Runs that have the figures `count` and `wait_ns_p99` of one row, by seed; the waits in microseconds. */
function variant(name: string, p99s: readonly (number | null)[], counts: readonly number[] = []) {
  const runs = p99s.map((p99, seed) =>
    figuresOf([waits([1, 'wake', counts[seed] ?? 1000, p99 === null ? null : p99 * 1000])], 1e9),
  );
  return { name, runs };
}

function figure(comparisons: readonly VariantComparison[], name = 'wait_ns_p99'): VariantComparison {
  return comparisons.find(({ metric }) => metric.name === name)!;
}

const noise = (seed: number, range: number) => Prng.fromSeed(seed).uniformNs(-range, range);
const seeds = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

describe('variants over seeds', () => {
  const base = seeds(20).map((seed) => 10_000 + noise(seed, 2000));

  test('a difference that is there is told with its size and direction', () => {
    const other = base.map((value, index) => Math.round(value / 4) + noise(index + 100, 50));
    const result = compareVariants(variant('credit', base), [variant('credit2', other)]);
    const each = figure(result.comparisons);
    expect(each).toMatchObject({ verdict: 'lower', seeds: 20, seedsLower: 20, seedsHigher: 0 });
    expect(each.ratioInterval!.low).toBeLessThan(each.ratio!);
    expect(each.ratioInterval!.high).toBeGreaterThan(each.ratio!);
    expect(Math.abs(each.ratio! - 0.25)).toBeLessThan(0.01);
    expect(each.varghaDelaneyA).toBe(0);
    expect(result.deterministic).toBe(false);
  });

  test('pairs cancel what the seeds have in common', () => {
    // The seeds scatter by 2000, the difference is 100: unpaired it would be invisible.
    const other = base.map((value, index) => value + 100 + noise(index + 100, 30));
    const paired = figure(
      compareVariants(variant('a', base), [variant('b', other)], { margin: 0 }).comparisons,
    );
    const broken = [...other.slice(7), ...other.slice(0, 7)];
    const unpaired = figure(
      compareVariants(variant('a', base), [variant('b', broken)], { margin: 0 }).comparisons,
    );
    expect(paired.verdict).toBe('higher');
    expect(unpaired.verdict).toBe('unclear');
  });

  test('equal is said only of an interval within the margin', () => {
    const near = base.map((value, index) => value + noise(index + 200, 100));
    const far = base.map((_, index) => 10_000 + noise(index + 300, 4000));
    expect(figure(compareVariants(variant('a', base), [variant('b', near)]).comparisons).verdict).toBe(
      'equal',
    );
    expect(figure(compareVariants(variant('a', base), [variant('b', far)]).comparisons).verdict).toBe(
      'unclear',
    );
  });

  test('an interval without 0 is not enough where other figures were looked at too', () => {
    // All six are higher: p = 2 / 64. Another figure, without effect, doubles it.
    const few = [100, 110, 120, 130, 140, 150];
    const other = variant('b', [120, 135, 141, 152, 166, 177], [1001, 998, 1003, 999, 1002, 997]);
    const each = figure(compareVariants(variant('a', few), [other]).comparisons);
    expect(each.differenceInterval!.low).toBeGreaterThan(0);
    expect(each).toMatchObject({ p: 2 / 64, pAdjusted: 4 / 64, verdict: 'unclear' });
    const alone = variant('b', [120, 135, 141, 152, 166, 177]);
    expect(figure(compareVariants(variant('a', few), [alone]).comparisons).verdict).toBe('higher');
  });

  test('less than a microsecond is equal, however many times the other it is', () => {
    const tiny = base.map((_, index) => 0.01 + (index % 3) / 1000);
    const more = tiny.map((value) => value * 40);
    const each = figure(compareVariants(variant('a', tiny), [variant('b', more)]).comparisons);
    expect(each).toMatchObject({ verdict: 'equal', seedsHigher: 20 });
    expect(each.ratio).toBeCloseTo(40, 9);
  });

  test('the same in every run is the same, and is not tested', () => {
    const result = compareVariants(variant('a', base), [variant('b', base)]);
    expect(figure(result.comparisons)).toMatchObject({ verdict: 'same', p: null, difference: 0, ratio: 1 });
    expect(result.headlinesTested + result.othersTested).toBe(0);
  });

  test('where no figure depends on the seed there is no chance, and no test', () => {
    const result = compareVariants(variant('a', [8, 8, 8]), [variant('b', [4, 4, 4])]);
    expect(result.deterministic).toBe(true);
    expect(figure(result.comparisons)).toMatchObject({
      verdict: 'lower',
      p: null,
      differenceInterval: null,
      varghaDelaneyA: null,
    });
    const mixed = compareVariants(variant('a', [8, 8, 8]), [variant('b', [4, 5, 4])]);
    expect(mixed.deterministic).toBe(false);
  });

  test('one seed shows nothing, and is not called deterministic', () => {
    const result = compareVariants(variant('a', [8]), [variant('b', [4])]);
    expect(result.deterministic).toBe(false);
    expect(figure(result.comparisons)).toMatchObject({ verdict: 'unknown', difference: -4000, p: null });
  });

  test('runs that cannot be paired are refused', () => {
    const [three, two] = [variant('a', [1, 2, 3]), variant('b', [1, 2])];
    expect(() => compareVariants(three, [three, two])).toThrow(
      expect.objectContaining({ name: 'UserError', code: 'unpaired-runs' }),
    );
  });

  test('five seeds carry no interval, and so neither a difference nor equality', () => {
    const result = compareVariants(variant('a', [80, 81, 82, 83, 84]), [variant('b', [40, 42, 41, 44, 42])]);
    expect(figure(result.comparisons)).toMatchObject({ verdict: 'unclear', differenceInterval: null });
    expect(figure(result.comparisons).p).toBe(2 / 32);
  });

  test('figures that some seeds lack are compared on the seeds that both have', () => {
    const gaps = base.map((value, index) => (index % 4 === 0 ? null : value));
    const other = base.map((value, index) => (index % 5 === 0 ? null : value * 3));
    const each = figure(compareVariants(variant('a', gaps), [variant('b', other)]).comparisons);
    // Of 20 seeds 5 lack it in one, 4 in the other, one of them in both.
    expect(each).toMatchObject({ seeds: 12, seedsBaseline: 15, seedsVariant: 16, verdict: 'higher' });
    expect(each.ratio).toBeCloseTo(3, 12);
  });

  test('a figure that nobody has in both is unknown', () => {
    const nothing = base.map(() => null);
    const each = figure(compareVariants(variant('a', nothing), [variant('b', base)]).comparisons);
    expect(each).toMatchObject({ verdict: 'unknown', seeds: 0, baselineMean: null, ratio: null });
  });

  test('p-values are corrected over all pairs of variants', () => {
    const others = ['b', 'c', 'd'].map((name, at) =>
      variant(
        name,
        base.map((value, index) => value + 40 + noise(index + 1000 * (at + 1), 120)),
      ),
    );
    const alone = figure(compareVariants(variant('a', base), [others[0]]).comparisons);
    const together = figure(compareVariants(variant('a', base), others).comparisons);
    expect(alone.correction).toBe('benjamini-hochberg');
    expect(alone.pAdjusted).toBe(alone.p);
    expect(together.p).toBe(alone.p);
    expect(together.pAdjusted).toBeGreaterThanOrEqual(alone.p!);
  });

  test('how many seeds it takes', () => {
    // 2 / 2^n times the figures is to be 0.05 or less.
    expect(seedsNeeded(1)).toBe(6);
    expect(seedsNeeded(25)).toBe(10);
    expect(seedsNeeded(26)).toBe(12 - 1);
  });

  test('under the null hypothesis hardly any of many figures is called different', () => {
    let called = 0;
    for (let trial = 0; trial < 60; trial++) {
      const [a, b] = [0, 1].map((side) =>
        seeds(12).map((seed) => 10_000 + noise(seed + 1000 * trial + 500_000 * side, 2000)),
      );
      const { verdict } = figure(compareVariants(variant('a', a), [variant('b', b)]).comparisons);
      if (verdict === 'lower' || verdict === 'higher') called++;
    }
    // 3 of 60 on average; more than 9 once in 2000 times.
    expect(called).toBeLessThanOrEqual(9);
  });

  test('as a table: no infinity, one row for each figure and variant', () => {
    const zeros = seeds(8).map((seed) => (seed > 6 ? seed : 0));
    const result = compareVariants(variant('a', zeros), [variant('b', seeds(8)), variant('c', zeros)]);
    const table = variantComparisonTable(result.comparisons);
    expect(table.rows).toHaveLength(4);
    for (const row of table.rows) {
      expect(row).toHaveLength(table.columns.length);
      for (const cell of row) expect(typeof cell === 'number' && !Number.isFinite(cell)).toBe(false);
    }
  });
});
