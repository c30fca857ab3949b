import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import type { Analyser } from '../../src/xenalyze/analyser.ts';
import { CycleSummary } from '../../src/xenalyze/cycle-summary.ts';
import { PercentileSearch } from '../../src/xenalyze/percentiles.ts';
import { RunstateCounter } from '../../src/xenalyze/runstate-counter.ts';
import { RunstateLog } from '../../src/xenalyze/runstate-log.ts';
import type * as thread from '../../src/xenalyze/runstate-thread.ts';
import type { RunstateLines } from '../../src/xenalyze/runstate-times.ts';
import { RUNSTATE_LABELS } from '../../src/xenalyze/summary.ts';
import { printCycleSummary, printEventSummary } from '../../src/xenalyze/summary-lines.ts';
import { TextOutput } from '../../src/xenalyze/text-output.ts';
import { WalkMemory } from '../../src/xenalyze/walk-memory.ts';
import { SAMPLES } from '../../src/xenalyze/wasm/runstate-layout.ts';
import { EXIT_HANDLERS, LOG_WORDS } from '../../src/xenalyze/wasm/walk-layout.ts';

/** Threads are started from compiled files. */
const { RunstateThread }: typeof thread = await import(
  join(resolve(import.meta.dirname, '../..'), 'dist/xenalyze/runstate-thread.js')
);
const OPTIONS = { sampleSize: 64, sampleMax: 1000, never: -1000, cpuHz: 1000, labels: RUNSTATE_LABELS };
const [RUNNING, RUNNABLE, BLOCKED] = [0, 1, 2];

const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');

/** Everything that is counted of so many vCPUs and domains. */
function all({ ofVcpu, ofDomain }: RunstateLines, indexes: number) {
  return Array.from({ length: indexes }, (_, index) => [textOf(ofVcpu(index)), textOf(ofDomain(index))]);
}

/** By name, how many durations there were, and their mean. */
function meansIn(lines: Uint8Array) {
  const matches = textOf(lines).matchAll(/^ *([\w ]+): +(\d+) +[\d.]+s +(\d+) \{/gm);
  return Object.fromEntries(Array.from(matches, ([, name, count, mean]) => [name, [+count, +mean]]));
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
  const { ofVcpu, ofDomain } = log.lines();
  expect(meansIn(ofVcpu(v0))).toEqual({ running: [2, (30 + 50) / 2], runnable: [1, 20], preempt: [1, 20] });
  // Since when it was runnable was forgotten, and since when the other one ran was never known.
  expect(meansIn(ofVcpu(v1))).toEqual({ blocked: [1, 27] });
  expect(meansIn(ofVcpu(other))).toEqual({});
  // Full run while only v0 was known and at the end.
  expect(meansIn(ofDomain(domain))).toEqual({
    'partial run': [1, 20],
    'full run': [2, (10 + 40) / 2],
    'partial contention': [1, 7],
    concurrency_hazard: [1, 10],
    full_contention: [1, 13],
  });
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
  const { ofVcpu } = log.lines();
  expect(meansIn(ofVcpu(1))).toEqual({ running: [1, 2 ** 33], runnable: [1, 30], wake: [1, 30] });
  expect(meansIn(ofVcpu(2))).toEqual({ running: [1, 50] });
});

test('a TSC that no number holds is counted from exactly, up to 2^64', () => {
  const memory = new WalkMemory(0n);
  const log = new RunstateLog(memory, new RunstateCounter({ ...OPTIONS, never: 0 }));
  log.addVcpu(1, -1);
  log.pass(1, RUNNING, 100);
  memory.run.wideTsc = 2n ** 63n + 333n;
  log.pass(1, BLOCKED, 2 ** 63);
  memory.run.wideTsc = 2n ** 63n + 350n;
  log.pass(1, RUNNABLE, 2 ** 63);
  const lines = textOf(log.lines().ofVcpu(1));
  expect(lines).toMatch(/running: +1 9223372036854776.00s -9223372036854775575 /);
  expect(lines).toMatch(/blocked: +1 .*s +17 /);
});

