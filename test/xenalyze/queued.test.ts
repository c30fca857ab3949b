import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { TraceBuilder } from '../support/trace-builder.ts';
import { difference, REAL_XENALYZE, runOurs, runReal } from './real-xenalyze.ts';

const folder = mkdtempSync(join(tmpdir(), 'xenscope-queued-'));
afterAll(() => rmSync(folder, { recursive: true }));

// Runstates as records have them; the last is one of xenalyze's own, which no Xen writes.
const [RUNNING, RUNNABLE, BLOCKED, QUEUED] = [0, 1, 2, 5];
const TEXT = [
  'Strange, no meaningful runstates for d1!',
  ' Max vid: 1 (max_vcpus 2)',
  ' v0: queued',
  ' v1: queued',
  ' running: 0',
  ' runnable: 0',
  ' blocked: 0',
  ' offline: 0',
  ' lost: 0',
  ' queued: 2',
  ' init: 0',
  '',
].join('\n');

test('a domain whose vCPUs are all queued is told of, as xenalyze does it', async () => {
  const trace = new TraceBuilder().window(0);
  const change = (tsc: number, vcpu: number, old: number, next: number) =>
    trace.record(0x21001 | (old << 8) | (next << 4), tsc, [(1 << 16) | vcpu]);
  for (const [vcpu, tsc] of [
    [0, 1000],
    [1, 2000],
  ]) {
    change(tsc, vcpu, RUNNABLE, RUNNING);
    change(tsc + 100, vcpu, RUNNING, BLOCKED);
    change(tsc + 200, vcpu, BLOCKED, RUNNABLE);
  }
  change(3000, 0, RUNNABLE, QUEUED);
  change(3100, 1, RUNNABLE, QUEUED);
  change(3200, 1, QUEUED, RUNNABLE);
  change(3300, 1, RUNNABLE, RUNNING);
  const path = join(folder, 'queued.trace');
  writeFileSync(path, trace.bytes());
  // The real one ends there.
  const argv = ['-a', '-s', path];
  const ours = await runOurs(argv);
  expect(ours.stdout.toString('latin1').split(TEXT)).toHaveLength(2);
  if (REAL_XENALYZE === undefined) return;
  const real = runReal(argv);
  expect(real.stdout.toString('latin1')).toContain(TEXT);
  expect(difference(real, ours)).toBeUndefined();
});
