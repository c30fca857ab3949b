import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/base/errors.ts';
import { recordWords } from '../../src/format/record.ts';
import type { Scenario, VcpuSpec } from '../../src/scenario/scenario.ts';
import { Simulation, type SimulationHooks, simulate } from '../../src/simulator/index.ts';
import { runScenario } from './fidelity.ts';
import { MemorySink } from './memory-sink.ts';
import { fixed, hostOf, scenarioOf, vcpuOf } from './scenarios.ts';

const MS = 1_000_000;
const RELEASE = 0x24001;
const START = 0x24002;
const COMPLETE = 0x24003;

interface SeenRecord {
  readonly pcpu: number;
  readonly event: number;
  readonly tsc: bigint;
  readonly words: readonly number[];
}

/** All records of a run, by pCPU and then in the order in which they were made. */
function recordsOf(scenario: Scenario, jobRecords = true): SeenRecord[] {
  const sink = new MemorySink(scenario.host.pcpus, 0x0002f000);
  new Simulation(scenario, sink, { jobRecords }).runUntil(scenario.durationNs);
  const records: SeenRecord[] = [];
  for (let pcpu = 0; pcpu < scenario.host.pcpus; pcpu += 1) {
    const words = sink.drain(pcpu);
    for (let at = 0; at < words.length; at += recordWords(words[at]!)) {
      records.push({
        pcpu,
        event: words[at]! & 0x0fffffff,
        tsc: (BigInt(words[at + 2]!) << 32n) | BigInt(words[at + 1]!),
        words: Array.from(words.subarray(at + 3, at + recordWords(words[at]!))),
      });
    }
  }
  return records;
}

function periodic(periodMs: number, burstMs: number, offsetMs = 0): VcpuSpec {
  const periodNs = periodMs * MS;
  return vcpuOf({
    kind: 'periodic',
    periodNs,
    burst: fixed(burstMs * MS),
    deadlineNs: periodNs,
    offsetNs: offsetMs * MS,
  });
}

const hog = (offsetNs = 0) => vcpuOf({ kind: 'hog', offsetNs });

describe('jobs', () => {
  const atMs = (tsc: bigint) => Number(tsc - 1_000_000_000n) / MS;
  const jobsOf = (scenario: Scenario) =>
    recordsOf(scenario)
      .filter(({ event }) => event >= RELEASE && event <= COMPLETE)
      .map(({ event, tsc, words }) => [event, Math.floor(atMs(tsc) * 100) / 100, ...words.slice(1, 3)]);

  test('of a task that has the pCPU to itself: released, started and completed on time', () => {
    const scenario = scenarioOf([[periodic(10, 2, 1)]], { durationNs: 25 * MS });
    expect(jobsOf(scenario)).toEqual([
      [RELEASE, 1, 0, 0],
      [START, 1, 0, 0],
      [COMPLETE, 3, 0, 0],
      [RELEASE, 11, 0, 1],
      [START, 11, 0, 1],
      [COMPLETE, 13, 0, 1],
      [RELEASE, 21, 0, 2],
      [START, 21, 0, 2],
      [COMPLETE, 23, 0, 2],
    ]);
  });

  test('that overrun wait in turn and start when the one before completes', () => {
    const scenario = scenarioOf([[periodic(10, 15)]], { durationNs: 31 * MS });
    expect(jobsOf(scenario)).toEqual([
      [RELEASE, 0, 0, 0],
      [START, 0, 0, 0],
      [RELEASE, 10, 0, 1],
      [COMPLETE, 15, 0, 0],
      [START, 15, 0, 1],
      [RELEASE, 20, 0, 2],
      [COMPLETE, 30, 0, 1],
      [START, 30, 0, 2],
      [RELEASE, 30, 0, 3],
    ]);
  });

  test('start when the switch to them is over, if switches cost time', () => {
    const host = hostOf({ contextSwitchNs: 100_000 });
    const scenario = scenarioOf([[periodic(10, 2)]], { durationNs: 9 * MS, host });
    expect(jobsOf(scenario)).toEqual([
      [RELEASE, 0, 0, 0],
      [START, 0.1, 0, 0],
      [COMPLETE, 2.1, 0, 0],
    ]);
  });

  test('carry domain, vCPU, and the deadline in 64 bits', () => {
    const deadlineNs = 3 * 2 ** 32 + 5;
    const task = vcpuOf({
      kind: 'sporadic',
      interarrival: fixed(20 * MS),
      burst: fixed(MS),
      deadlineNs,
      offsetNs: 0,
    });
    const scenario = scenarioOf([[hog()], [hog(), task]], { durationNs: 10 * MS });
    const [release] = recordsOf(scenario).filter(({ event }) => event === RELEASE);
    expect(release!.words).toEqual([(2 << 16) | 1, 1, 0, 5, 3, 0, 0]);
  });

  test('are told to hooks with the instant of their deadline', () => {
    const seen: number[][] = [];
    const hooks: SimulationHooks = {
      onJobRelease: (...args) => seen.push([0, ...args]),
      onJobComplete: (...args) => seen.push([1, ...args]),
    };
    const scenario = scenarioOf([[periodic(10, 2, 1)]], { durationNs: 12 * MS });
    simulate(scenario, new MemorySink(1), hooks);
    expect(seen).toEqual([
      [0, 1 * MS, 1, 0, 0, 11 * MS],
      [1, 3 * MS, 1, 0, 0],
      [0, 11 * MS, 1, 0, 1, 21 * MS],
    ]);
  });

  test('leave every other record as it is without them', () => {
    const host = hostOf({ pcpus: 2, contextSwitchNs: 3000 });
    const scenario = scenarioOf(
      [
        [hog(), periodic(10, 15), periodic(7, 2)],
        [hog(), periodic(3, 1)],
      ],
      { host },
    );
    const isJob = ({ event }: SeenRecord) => event >= RELEASE && event <= COMPLETE;
    const withJobs = recordsOf(scenario);
    expect(withJobs.filter(isJob).length).toBeGreaterThan(1000);
    expect(withJobs.filter((record) => !isJob(record))).toEqual(recordsOf(scenario, false));
  });
});