test.each([
  { sampleSize: 64, sampleMax: 1000, cpuHz: 1000 },
  { sampleSize: 10, sampleMax: 0, cpuHz: 8 },
  { sampleSize: 7, sampleMax: 100, cpuHz: 2_400_000_000 },
  { sampleSize: 1024, sampleMax: 1, cpuHz: -4 },
  { sampleSize: 0, sampleMax: 100, cpuHz: 1 },
  { sampleSize: -1, sampleMax: 100, cpuHz: 3 },
  { sampleSize: 5, sampleMax: -1, cpuHz: 0 },
])('lines are those of a summary that was told each duration: %j', (options) => {
  const log = new RunstateLog(new WalkMemory(0n), new RunstateCounter({ ...OPTIONS, ...options }));
  const random = randomly();
  log.addVcpu(1, 0);
  const summaries = [RUNNING, RUNNABLE, BLOCKED].map(() => new CycleSummary());
  const preempted = new CycleSummary();
  log.pass(1, RUNNING, 0);
  let tsc = 0;
  for (let i = 0; i < 20_000; i++) {
    const cycles = random(200) === 0 ? 2 ** 31 + random(2 ** 31) : 1 + random(i < 30 ? 9 : 5000);
    tsc += cycles;
    log.pass(1, (i + 1) % 3, tsc);
    summaries[i % 3].add(cycles, options);
    if (i % 3 === RUNNABLE) preempted.add(cycles, options);
  }
  const { ofVcpu } = log.lines();
  let expected = '';
  const out = new TextOutput((bytes) => {
    expected += textOf(bytes);
  });
  const a = { out, options, search: new PercentileSearch() } as unknown as Analyser;
  const labels = RUNSTATE_LABELS;
  printCycleSummary(a, summaries[RUNNING], labels[RUNNING]);
  printCycleSummary(a, summaries[RUNNABLE], labels[RUNNABLE]);
  printCycleSummary(a, preempted, labels[7 + 2]);
  printCycleSummary(a, summaries[BLOCKED], labels[BLOCKED]);
  out.flush();
  expect(textOf(ofVcpu(1))).toBe(expected);
});

test('of two hundredths that are equally near, seconds are the even one, as in C', () => {
  const log = new RunstateLog(new WalkMemory(0n), new RunstateCounter({ ...OPTIONS, cpuHz: 8 }));
  let tsc = 0;
  for (const [vcpu, cycles] of [1, 3, 5, 7].entries()) {
    log.addVcpu(vcpu, -1);
    log.pass(vcpu, RUNNING, tsc);
    tsc += cycles;
    log.pass(vcpu, BLOCKED, tsc);
  }
  const { ofVcpu } = log.lines();
  const seconds = [0, 1, 2, 3].map((vcpu) => /[\d.]+(?=s)/.exec(textOf(ofVcpu(vcpu)))?.[0]);
  expect(seconds).toEqual(['0.12', '0.38', '0.62', '0.88']);
});

test('a stay counts for the pCPU that the vCPU goes to, by hand', () => {
  const log = new RunstateLog(new WalkMemory(0n), new RunstateCounter({ ...OPTIONS, never: 0 }));
  log.addVcpu(1, -1);
  log.addVcpu(2, -1);
  log.comeTo(1, 3, 100);
  log.comeTo(2, 3, 110);
  log.comeTo(1, 0, 150);
  log.comeTo(1, 3, 150);
  // The TSCs of two pCPUs do not agree.
  log.comeTo(1, 0, 130);
  log.comeTo(1, 12, 2 ** 33 + 130);
  const lines = log.lines();
  expect(textOf(lines.ofVcpu(1)).split('\n')).toEqual([
    ' cpu affinity:       3 2863311540 {   -20|    50|8589934592}',
    '   [0]:       2     15 {   -20|    50|    50}',
    '   [12]:       1 8589934592 {8589934592|8589934592|8589934592}',
    '',
  ]);
  expect(textOf(lines.rest())).toBe('');
  expect(textOf(lines.ofVcpu(2))).toBe('');
});

