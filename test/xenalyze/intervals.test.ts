import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TraceBuilder } from '../support/trace-builder.ts';
import { difference, REAL_XENALYZE, runOurs, runReal } from './real-xenalyze.ts';

const folder = mkdtempSync(join(tmpdir(), 'xenscope-intervals-'));
const file = join(folder, 'trace');
afterAll(() => rmSync(folder, { recursive: true }));

const START = 1_000_000_000;
const VMEXIT64 = 0x81102;
const VMENTRY = 0x81001;
const CR_WRITE64 = 0x82109;
const INJ_VIRQ = 0x82004;
const CR_ACCESS = 28;

/** With --cpu-hz=1G a cycle is a nanosecond. Two milliseconds in which d1v0, a HVM guest, runs half, then 70 %. */
beforeAll(() => {
  const trace = new TraceBuilder().window(0).runstate(START, 1, 0, 'runnable', 'running');
  const writeCr3 = (at: number, gmfn: number, vector: number) =>
    trace
      .record(VMEXIT64, START + at, [CR_ACCESS, 0xc0100000, 0])
      .record(CR_WRITE64, START + at + 1000, [3, gmfn << 12, 0])
      .record(INJ_VIRQ, START + at + 2000, [vector, 0])
      .record(VMENTRY, START + at + 10_000);
  writeCr3(100_000, 0x11, 0x30);
  writeCr3(300_000, 0x22, 0xef);
  trace
    .runstate(START + 500_000, 1, 0, 'running', 'blocked')
    .runstate(START + 1_100_000, 1, 0, 'blocked', 'runnable');
  trace.runstate(START + 1_200_000, 1, 0, 'runnable', 'running');
  writeCr3(1_300_000, 0x11, 0x30);
  trace
    .runstate(START + 1_900_000, 1, 0, 'running', 'blocked')
    .runstate(START + 2_500_000, 1, 0, 'blocked', 'runnable');
  writeFileSync(file, trace.bytes());
});

const INTERVALS = [
  '--interval-domain-total-time=1,7',
  '--interval-domain-total-time-all',
  '--interval-domain-short-summary=1',
  '--interval-domain-guest-interrupt=1',
  '--interval-domain-grant-maps=1',
  '--interval-cr3-schedule-time=0x11,0x33',
  '--interval-cr3-schedule-time-all',
  '--interval-cr3-short-summary=0x11',
];
const COMMON = ['--interval=0.001', '--cpu-hz=1G'];
const run = async (...options: string[]) => (await runOurs([...COMMON, ...options, file])).stdout.toString();

describe('intervals', () => {
  test('shares of the time that a domain runs', async () => {
    expect(await run('--interval-domain-total-time=1,7')).toBe(
      '0.000000000 50.00 0.0\n0.001000000 70.00 0.0\n',
    );
  });

  test('a column for each domain, the default one first', async () => {
    expect(await run('--interval-domain-total-time-all')).toBe(
      '0.000000000 0.00 50.00\n0.001000000 0.00 70.00\ntime 32768 1\n',
    );
  });

  test('how many interrupts the guest got', async () => {
    expect(await run('--interval-domain-guest-interrupt=1')).toBe(
      '0.000000000 1 1\n0.001000000 1 0\ntime running 48 239\n',
    );
  });

  test('ten vectors of interrupts, and no other: vector 0 is that of a free place', async () => {
    const path = join(folder, 'vectors');
    const trace = new TraceBuilder().window(0).runstate(START, 1, 0, 'runnable', 'running');
    const vectors = [0, 49, 250, 240, 252, 48, 254, 253, 249, 0, 255, 251, 0, 49, 77];
    for (const [i, vector] of vectors.entries()) {
      trace.record(VMEXIT64, START + i * 100, [CR_ACCESS, 0xc0100000, 0]);
      trace.record(INJ_VIRQ, START + i * 100 + 50, [vector, 0]);
    }
    writeFileSync(path, trace.bytes());
    const ofTwo = ['--interval-domain-total-time=1,7', '--interval-domain-guest-interrupt=1'];
    // What the first of two options asks for lies in the place of a vector.
    for (const [options, known, refused] of [
      [ofTwo.slice(1), [49, 250, 240, 252, 48, 254, 253, 249, 255, 251], [0, 77]],
      [ofTwo, [2, 49, 250, 240, 252, 48, 254, 253, 249, 255], [251, 0, 77]],
    ] as const) {
      const argv = [...COMMON, '--tolerance=6', ...options, path];
      const ours = await runOurs(argv);
      expect(ours.stdout.toString()).toContain(`time running ${known.join(' ')}\n`);
      const refusals = ours.stderr.toString().match(/^FATAL: used up all 10 guest interrupt slots!$/gm);
      expect(refusals).toHaveLength(refused.length);
      if (REAL_XENALYZE !== undefined) expect(difference(runReal(argv), ours)).toBeUndefined();
    }
  });

  test('nothing for a domain that is not there', async () => {
    expect(await run('--interval-domain-short-summary=5')).toMatch(/^time running emulate .* other\n$/);
  });

  test('intervals of no length end nowhere', async () => {
    const { stdout, stderr, finished } = await runOurs([
      '--interval=0',
      '--interval-domain-total-time-all',
      file,
    ]);
    expect(stdout.toString()).toBe('time 32768 1\n');
    expect(stderr.toString()).toContain('xenalyze ends here');
    expect(finished).toBe(false);
  });

  test.skipIf(REAL_XENALYZE === undefined)('all are as those of the real xenalyze', async () => {
    const pairs = INTERVALS.map((option) => [option, '--interval-domain-short-summary=1', '-a']);
    for (const options of [...INTERVALS.map((option) => [option]), ...pairs]) {
      const argv = [...COMMON, ...options, file];
      const real = runReal(argv);
      expect(real.stdout.length, options.join(' ')).toBeGreaterThan(10);
      expect(difference(real, await runOurs(argv)), options.join(' ')).toBeUndefined();
    }
  });
});