describe('the record clock', () => {
  test("never gives one TSC to two of the hypervisor's records, and never runs back on a pCPU", () => {
    const host = hostOf({ pcpus: 4 });
    const scenario = scenarioOf(
      [
        [hog(), hog(), periodic(5, 3)],
        [periodic(10, 4), hog(), hog()],
      ],
      { host },
    );
    const all = recordsOf(scenario);
    const own = all.filter(({ event }) => event < RELEASE || event > COMPLETE);
    expect(new Set(own.map(({ tsc }) => tsc)).size).toBe(own.length);
    expect(
      all.some((record, i) => i > 0 && all[i - 1]!.pcpu === record.pcpu && all[i - 1]!.tsc > record.tsc),
    ).toBe(false);
  });

  test('is exact where a double is not: a base beyond 2^53, any frequency, a carry between halves', () => {
    const tscBase = 2n ** 60n + 2n ** 32n - 7n;
    const host = hostOf({ tscBase, tscHz: 2_399_999_999 });
    const plain = recordsOf(scenarioOf([[periodic(10, 2, 1)]]));
    const scaled = recordsOf(scenarioOf([[periodic(10, 2, 1)]], { host }));
    const first = (records: SeenRecord[]) => records.filter(({ event }) => event === RELEASE);
    expect(first(scaled).map(({ tsc }) => tsc)).toEqual(
      first(plain).map(({ tsc }) => tscBase + ((tsc - 1_000_000_000n) * 2_399_999_999n) / 1_000_000_000n),
    );
    expect(scaled[0]!.tsc).toBe(tscBase);
  });

  test('shows each pCPU the skew of its TSC, backwards too, and decides nothing by it', () => {
    const domains = [[hog(), hog(), periodic(5, 3)]];
    const plain = recordsOf(scenarioOf(domains, { host: hostOf({ pcpus: 2 }) }));
    const skewed = recordsOf(scenarioOf(domains, { host: hostOf({ pcpus: 2, tscSkewTicks: [-500, 7000] }) }));
    expect(skewed).toEqual(
      plain.map((record) => ({ ...record, tsc: record.tsc + (record.pcpu === 0 ? -500n : 7000n) })),
    );
  });

  test('gives no tick to a record that nobody wants', () => {
    const scenario = scenarioOf([[hog()], [hog()]]);
    const runstates = new MemorySink(1, 0x00021000);
    new Simulation(scenario, runstates).runUntil(scenario.durationNs);
    const words = runstates.drain(0);
    // The first wake-up's runstate change is the first record of all: it has the TSC of t = 0.
    expect([words[0]! & 0x0fffffff, words[1], words[2]]).toEqual([0x21211, 1_000_000_000, 0]);
  });
});

