import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');

test('docs/decoder.md has a row for every code of a diagnostic, and no others', () => {
  const folder = join(root, 'src/decoder');
  const source = readdirSync(folder)
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n');
  const added = [...source.matchAll(/log\.add\(\{[^}]*?code:([^\n]*)\n/gs)];
  const codes = added.flatMap(([, line]) => [...line.matchAll(/'([a-z_]+)'/g)].map(([, code]) => code));
  const docs = readFileSync(join(root, 'docs/decoder.md'), 'utf8');
  const rows = [...docs.matchAll(/^\| `([a-z_]+)` \| (info|data_loss|error) \|/gm)].map(([, code]) => code);
  expect(codes.length).toBeGreaterThan(15);
  expect(rows.sort()).toEqual([...new Set(codes)].sort());
});
