import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import type * as thread from '../../src/xenalyze/runstate-thread.ts';
import {
  RunstateCounter,
  type RunstateTimes,
  type RunstateTotals,
} from '../../src/xenalyze/runstate-times.ts';

/** Threads are started from compiled files. */
const { BLOCK_WORDS, RunstateThread }: typeof thread = await import(
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

test('the times of two vCPUs and their domain, by hand', () => {
  const counter = new RunstateCounter({ ...OPTIONS, never: 0 });
  const [domain, v0, v1, other] = [0, 1, 2, 3];
  counter.addVcpu(v0, domain);
  counter.addVcpu(v1, domain);
  counter.addVcpu(other, -1);
  counter.supposeRunning(other);
  counter.pass(v0, RUNNING, 100);
  counter.pass(v1, BLOCKED, 110);
  counter.pass(v0, RUNNABLE, 130);
  counter.pass(v1, RUNNABLE, 137);
  counter.pass(v0, RUNNING, 150);
  counter.forgetStart(v1);
  counter.pass(v1, RUNNING, 160);
  counter.pass(v0, BLOCKED, 200);
  counter.pass(other, BLOCKED, 210);
  const { ofRunstate, ofCause, ofDomain } = counter.totals();
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

test('a thread is told all that its counter is to count', () => {
  const [counter, other]: RunstateTimes[] = [new RunstateCounter(OPTIONS), new RunstateThread(OPTIONS)];
  const both = (tell: (times: RunstateTimes) => void) => {
    tell(counter);
    tell(other);
  };
  let seed = 1;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  const vcpus: number[] = [];
  let tsc = 0;
  // Enough to fill every block, so that the first ones are used again.
  for (let i = 0; i < BLOCK_WORDS * 9; i++) {
    const vcpu = vcpus[random(vcpus.length)];
    if (vcpus.length < 12 && i % 1000 === 0) {
      const added = 3 + vcpus.length;
      both((times) => times.addVcpu(added, vcpus.length === 11 ? -1 : added % 3));
      vcpus.push(added);
    } else if (random(100) === 0) both((times) => times.forgetStart(vcpu));
    else if (random(1000) === 0) both((times) => times.supposeRunning(vcpus[11] ?? vcpu));
    else {
      const far = random(500);
      if (far === 0) tsc += 2 ** 31 + random(2 ** 31) * 2 ** 15;
      else if (far === 1) tsc -= random(1000);
      else tsc += random(5000);
      const runstate = random(7);
      both((times) => times.pass(vcpu, runstate, tsc));
    }
  }
  const expected = all(counter.totals(), 15);
  expect(expected[5].runstates[RUNNING].count).toBeGreaterThan(1000);
  expect(all(other.totals(), 15)).toEqual(expected);
});
