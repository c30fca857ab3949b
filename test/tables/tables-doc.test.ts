import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EventCatalog } from '../../src/format/index.ts';
import { renderTablesDoc, tableSpecs } from '../../src/tables/index.ts';

const path = join(import.meta.dirname, '..', '..', 'docs', 'tables.md');
const text = renderTablesDoc(tableSpecs(EventCatalog.builtIn()));

test('docs/tables.md is what the declarations say (vitest -u writes it anew)', async () => {
  await expect(text).toMatchFileSnapshot(path);
});

test('every table and every column of it has its line', () => {
  const written = readFileSync(path, 'utf8');
  for (const { name, columns } of tableSpecs(EventCatalog.builtIn())) {
    const section = written.split(`### ${name}\n`)[1]?.split('\n### ')[0] ?? '';
    for (const column of columns) expect(section).toContain(`| ${column.name} |`);
  }
});