describe('a simulation', () => {
  test('leaves what happens at an instant to the poll after it', () => {
    const sink = new MemorySink(1, 0x00021000);
    const simulation = new Simulation(scenarioOf([[hog(100 * MS)]]), sink);
    simulation.runUntil(100 * MS);
    expect([sink.records, simulation.nowNs]).toEqual([0, 100 * MS]);
    simulation.runUntil(100 * MS + 1);
    expect(sink.records).toBeGreaterThan(0);
  });

  test('charges switches to the vCPU and not to its guest', () => {
    const host = hostOf({ contextSwitchNs: 50_000 });
    const once = vcpuOf({ kind: 'once', run: fixed(5 * MS), offsetNs: 0 });
    const run = runScenario(scenarioOf([[once]], { host, durationNs: 20 * MS }));
    expect(run.switches).toBe('t_ns,pcpu,next\n0,0,d1v0\n5050000,0,idle\n');
    expect(run.times[0]).toMatchObject({ runNs: 5_050_000, guestNs: 5 * MS });
  });

  test('spreads as many hogs as there are pCPUs over all of them, 72 as well as 2', () => {
    for (const sockets of [1, 36]) {
      const host = hostOf({
        pcpus: 2 * sockets,
        sockets,
        coresPerSocket: 1,
        threadsPerCore: 2,
        nodes: sockets,
      });
      const domains = Array.from({ length: sockets }, () => [hog(), hog()]);
      const run = runScenario(scenarioOf(domains, { host, durationNs: 200 * MS, xen: '4.17' }));
      expect(new Set(run.times.map(({ runNs }) => runNs))).toEqual(new Set([200 * MS]));
    }
  });

  test('wakes guests by domain number, whatever the order of the file', () => {
    const scenario = scenarioOf([[hog()], [hog()]]);
    const [first, second] = scenario.domains;
    const run = runScenario({ ...scenario, domains: [second!, first!] });
    expect(run.switches.split('\n')[1]).toBe('0,0,d1v0');
  });

  test('gives random workloads the same draws when another domain joins', () => {
    const random = vcpuOf({
      kind: 'sporadic',
      interarrival: { kind: 'exponential', meanNs: 5 * MS },
      burst: { kind: 'uniform', minNs: 1000, maxNs: MS },
      deadlineNs: 5 * MS,
      offsetNs: 0,
    });
    const releases = (scenario: Scenario) => {
      const seen: number[] = [];
      simulate(scenario, new MemorySink(1, 0), { onJobRelease: (tNs, dom) => dom === 1 && seen.push(tNs) });
      return seen;
    };
    const alone = releases(scenarioOf([[random]]));
    expect(alone.length).toBeGreaterThan(100);
    expect(releases(scenarioOf([[random], [random, hog()]]))).toEqual(alone);
    expect(releases(scenarioOf([[random]], { seed: 2 }))).not.toEqual(alone);
  });

  test('leaves the same bytes on every version of Node', () => {
    const random: VcpuSpec[] = [
      vcpuOf({
        kind: 'sporadic',
        interarrival: { kind: 'exponential', meanNs: 3 * MS },
        burst: { kind: 'exponential', meanNs: MS },
        deadlineNs: 5 * MS,
        offsetNs: 0,
      }),
      vcpuOf({
        kind: 'duty',
        run: { kind: 'uniform', minNs: 10_000, maxNs: 3 * MS },
        sleep: { kind: 'exponential', meanNs: 2 * MS },
        offsetNs: 12_345,
      }),
      hog(),
    ];
    const host = hostOf({ pcpus: 2, tscHz: 2_593_906_000, timerJitterNs: 20_000, jitterSeed: 3 });
    const { trace } = runScenario(scenarioOf([random, random, random], { host, seed: 42 }));
    const hash = createHash('sha256').update(trace).digest('hex');
    expect(hash).toBe('b16cba9ef766d18b39282aec9652fc9f6b5da114bb80b7382279753213962ff5');
  });

  test('refuses a scheduler and a version that it does not model, and says which it does', () => {
    const run = (given: Partial<Scenario>) => () => simulate(scenarioOf([[hog()]], given), new MemorySink(1));
    expect(run({ scheduler: 'bvt' as never })).toThrow(UserError);
    expect(run({ scheduler: 'bvt' as never })).toThrow(/"bvt" is not simulated yet \(there is credit\b/);
    expect(run({ xen: '4.9', scheduler: 'credit2' })).toThrow(
      /"credit2" of Xen 4.9 is not modelled \(it is from Xen 4.17 on; of 4.9 there is credit, rtds, arinc653, rtxen\)/,
    );
    expect(run({ xen: '4.1', scheduler: 'rtds' })).toThrow(
      /\(it is from Xen 4.5 on; of 4.1 there is credit, rtxen\)/,
    );
    expect(run({ xen: '3.2' })).toThrow(/Xen "3.2" is not modelled \(known are 3.3, 3.4, 4.0 to 4.22, /);
  });
});
