/** Damaged traces: analysis and reports end by themselves, and their figures still hold together. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { analyzeTrace } from '../../src/analysis/index.ts';
import { openTrace } from '../../src/decoder/index.ts';
import {
  renderAnalysisJson,
  renderAnalysisText,
  renderInfoJson,
  renderInfoText,
  renderResultsCsv,
  summarizeTrace,
} from '../../src/report/index.ts';

const sample = readFileSync(join(import.meta.dirname, '../../samples/traces/credit-caps.trace'));

interface Mutation {
  readonly at: number;
  readonly bytes: number[];
  readonly kind: 'overwrite' | 'cut' | 'insert';
}

const mutations = fc.array(
  fc.record({
    at: fc.nat(sample.length - 1),
    bytes: fc.array(fc.nat(255), { minLength: 1, maxLength: 64 }),
    kind: fc.constantFrom('overwrite', 'cut', 'insert'),
  }),
  { minLength: 1, maxLength: 12 },
);

function mutate(all: readonly Mutation[]): Uint8Array {
  let bytes = [...sample.subarray(0, 60_000)];
  for (const { at, bytes: other, kind } of all) {
    const start = at % bytes.length;
    const removed = kind === 'insert' ? 0 : kind === 'cut' ? other.length * 8 : other.length;
    const added = kind === 'cut' ? [] : other;
    bytes = [...bytes.slice(0, start), ...added, ...bytes.slice(start + removed)];
  }
  return Uint8Array.from(bytes);
}

test('analyzeTrace() and the reports survive any damage, and their figures hold together', async () => {
  await fc.assert(
    fc.asyncProperty(mutations, async (all) => {
      const reader = await openTrace(mutate(all as Mutation[])).catch((error) => {
        expect(error).toMatchObject({ name: 'UserError' });
        return undefined;
      });
      if (reader === undefined) return;
      const analysis = analyzeTrace(reader);
      const summary = summarizeTrace(reader, analysis);
      reader.close();
      for (const { name, columns, rows } of analysis.tables) {
        for (const row of rows) {
          for (const [index, { name: column, type }] of columns.entries()) {
            const cell = row[index];
            if (cell === null) continue;
            const fits = type === 'string' ? typeof cell === 'string' : Number.isFinite(cell);
            const whole = type !== 'int' || Number.isInteger(cell);
            if (!fits || !whole) expect.fail(`${name}.${column} is ${cell}`);
            if (column === 'coverage')
              expect(Number(cell) >= 0 && Number(cell) <= 1 + 1e-12, `${name} ${cell}`).toBe(true);
          }
        }
      }
      const states = analysis.tables.find(({ name }) => name === 'runstates')!;
      for (const row of states.rows) {
        const ns = (column: string) => Number(row[states.columns.findIndex(({ name }) => name === column)]);
        const sum = ['running', 'runnable', 'throttled', 'blocked', 'offline', 'unknown'].reduce(
          (total, state) => total + ns(`${state}_ns`),
          0,
        );
        // Sums beyond 2^53 ns are rounded; only a damaged TSC makes a trace that long.
        expect(sum).toBeLessThanOrEqual(analysis.spanNs * (1 + 1e-12));
      }
      renderAnalysisText(summary, analysis.tables);
      renderResultsCsv(analysis.tables);
      renderInfoText(summary);
      expect(JSON.parse(renderAnalysisJson(summary, analysis.tables)).trace).toEqual(
        JSON.parse(renderInfoJson(summary)),
      );
    }),
    { numRuns: 60, endOnFailure: true },
  );
});
