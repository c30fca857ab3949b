/** The verb export: what it writes where, and its mistakes. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { recordSample } from '../export/export-bytes.ts';
import { importPerfetto, readPackets } from '../export/perfetto-importer.ts';
import { runCli, scratchFolder } from './run-cli.ts';

const samples = resolve(import.meta.dirname, '../../samples');
const trace = join(samples, 'traces/credit-caps.trace');
const scratch = scratchFolder();
afterAll(() => scratch.remove());

test('a file appears under its name, and nothing else', () => {
  const output = scratch.path('run.pftrace');
  const { status, stdout, stderr } = runCli(['export', trace, '--to', 'perfetto', '-o', output]);
  expect([status, stderr]).toEqual([0, '']);
  const bytes = readFileSync(output);
  expect(stdout).toBe(`${output}  ${bytes.length} bytes\n`);
  expect(importPerfetto(readPackets(bytes)).errors).toEqual([]);
  expect(readdirSync(scratch.path('.')).filter((name) => name.startsWith('run.'))).toEqual(['run.pftrace']);
});

test('standard output takes the same, from standard input too', () => {
  const piped = runCli(['export', '-', '--to', 'ftrace', '-o', '-'], readFileSync(trace));
  expect([piped.status, piped.stderr]).toEqual([0, '']);
  runCli(['export', trace, '--to', 'ftrace', '-o', scratch.path('run.ftrace')]);
  expect(piped.stdout).toBe(readFileSync(scratch.path('run.ftrace'), 'utf8'));
});

test('jobs are those of analyze --job-stats', () => {
  const run = recordSample(join(samples, 'deadlines.yaml'), scratch.path('jobs.trace'), 300_000_000);
  const exported = runCli(['export', run, '--to', 'job-stats', '-o', '-']);
  expect(exported.status).toBe(0);
  expect(exported.stdout.split('\n').length).toBeGreaterThan(20);
  runCli(['analyze', run, '--only', 'deadlines', '--job-stats', scratch.path('jobs.csv')]);
  expect(exported.stdout).toBe(readFileSync(scratch.path('jobs.csv'), 'utf8'));
});

test('where the jobs cannot be had, the file that was there stays', () => {
  const path = scratch.path('kept.csv');
  writeFileSync(path, 'kept');
  expect(runCli(['analyze', trace, '--job-stats', path, '--from', '100s']).status).toBe(2);
  expect(readFileSync(path, 'utf8')).toBe('kept');
  expect(readdirSync(dirname(path)).filter((name) => name.startsWith('kept.csv'))).toEqual(['kept.csv']);
});

test('a stretch of a trace is exported alone', () => {
  const output = scratch.path('stretch');
  runCli(['export', trace, '--to', 'perfetto', '-o', output, '--start', '1s', '--end', '1.1s']);
  const { schedSlices, errors } = importPerfetto(readPackets(readFileSync(output)));
  expect(errors).toEqual([]);
  expect(schedSlices.length).toBeGreaterThan(2);
  expect(schedSlices.every(({ startNs, endNs = 0 }) => startNs >= 1e9 && endNs <= 1.1e9)).toBe(true);
});

test('a damaged trace is exported as far as it goes, and exits with 1', () => {
  const cut = scratch.path('cut.trace');
  writeFileSync(cut, readFileSync(trace).subarray(0, 50_001));
  const { status, stderr } = runCli(['export', cut, '--to', 'ftrace', '-o', scratch.path('cut.ftrace')]);
  expect(status).toBe(1);
  expect(stderr).toMatch(/^xenscope: /);
});

test.each([
  [['--to', 'ftrace'], /missing -o: the file to write.*run\.ftrace/s],
  [['-o', 'x'], /--to <form>/],
  [['--to', 'perfeto', '-o', 'x'], /Allowed choices are perfetto/],
  [['--to', 'ftrace', '-o', '/nowhere/x'], /cannot be written: its folder does not exist/],
  [['--to', 'ftrace', '-o', '-', '--start', '2s', '--end', '1s'], /--start is not before --end/],
  [['--to', 'ftrace', '-o', '-', '--start', '2h'], /--start lies behind the end/],
  [[trace, '--to', 'ftrace', '-o', 'x'], /one trace into one file/],
])('%s is refused in one sentence', (words, sentence) => {
  const { status, stdout, stderr } = runCli(['export', trace, ...words]);
  expect(status).toBe(2);
  expect(stdout).not.toContain('sched_switch');
  expect(stderr).toMatch(sentence);
});
