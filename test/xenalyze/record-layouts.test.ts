import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { TraceBuilder } from '../support/trace-builder.ts';
import { difference, REAL_XENALYZE, runOurs, runReal } from './real-xenalyze.ts';

const folder = mkdtempSync(join(tmpdir(), 'xenscope-layouts-'));
const file = join(folder, 'trace');
afterAll(() => rmSync(folder, { recursive: true }));

const GFN = [0x80001234, 0x1];
const MFN = [0xabcd, 0];
/** What lies behind the record: 4.17 reads on where a record is too short for it. */
const NEXT = 0x7001_0001;

/** Event, words, and what it is shown as; by 4.17 too unless that is given as well. */
const RECORDS: [string, number, number[], string, string?][] = [
  ['grant', 0x10f001, [5], 'grant-map domain 5'],
  ['transfer', 0x10f003, [5], 'grant-transfer domain 5'],
  ['p2m', 0x10f004, [...GFN, ...MFN, 7, 0x90003], 'set_p2m_entry d3 o9 t 7 g 180001234 m abcd'],
  ['reservation', 0x10f005, [...GFN, 0x90003], 'decrease_reservation d3 o9 g 180001234'],
  [
    'reservation since 4.18',
    0x10f005,
    [...GFN, 3, 9],
    'decrease_reservation d3 o9 g 180001234',
    'decrease_reservation d3 o0 g 180001234',
  ],
  ['populate', 0x10f010, [...GFN, ...MFN, 0x90003], 'pod_populate d3 o9 g 180001234 m abcd'],
  [
    'populate, a word not set',
    0x10f010,
    [...GFN, ...MFN, 3, 0x8300],
    'pod_populate d3 o0 g 180001234 m abcd',
  ],
  [
    'populate, another not set',
    0x10f010,
    [...GFN, ...MFN, 0x120003, 9],
    'pod_populate d3 o18 g 180001234 m abcd',
  ],
  [
    'populate since 4.18',
    0x10f010,
    [...GFN, ...MFN, 3, 9],
    'pod_populate d3 o9 g 180001234 m abcd',
    'pod_populate d3 o0 g 180001234 m abcd',
  ],
  [
    'reclaim since 4.18',
    0x10f011,
    [...GFN, ...MFN, 3, 9],
    'pod_zero_reclaim d3 o9 g 180001234 m abcd ctx unknown',
    'pod_zero_reclaim d3 o0 g 180001234 m abcd ctx unknown',
  ],
  ['splinter', 0x10f012, [...GFN, 3, 0x8300], 'pod_spage_splinter d3 g 180001234'],
  [
    'splinter since 4.18',
    0x10f012,
    [...GFN, 3, 18],
    'pod_spage_splinter d3 o18 g 180001234',
    'pod_spage_splinter d3 g 180001234',
  ],
  ['a grant of two words', 0x10f001, [5, 6], '10f001(10:f:1) 2 [ 5 6 ]', 'grant-map domain 5'],
  ['memory, unknown', 0x10f00f, [5], '10f00f(10:f:f) 1 [ 5 ]'],
  ['frequency', 0x801001, [2400, 1200], 'pm_freq_change o2400 n1200'],
  ['idle', 0x801002, [2, 0, 0, 0], 'pm_idle_start c2'],
  ['not idle', 0x801003, [2, 0, 0, 0, 0, 0], 'pm_idle_end c2'],
  ['cleanup', 0x802002, [0x1a, 0x51, 3], 'irq_move_cleanup irq 1a vec 51 cpu 3'],
  ['idle until 4.1', 0x802001, [2, 0, 1, 2], 'pm_idle_start c2', 'irq_move_cleanup_delay irq 2 vec 0 cpu 1'],
  [
    'vector',
    0x802003,
    [0x1a, 0x51, 0xf, 0, 0, 0x12345],
    'irq_bind_vector irq 1a vec 51 mask 12345 0000 0000 000f',
  ],
  [
    'vector since 4.2',
    0x802006,
    [0x51001a, 0xf, 0, 0, 0x12345, 0, 0],
    'irq_assign_vector irq 51001a vec f mask 0000 12345 0000 0000',
  ],
  ['unmapped', 0x802007, [0xef], 'irq_unmapped_vector vec ef'],
  ['handled', 0x802008, [0x1a, 0xfffffff0, 16], 'irq_handled irq 1a 32 (-16,16)'],
  ['add', 0x41001, [7], 'creating domain d7'],
  ['remove', 0x41002, [7], 'destroying domain d7'],
  ['a domain, no word', 0x41002, [], '41002(4:1:2) 0 [ ]', `destroying domain d${NEXT}`],
  ['control, unknown', 0x41005, [7], '41005(4:1:5) 1 [ 7 ]', 'destroying domain d7'],
];

function write(event: number, words: readonly number[]): void {
  const trace = new TraceBuilder().window(0).record(event, 1_000_000, words);
  writeFileSync(file, trace.untimed(0x10001, [0, 0, 0, 0, 0, 0, 0]).bytes());
}

async function lineOf(...options: string[]): Promise<string> {
  const { stdout } = await runOurs(['-a', ...options, file]);
  return /^[ \]] {15}x d32768v0 +(.*)/m.exec(stdout.toString())?.[1] ?? '';
}

describe('records of memory, hardware and the control domain', () => {
  for (const [name, event, words, shown, in417] of RECORDS)
    test(name, async () => {
      write(event, words);
      expect(await lineOf()).toBe(shown);
      expect(await lineOf('--compat=4.17')).toBe(in417 ?? shown);
      if (REAL_XENALYZE === undefined) return;
      const argv = ['-a', '-s', file];
      const real = runReal(argv);
      expect(difference(real, await runOurs(['--compat=4.17', ...argv]))).toBeUndefined();
      if (in417 === undefined) expect(difference(real, await runOurs(argv))).toBeUndefined();
    });

  test('areas are counted by the order that is shown', async () => {
    const trace = new TraceBuilder().window(0).runstate(1_000_000, 3, 0, 'runnable', 'running');
    trace.record(0x10f010, 1_000_100, [...GFN, ...MFN, 3, 18]);
    writeFileSync(file, trace.record(0x10f011, 1_000_200, [...GFN, ...MFN, 3, 9]).bytes());
    const summary = (await runOurs(['-s', file])).stdout.toString();
    expect(summary).toContain('  Populated:\n   [2] 1\n  Reclaim order:\n   [1] 1\n');
    expect(summary).toContain('  Reclaim contexts:\n   * [unknown] 1\n    [1] 1\n');
  });

  test('an idle state that ends as another one is strange', async () => {
    const trace = new TraceBuilder().window(0).record(0x801002, 1_000_000, [2, 0, 0, 0]);
    writeFileSync(file, trace.record(0x801003, 1_000_500, [3, 0, 0, 0, 0, 0]).bytes());
    const { stdout } = await runOurs(['-s', file]);
    expect(stdout.toString()).toContain('Strange, pm_idle_end 3, power_state 2!\n');
  });

  test('interrupts are plotted with their pCPU', async () => {
    const trace = new TraceBuilder().window(3).record(0x802008, 1_000_000_000, [0x1a, 5, 6]);
    writeFileSync(file, trace.record(0x802008, 1_500_000_000, [0x1b, 5, 6]).bytes());
    const { stdout } = await runOurs(['--scatterplot-irq', '--cpu-hz=1G', file]);
    expect(stdout.toString()).toBe('i1a 0.000000000 3\ni1b 0.500000000 3\n');
  });
});