test.each([OPTIONS, { ...OPTIONS, sampleSize: 0 }])(
  'stays are summed up and sampled as anything else, on however many pCPUs: %j',
  (options) => {
    const log = new RunstateLog(new WalkMemory(0n), new RunstateCounter(options));
    const random = randomly();
    log.addVcpu(1, -1);
    log.comeTo(1, 0, 0);
    const all = new CycleSummary();
    const byPcpu = Array.from({ length: 700 }, () => new CycleSummary());
    let tsc = 0;
    for (let i = 0; i < 20_000; i++) {
      const cycles = 1 + random(random(100) === 0 ? 2 ** 32 : 5000);
      const pcpu = random(700);
      tsc += cycles;
      log.comeTo(1, pcpu, tsc);
      all.add(cycles, options);
      byPcpu[pcpu].add(cycles, options);
    }
    const lines = log.lines();
    let found = '';
    for (let bytes = lines.ofVcpu(1); bytes.length > 0; bytes = lines.rest()) found += textOf(bytes);
    const search = new PercentileSearch();
    const lineOf = (name: string, { count, mean, sample, samples }: CycleSummary) => {
      const padded = (value: unknown) => String(value).padStart(6);
      const { p5, p50, p95 } = search.percentiles(sample, samples);
      const percentiles = options.sampleSize === 0 ? '' : ` {${[p5, p50, p95].map(padded).join('|')}}`;
      return `${name}: ${String(count).padStart(7)} ${padded(mean)}${percentiles}`;
    };
    const expected = byPcpu.map((stays, pcpu) => lineOf(`   [${pcpu}]`, stays));
    expect(found.split('\n')).toEqual([lineOf(' cpu affinity', all), ...expected, '']);
  },
);

test.each([OPTIONS, { ...OPTIONS, sampleSize: 0 }, { ...OPTIONS, sampleMax: 2 ** 23 }])(
  'exits are summed up and sampled as anything else: %j',
  (options) => {
    const log = new RunstateLog(new WalkMemory(0n), new RunstateCounter(options));
    const random = randomly();
    const keys = [0, 1, 55, EXIT_HANDLERS + 19];
    const summaries = keys.map(() => new CycleSummary());
    for (let i = 0; i < 20_000; i++) {
      const cycles = random(100) === 0 ? 2 ** 31 + random(2 ** 31) : random(i < 30 ? 3 : 5000);
      const which = i % 7 === 0 ? 1 : random(3) + Number(random(2) === 0);
      log.countExit(which === 3 ? 2 : 1, keys[which], cycles);
      summaries[which].add(cycles, options);
    }
    // More than the memory grows by at once, so that the search has to be given room for them.
    for (let i = 0; i < 2_500_000; i++) log.countExit(3, 1, 7);
    const { ofExits } = log.lines();
    let expected = '';
    const out = new TextOutput((bytes) => {
      expected += textOf(bytes);
    });
    const a = { out, options, totalCycles: 1e9, search: new PercentileSearch() } as unknown as Analyser;
    for (const summary of summaries) printEventSummary(a, summary, '');
    out.flush();
    const lines = keys.map((key, which) => textOf(ofExits(which === 3 ? 2 : 1, key, 1e9)));
    expect(lines.join('')).toBe(expected);
    expect(textOf(ofExits(1, keys[0], 1e9))).toBe(lines[0]);
    expect(textOf(ofExits(3, 1, 1e9))).toMatch(/^ 2500000 17500.00s {2}1.75% {5}7 cyc/);
    expect(textOf(ofExits(2, 0, 1e9))).toBe('');
    expect(textOf(ofExits(4, 0, 1e9))).toBe('');
  },
);

test('samples for which the memory has no room are refused with what to do', () => {
  const pages = SAMPLES / 65_536;
  const scant = new WebAssembly.Memory({ initial: pages, maximum: pages + 1, shared: true });
  const log = new RunstateLog(
    new WalkMemory(0n),
    new RunstateCounter({ ...OPTIONS, sampleSize: 1024, sampleMax: 0 }, scant),
  );
  log.addVcpu(1, 0);
  for (let i = 0; i < 40_000; i++) log.pass(1, i % 3, i * 100);
  expect(() => log.lines()).toThrow('4 GiB');
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
    else if (random(20) === 0) {
      const pcpu = random(5);
      both((log) => log.comeTo(vcpu, pcpu, tsc));
    } else {
      const far = random(500);
      if (far === 0) tsc += 2 ** 31 + random(2 ** 31) * 2 ** 15;
      else if (far === 1) tsc -= random(1000);
      else tsc += random(5000);
      const runstate = random(7);
      both((log) => log.pass(vcpu, runstate, tsc));
    }
  }
  const lines = counted.lines();
  expect(meansIn(lines.ofVcpu(5)).running[0]).toBeGreaterThan(1000);
  expect(all(threaded.lines(), 15)).toEqual(all(lines, 15));
});
