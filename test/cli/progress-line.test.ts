/** One line on a terminal: when it comes, what it says, and that it goes. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createProgress } from '../../src/cli/output.ts';
import { createProgressBar } from '../../src/cli/progress-bar.ts';
import { wipeProgress } from '../../src/cli/progress-line.ts';

const wasTerminal = process.stderr.isTTY;
let nowMs = 0;
let written: string[] = [];

beforeEach(() => {
  nowMs = 0;
  written = [];
  process.stderr.isTTY = true;
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    written.push(String(text).replaceAll('\r', ''));
    return true;
  });
});

afterEach(() => {
  wipeProgress();
  vi.restoreAllMocks();
  process.stderr.isTTY = wasTerminal;
});

test('nothing is said for a second; then how far it is, and how long it takes at that pace', () => {
  const progress = createProgress('decoding');
  for (const [ms, done] of [
    [0, 0],
    [900, 9],
    [2000, 20],
    [2050, 21],
    [9000, 90],
  ] as const) {
    nowMs = ms;
    progress.update(done, 100);
  }
  expect(written.map((line) => line.trimEnd())).toEqual([
    'decoding  20 %, 8 s left',
    'decoding  90 %, 1 s left',
  ]);
  progress.done();
  expect(written.at(-1)!.trim()).toBe('');
});

test('a stream of which nobody knows the end is told in bytes, and does not spoil the pace of what comes then', () => {
  const progress = createProgress('reading');
  nowMs = 5000;
  progress.update(123_456_789, Number.NaN);
  nowMs = 6000;
  progress.update(0, 100);
  nowMs = 7000;
  progress.update(25, 100);
  expect(written.map((line) => line.trimEnd())).toEqual([
    'reading  123 MB',
    'reading   0 %',
    'reading  25 %, 3 s left',
  ]);
});

test('steps have a bar; runs that were done before do not count for the pace', () => {
  const progress = createProgressBar('runs');
  progress.update(30, 60);
  nowMs = 10_000;
  progress.update(40, 60);
  expect(written).toEqual([`[${'#'.repeat(20)}${'.'.repeat(10)}] 40/60 runs, 20 s left`]);
});

test('output that goes to the terminal meanwhile finds no line in its way', () => {
  const progress = createProgress('dumping');
  nowMs = 2000;
  progress.update(1, 2);
  wipeProgress();
  wipeProgress();
  expect(written).toHaveLength(2);
  expect(written[1]!.trim()).toBe('');
});

test('where there is no terminal nothing is said', () => {
  process.stderr.isTTY = false;
  const progress = createProgress('decoding');
  nowMs = 5000;
  progress.update(1, 2);
  progress.done();
  expect(written).toEqual([]);
});
