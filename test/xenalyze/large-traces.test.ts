import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type * as xenalyze from '../../src/xenalyze/index.ts';
import { REAL_XENALYZE, runReal } from './real-xenalyze.ts';

const root = resolve(import.meta.dirname, '../..');
/** Threads are started from compiled files. */
const { runXenalyze }: typeof xenalyze = await import(join(root, 'dist/xenalyze/index.js'));
const { generateTrace } = await import(join(root, 'test/bench/generate-trace.mjs'));
/** Traces from here on are counted in a thread of its own. */
const THREAD_BYTES = 2 ** 24;

const folder = mkdtempSync(join(tmpdir(), 'xenscope-threads-'));
afterAll(() => rmSync(folder, { recursive: true }));

test.skipIf(REAL_XENALYZE === undefined).each([
  { name: 'short stretches', pcpus: 4, spanNs: 20e9 },
  { name: 'stretches of more than 2^31 cycles', pcpus: 250, spanNs: 20_000e9 },
])('a thread counts a large trace as xenalyze does: $name', async ({ pcpus, spanNs }) => {
  const path = join(folder, `${pcpus}.trace`);
  generateTrace(path, { records: 900_000, pcpus, spanNs });
  expect(statSync(path).size).toBeGreaterThan(THREAD_BYTES);
  const parts: Buffer[] = [];
  await runXenalyze(['-s', path], { stdout: (bytes) => parts.push(Buffer.from(bytes)), stderr: () => {} });
  expect(Buffer.concat(parts).toString('latin1')).toBe(runReal(['-s', path]).stdout.toString('latin1'));
});

test.skipIf(REAL_XENALYZE === undefined)(
  'of so many pCPUs that the text in front of a line is cut off',
  async () => {
    const path = join(folder, 'wide.trace');
    generateTrace(path, { records: 20_000, pcpus: 250 });
    const parts: Buffer[] = [];
    await runXenalyze(['-a', path], { stdout: (bytes) => parts.push(Buffer.from(bytes)), stderr: () => {} });
    expect(Buffer.concat(parts).equals(runReal(['-a', path]).stdout)).toBe(true);
  },
);

test
  .skipIf(REAL_XENALYZE === undefined)
  .each(['--scatterplot-pcpu', '--scatterplot-runstate', '--scatterplot-runstate-time', '--report-pcpu'])(
  '%s alone shows each transition, although most are usual',
  async (option) => {
    const path = join(folder, 'usual.trace');
    generateTrace(path, { records: 20_000, pcpus: 4 });
    const parts: Buffer[] = [];
    await runXenalyze([option, path], {
      stdout: (bytes) => parts.push(Buffer.from(bytes)),
      stderr: () => {},
    });
    const real = runReal([option, path]).stdout;
    expect(real.length).toBeGreaterThan(100);
    expect(Buffer.concat(parts).toString('latin1')).toBe(real.toString('latin1'));
  },
);

test('more vCPUs than any host has are refused in a sentence', async () => {
  const path = join(folder, 'vcpus.trace');
  const [domains, vcpus] = [1025, 256];
  const words = new Uint32Array(3 + domains * vcpus * 4);
  words.set([0x2001f003, 0, (words.length - 3) * 4]);
  for (let i = 0; i < domains * vcpus; i++)
    words.set([0x90021211, 1000 + i, 0, (Math.floor(i / vcpus) << 16) | (i % vcpus)], 3 + i * 4);
  writeFileSync(path, words);
  await expect(runXenalyze(['-s', path], { stdout: () => {}, stderr: () => {} })).rejects.toThrow(
    'there are more than 262144 vCPUs and domains',
  );
});
