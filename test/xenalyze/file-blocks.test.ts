import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { runXenalyze } from '../../src/xenalyze/index.ts';
import { READ_AHEAD_BYTES } from '../../src/xenalyze/wasm/walk-layout.ts';
import { REAL_XENALYZE, runReal } from './real-xenalyze.ts';

const RUNNABLE_TO_RUNNING = 0x90021101;
const RUNNING_TO_BLOCKED = 0x90021021;
const BLOCKED_TO_RUNNABLE = 0x90021211;
const WAKE = 0xa0028004;
/** Of seven words; there is no line for it. */
const TIMER = 0xf0028008;
/** A record that is no usual one: grant-map. */
const GRANT_MAP = 0x9010f001;
const CYCLE = [
  RUNNABLE_TO_RUNNING,
  TIMER,
  TIMER,
  GRANT_MAP,
  RUNNING_TO_BLOCKED,
  TIMER,
  WAKE,
  TIMER,
  TIMER,
  BLOCKED_TO_RUNNABLE,
];

const folder = mkdtempSync(join(tmpdir(), 'xenscope-blocks-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** How often a pCPU has a record, and how many bytes of them make a window. */
interface Buffering {
  readonly weight: number;
  readonly windowBytes: number;
}

/**
 * A trace of pCPUs that buffer their records: the more one buffers, the later its windows come behind those of others
 * that are of the same time. Each has one vCPU that runs, blocks and wakes.
 */
function writeTrace(path: string, records: number, pcpus: readonly Buffering[]): void {
  const file = openSync(path, 'w');
  const buffers = pcpus.map((): number[] => []);
  const counts = pcpus.map(() => 0);
  const total = pcpus.reduce((sum, { weight }) => sum + weight, 0);
  const flush = (pcpu: number) => {
    const words = buffers[pcpu];
    if (words.length > 0) writeSync(file, Uint32Array.from([0x2001f003, pcpu, words.length * 4, ...words]));
    buffers[pcpu] = [];
  };
  let seed = 1;
  for (let i = 0; i < records; i++) {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    let share = (seed / 2 ** 32) * total;
    let pcpu = 0;
    while (pcpu < pcpus.length - 1 && share >= pcpus[pcpu].weight) share -= pcpus[pcpu++].weight;
    const tsc = 1_000_000_000 + i * 240;
    const event = CYCLE[counts[pcpu]++ % CYCLE.length];
    buffers[pcpu].push(event, tsc >>> 0, Math.floor(tsc / 2 ** 32));
    if (event === TIMER) buffers[pcpu].push(i, 0, 0, 0, 0, 0, 0);
    else if (event === WAKE) buffers[pcpu].push(1, pcpu);
    else if (event === GRANT_MAP) buffers[pcpu].push(1);
    else buffers[pcpu].push((1 << 16) | pcpu);
    if (buffers[pcpu].length * 4 >= pcpus[pcpu].windowBytes) flush(pcpu);
  }
  for (let pcpu = pcpus.length - 1; pcpu >= 0; pcpu--) flush(pcpu);
  closeSync(file);
}

const equal = (weight: number, windowBytes: number) => ({ weight, windowBytes });

test.skipIf(REAL_XENALYZE === undefined).each([
  { name: 'short windows', pcpus: [equal(1, 300), equal(1, 500), equal(2, 4000), equal(2, 4000)] },
  { name: 'windows of several sizes', pcpus: [equal(1, 300), equal(3, 40_000), equal(3, 400_000)] },
  {
    name: 'together more than is read ahead',
    pcpus: [equal(1, 300), equal(2, 4000), ...[1, 2, 3, 4, 5, 6].map(() => equal(30, 1_000_000))],
  },
  {
    name: 'windows that are too long to be read ahead',
    pcpus: [equal(1, 300), equal(1, 4000), equal(30, 1_500_000), equal(30, 2_500_000)],
  },
  {
    name: 'pCPUs that wait in a window for a long time',
    pcpus: [equal(100, 3000), equal(100, 3000), equal(0.05, 200), equal(0.005, 200), equal(0.0005, 200)],
  },
  { name: 'one pCPU', pcpus: [equal(1, 1000)] },
])('blocks that are read ahead, moved out and read by themselves: $name', async ({ pcpus }) => {
  const path = join(folder, 'buffers.trace');
  writeTrace(path, 400_000, pcpus);
  expect(statSync(path).size).toBeGreaterThan(READ_AHEAD_BYTES * 2.4);
  for (const option of ['-s', '-a']) {
    const parts: Buffer[] = [];
    const stdout = (bytes: Uint8Array) => parts.push(Buffer.from(bytes));
    await runXenalyze([option, path], { stdout, stderr: () => {} });
    expect(Buffer.concat(parts).equals(runReal([option, path]).stdout), option).toBe(true);
  }
});

test.skipIf(REAL_XENALYZE === undefined).each([
  ['a usual record', []],
  ['a record that is no usual one', [GRANT_MAP, 1_000_021_000, 0, 1]],
])('a pCPU that comes far behind others to a window that begins with %s', async (_, first) => {
  const path = join(folder, 'late.trace');
  const file = openSync(path, 'w');
  const write = (pcpu: number, fromNs: number, toNs: number, records: number, begin: number[] = []) => {
    const words = [0x2001f003, pcpu, begin.length * 4 + records * 20, ...begin];
    for (let i = 0; i < records; i++)
      words.push(WAKE, 1_000_000_000 + Math.floor(fromNs + ((toNs - fromNs) * i) / records), 0, 1, i);
    writeSync(file, Uint32Array.from(words));
  };
  // When pCPU 0 goes on to its second window, it has long had a block of its own, and pCPU 1 is megabytes ahead.
  write(0, 0, 21_000, 300);
  for (let i = 0; i < 10; i++) write(1, i * 1000, (i + 1) * 1000, 12_000);
  write(0, 21_000, 40_000, 300, first);
  for (let i = 10; i < 40; i++) write(1, i * 1000, (i + 1) * 1000, 12_000);
  closeSync(file);
  const parts: Buffer[] = [];
  await runXenalyze(['-a', path], { stdout: (bytes) => parts.push(Buffer.from(bytes)), stderr: () => {} });
  expect(Buffer.concat(parts).equals(runReal(['-a', path]).stdout)).toBe(true);
});
