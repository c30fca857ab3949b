import { expect, test } from 'vitest';
import { compareTraces, type FigureTable, figuresOf } from '../../src/compare/index.ts';
import { renderTraceComparison } from '../../src/report/index.ts';
import { summaryOf } from './summary-of.ts';

const MS = 1_000_000;
const VALUES: readonly [name: string, unit: string, before: number, after: number][] = [
  ['next_to_nothing_ns', 'ns', 30, 3000],
  ['little_ns', 'ns', 0, 50_000],
  ['slightly_more_ns', 'ns', 2000 * MS, 2100 * MS],
  ['half_ns', 'ns', 1000 * MS, 500 * MS],
  ['busiest_pcpu', 'pcpu', 0, 3],
  ['events', 'count', 1000, 4000],
];

test('of other figures those lead that changed much, by themselves and among all of their unit', () => {
  const table = (side: 2 | 3): FigureTable => ({
    name: 'example',
    columns: VALUES.map(([name, unit]) => ({ name, type: 'int', unit })),
    rows: [VALUES.map((value) => value[side])],
  });
  const traces = [
    { name: 'a.trace', figures: figuresOf([table(2)], 1e9) },
    { name: 'b.trace', figures: figuresOf([table(3)], 1e9) },
  ];
  const summaries = traces.map(({ name }) => summaryOf({ name }));
  const text = renderTraceComparison(summaries, compareTraces(traces), { names: new Map(), all: false });
  // None of them is a headline.
  expect(text).toContain('\nNone.\n');
  const [, listed] = text.split('Largest other changes\n');
  expect(listed.match(/^(next to|little|slightly|half|busiest|events)/gm)).toEqual([
    'events',
    'half',
    'little',
    'slightly',
  ]);
});
