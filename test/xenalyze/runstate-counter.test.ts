import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { RunstateCounter } from '../../src/xenalyze/runstate-counter.ts';
import { RunstateLog } from '../../src/xenalyze/runstate-log.ts';
import type * as thread from '../../src/xenalyze/runstate-thread.ts';
import type { RunstateTotals } from '../../src/xenalyze/runstate-times.ts';
import { WalkMemory } from '../../src/xenalyze/walk-memory.ts';
import { SAMPLES } from '../../src/xenalyze/wasm/runstate-layout.ts';
import { LOG_WORDS } from '../../src/xenalyze/wasm/walk-layout.ts';

/** Threads are started from compiled files. */
const { RunstateThread }: typeof thread = await import(
  join(resolve(import.meta.dirname, '../..'), 'dist/xenalyze/runstate-thread.js')
);
const OPTIONS = { sampleSize: 64, sampleMax: 1000, never: -1000 };
const [RUNNING, RUNNABLE, BLOCKED] = [0, 1, 2];

/** Everything that is counted of so many vCPUs and domains. */
function all({ ofRunstate, ofCause, ofDomain }: RunstateTotals, indexes: number) {
  return Array.from({ length: indexes }, (_, index) => ({
    runstates: Array.from({ length: 7 }, (_, runstate) => ofRunstate(index, runstate)),
    causes: Array.from({ length: 4 }, (_, cause) => ofCause(index, cause)),
    domain: Array.from({ length: 7 }, (_, runstate) => ofDomain(index, runstate)),
  }));
}

function randomly(): (below: number) => number {
  let seed = 1;
  return (below) => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
}

test('the times of two vCPUs and their domain, by hand', () => {
  const log = new RunstateLog(new WalkMemory(0n), new RunstateCounter({ ...OPTIONS, never: 0 }));
  const [domain, v0, v1, other] = [0, 1, 2, 3];
  log.addVcpu(v0, domain);
  log.addVcpu(v1, domain);
  log.addVcpu(other, -1);
  log.supposeRunning(other);
  log.pass(v0, RUNNING, 100);
  log.pass(v1, BLOCKED, 110);
  log.pass(v0, RUNNABLE, 130);
  log.pass(v1, RUNNABLE, 137);
  log.pass(v0, RUNNING, 150);
  log.forgetStart(v1);
  log.pass(v1, RUNNING, 160);
  log.pass(v0, BLOCKED, 200);
  log.pass(other, BLOCKED, 210);
  const { ofRunstate, ofCause, ofDomain } = log.totals();
  const cycles = (totals: { count: number; cycles: number }) => [totals.count, totals.cycles];
  expect(cycles(ofRunstate(v0, RUNNING))).toEqual([2, 30 + 50]);
  expect(cycles(ofRunstate(v0, RUNNABLE))).toEqual([1, 20]);
  expect(cycles(ofCause(v0, 2))).toEqual([1, 20]);
  expect(cycles(ofRunstate(v1, BLOCKED))).toEqual([1, 27]);
  // Since when it was runnable was forgotten, and since when the other one ran was never known.
  expect(cycles(ofRunstate(v1, RUNNABLE))).toEqual([0, 0]);
  expect(cycles(ofRunstate(other, RUNNING))).toEqual([0, 0]);
  // Full run while only v0 was known and at the end; partial run; partial contention; full contention; hazard.
  expect([0, 1, 2, 3, 4, 5, 6].map((runstate) => cycles(ofDomain(domain, runstate)))).toEqual([
    [0, 0],
    [1, 20],
    [2, 10 + 40],
    [1, 7],
    [1, 10],
    [1, 13],
    [0, 0],
  ]);
});

test('a transition long after the one before it, and one before it, are counted from where they are', () => {
  const log = new RunstateLog(new WalkMemory(0n), new RunstateCounter({ ...OPTIONS, never: 0 }));
  log.addVcpu(1, -1);
  log.addVcpu(2, -1);
  log.pass(2, RUNNING, 40);
  log.pass(1, RUNNING, 100);
  log.pass(1, BLOCKED, 100 + 2 ** 33);
  log.pass(1, RUNNABLE, 50);
  log.pass(1, RUNNING, 80);
  log.pass(2, BLOCKED, 90);
  const { ofRunstate } = log.totals();
  expect(ofRunstate(1, RUNNING).cycles).toBe(2 ** 33);
  expect(ofRunstate(1, BLOCKED).count).toBe(0);
  expect(ofRunstate(1, RUNNABLE).cycles).toBe(30);
  expect(ofRunstate(2, RUNNING).cycles).toBe(50);
});

test('samples for which the memory has no room lie outside, and tell the same', () => {
  const options = { sampleSize: 1024, sampleMax: 0, never: -1000 };
  const pages = SAMPLES / 65_536;
  const scant = new WebAssembly.Memory({ initial: pages, maximum: pages + 1, shared: true });
  const counters = [new RunstateCounter(options), new RunstateCounter(options, scant)];
  const logs = counters.map((counter) => new RunstateLog(new WalkMemory(0n), counter));
  for (const log of logs) {
    const random = randomly();
    log.addVcpu(1, 0);
    let tsc = 0;
    for (let i = 0; i < 40_000; i++) {
      tsc += 1 + random(5000) + (random(300) === 0 ? 2 ** 33 : 0);
      log.pass(1, i % 3, tsc);
    }
  }
  const [expected, found] = logs.map((log) => all(log.totals(), 2));
  // A page has room for 16 pieces of samples.
  expect(counters[0].counts.outside.length).toBe(0);
  expect(counters[1].counts.outside.length).toBeGreaterThan(50);
  expect(expected[1].runstates[RUNNING].count).toBeGreaterThan(10_000);
  expect(found).toEqual(expected);
});

test('a thread is told all that its counter is to count', () => {
  const [counted, threaded] = [new RunstateCounter(OPTIONS), new RunstateThread(OPTIONS)].map(
    (times) => new RunstateLog(new WalkMemory(0n), times),
  );
  const both = (tell: (log: RunstateLog) => void) => {
    tell(counted);
    tell(threaded);
  };
  const random = randomly();
  const vcpus: number[] = [];
  let tsc = 0;
  // Enough to fill every block, so that the first ones are used again.
  for (let i = 0; i < LOG_WORDS * 9; i++) {
    const vcpu = vcpus[random(vcpus.length)];
    if (vcpus.length < 12 && i % 1000 === 0) {
      const added = 3 + vcpus.length;
      both((log) => log.addVcpu(added, vcpus.length === 11 ? -1 : added % 3));
      vcpus.push(added);
    } else if (random(100) === 0) both((log) => log.forgetStart(vcpu));
    else if (random(1000) === 0) both((log) => log.supposeRunning(vcpus[11] ?? vcpu));
    else {
      const far = random(500);
      if (far === 0) tsc += 2 ** 31 + random(2 ** 31) * 2 ** 15;
      else if (far === 1) tsc -= random(1000);
      else tsc += random(5000);
      const runstate = random(7);
      both((log) => log.pass(vcpu, runstate, tsc));
    }
  }
  const expected = all(counted.totals(), 15);
  expect(expected[5].runstates[RUNNING].count).toBeGreaterThan(1000);
  expect(all(threaded.totals(), 15)).toEqual(expected);
});
