import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { resultTables, withColumns } from './metrics-doc.ts';

const PATH = join(import.meta.dirname, '../../docs/metrics.md');

test('docs/metrics.md has every column of every result (UPDATE_DOCS=1 writes them)', () => {
  const text = readFileSync(PATH, 'utf8');
  const current = withColumns(text, resultTables());
  if (process.env.UPDATE_DOCS === '1') writeFileSync(PATH, current);
  else expect(text).toBe(current);
});

test('names of results are unique, and so are columns within one', () => {
  const tables = resultTables();
  expect(new Set(tables.map(({ name }) => name)).size).toBe(tables.length);
  for (const { columns } of tables)
    expect(new Set(columns.map(({ name }) => name)).size).toBe(columns.length);
});
