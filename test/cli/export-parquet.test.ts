import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { runCli, scratchFolder } from './run-cli.ts';

const REAL = resolve(import.meta.dirname, '../../samples/traces/credit-caps.trace');
const scratch = scratchFolder();
afterAll(() => scratch.remove());

test('export --to parquet names what it wrote, by host and run', () => {
  const out = scratch.path('named');
  const words = ['export', '-', '--to', 'parquet', '-o', out, '--host', 'xen 1', '--run', 'monday'];
  const { status, stdout } = runCli(words, readFileSync(REAL));
  expect(status).toBe(0);
  const files = stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/ {2}\d+ bytes$/, ''));
  expect(files).toContain(join(out, 'waits', 'host=xen%201', 'run=monday', 'part-0.parquet'));
  expect(files).toContain(join(out, 'analysis', 'blame', 'host=xen%201', 'run=monday', 'part-0.parquet'));
  expect(files.every(existsSync)).toBe(true);
  const found = readdirSync(out, { recursive: true }).map(String);
  expect(found.filter((name) => name.endsWith('.parquet'))).toHaveLength(files.length);
});

test.each([
  [['-', '-o', 'x'], /standard input has no name: --host is missing/],
  [[REAL, REAL, '-o', 'x'], /would both be host traces, run credit-caps \(export each on its own/],
  [[REAL, '-o', 'x', '--start', '1s'], /takes whole traces, without --start and --end/],
  [[REAL, '-o', REAL], /cannot be written: a part of its path is not a folder/],
  [[REAL], /missing -o: the folder to write/],
])('export %j --to parquet is refused in a sentence', (words, sentence) => {
  const { status, stderr, stdout } = runCli(['export', ...words, '--to', 'parquet'], new Uint8Array(0));
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(sentence);
});
