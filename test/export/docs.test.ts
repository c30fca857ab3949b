import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { EXPORTERS } from '../../src/export/index.ts';
import { EVENT_NAMES } from '../../src/export/perfetto/names.ts';

const root = resolve(import.meta.dirname, '../..');
const doc = readFileSync(resolve(root, 'docs/exports.md'), 'utf8');

test('docs/exports.md names every form, and whatever Perfetto shows', () => {
  const names = [...Object.keys(EXPORTERS), ...EVENT_NAMES];
  expect(names.filter((name) => !doc.includes(`\`${name}\``))).toEqual([]);
});
