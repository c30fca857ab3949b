/**
 * What must stay the same when something is changed that does not matter: who is called what, by how much all
 * weights are multiplied, how long a nanosecond is.
 */
import { describe, expect, test } from 'vitest';
import { Prng } from '../../src/base/prng.ts';
import type {
  Duration,
  Host,
  Scenario,
  SchedulerName,
  VcpuSpec,
  Workload,
} from '../../src/scenario/scenario.ts';
import { fixed, hostOf, scenarioOf, vcpuOf } from '../simulator/scenarios.ts';
import { observe } from './observe.ts';

const MS = 1_000_000;
const SECOND = 1_000_000_000;
const hog = (given: Partial<VcpuSpec> = {}) => vcpuOf({ kind: 'hog', offsetNs: 0 }, given);

/** CPU time of each vCPU, in ns. */
function serviceOf(scenario: Scenario): number[] {
  const { times } = observe({ ...scenario, trace: { ...scenario.trace, eventMask: 0 } });
  return times.map(({ runNs }) => runNs);
}

function withWeights(scenario: Scenario, weights: readonly number[]): Scenario {
  return { ...scenario, domains: scenario.domains.map((domain, i) => ({ ...domain, weight: weights[i] })) };
}

describe('equal hogs get equal shares', () => {
  // By how much the service of two may differ: what one may be ahead of another at any instant, however long the run.
  const extratime = { rtds: { periodUs: 10_000, budgetUs: 1_000, extratime: true } };
  // With extratime a period has ten turns of 1 ms: who comes first has one more than the others if they do not divide ten.
  const bounds: readonly (readonly [SchedulerName, string, VcpuSpec, readonly number[], number])[] = [
    ['credit', '4.17', hog(), [2, 3, 4, 7], 60 * MS],
    ['credit', 'head', hog(), [2, 3, 4, 7], 60 * MS],
    ['credit2', '4.17', hog(), [2, 3, 4, 7], 20 * MS],
    ['credit2', 'head', hog(), [2, 3, 4, 7], 20 * MS],
    ['rtds', '4.17', hog(extratime), [2, 5, 10], 10 * MS],
    ['rtds', 'head', hog(extratime), [2, 5, 10], 10 * MS],
  ];

  test.each(bounds)('on one pCPU: %s of Xen %s', (scheduler, xen, vcpu, sizes, boundNs) => {
    for (const count of sizes) {
      for (const durationNs of [3 * SECOND, 9 * SECOND]) {
        const domains = Array.from({ length: count }, () => [vcpu]);
        const service = serviceOf(scenarioOf(domains, { scheduler, xen, durationNs }));
        expect(service.reduce((sum, ns) => sum + ns, 0)).toBe(durationNs);
        const spreadNs = Math.max(...service) - Math.min(...service);
        expect([count, spreadNs <= boundNs, spreadNs]).toEqual([count, true, spreadNs]);
      }
    }
  });

  test.each(['4.17', 'head'])('on several pCPUs that share a run queue: credit2 of Xen %s', (xen) => {
    for (const pcpus of [2, 4]) {
      const domains = Array.from({ length: 2 * pcpus + 1 }, () => [hog()]);
      const host = hostOf({ pcpus });
      const durationNs = 5 * SECOND;
      const service = serviceOf(scenarioOf(domains, { scheduler: 'credit2', xen, host, durationNs }));
      const fair = (durationNs * pcpus) / domains.length;
      for (const ns of service) expect(Math.abs(ns / fair - 1)).toBeLessThan(0.05);
    }
  });
});

describe('weights', () => {
  // Credit forgets what is owed beyond one time slice and halves what is saved beyond it: it is off by 25 slices
  // with some weights, after 96 s as after 24, and it is Xen's own arithmetic.
  test.each([
    ['credit', 0.02 * 24 * SECOND],
    ['credit2', 2 * MS],
  ] as const)('%s shares a pCPU by them', (scheduler, boundNs) => {
    for (const weights of [
      [256, 512],
      [256, 512, 1024],
      [1024, 512, 256, 128],
    ]) {
      const durationNs = 24 * SECOND;
      const scenario = scenarioOf(
        weights.map(() => [hog()]),
        { scheduler, durationNs },
      );
      const service = serviceOf(withWeights(scenario, weights));
      const sum = weights.reduce((total, weight) => total + weight, 0);
      const offNs = service.map((ns, i) => Math.abs(ns - (durationNs * weights[i]!) / sum));
      expect([Math.max(...offNs) <= boundNs, offNs]).toEqual([true, offNs]);
    }
  });

  // Credit's sums of weights are proportional, and all roundings of credits are of quotients of weights.
  test.each([2, 4, 16])('credit decides the same when all are multiplied by %i', (factor) => {
    const base = scenarioOf([[hog()], [hog(), hog()], [hog()]], {
      durationNs: SECOND,
      host: hostOf({ pcpus: 2 }),
    });
    const weights = [128, 256, 640];
    const once = observe(withWeights(base, weights)).switches;
    const times = weights.map((weight) => weight * factor);
    expect(observe(withWeights(base, times)).switches).toEqual(once);
  });
});

describe('names do not matter', () => {
  // Ties go by number, so that a host with its domains in the other order is another; but it is as fair.
  test.each([
    ['credit', 0.03],
    ['credit2', 0.0005],
  ] as const)('%s: the service of each, in whatever order they are created', (scheduler, bound) => {
    const weights = [128, 256, 512, 1024];
    const orders = [
      [0, 1, 2, 3],
      [3, 2, 1, 0],
      [2, 0, 3, 1],
    ];
    const durationNs = 8 * SECOND;
    const base = scenarioOf([[hog()], [hog()], [hog()], [hog()]], { scheduler, durationNs });
    const services = orders.map((order) => {
      const service = serviceOf(
        withWeights(
          base,
          order.map((i) => weights[i]!),
        ),
      );
      return weights.map((_, i) => service[order.indexOf(i)]! / durationNs);
    });
    for (const i of weights.keys()) {
      for (const service of services) expect(Math.abs(service[i]! - services[0]![i]!)).toBeLessThan(bound);
    }
  });
});

/** All times of a workload times k. */
function dilatedWorkload(workload: Workload, k: number): Workload {
  const scaled = Object.entries(workload).map(([key, value]) => {
    if (typeof value === 'number') return [key, value * k];
    return [key, typeof value === 'object' ? dilatedDuration(value, k) : value];
  });
  return Object.fromEntries(scaled) as Workload;
}

function dilatedDuration(duration: Duration, k: number): Duration {
  if (duration.kind !== 'fixed') throw new Error('only fixed durations scale exactly');
  return { kind: 'fixed', ns: duration.ns * k };
}

/** The same host with every time k times as long. */
function dilated(scenario: Scenario, k: number): Scenario {
  const { host, arinc653 } = scenario;
  return {
    ...scenario,
    durationNs: scenario.durationNs * k,
    trace: { ...scenario.trace, endNs: scenario.trace.endNs * k },
    host: { ...host, contextSwitchNs: host.contextSwitchNs * k },
    domains: scenario.domains.map((domain) => ({
      ...domain,
      vcpus: domain.vcpus.map((vcpu) => ({
        ...vcpu,
        workload: dilatedWorkload(vcpu.workload, k),
        yieldEveryNs: vcpu.yieldEveryNs * k,
        rtds: vcpu.rtds && {
          ...vcpu.rtds,
          periodUs: vcpu.rtds.periodUs * k,
          budgetUs: vcpu.rtds.budgetUs * k,
        },
      })),
    })),
    arinc653: arinc653 && {
      majorFrameNs: arinc653.majorFrameNs * k,
      entries: arinc653.entries.map((entry) => ({ ...entry, runtimeNs: entry.runtimeNs * k })),
    },
  };
}

/** The switches of a run with every instant times k. */
function scaledSwitches(scenario: Scenario, k: number): string[] {
  return observe(scenario).switches.map((row) => {
    const [tNs, ...rest] = row.split(' ');
    return [Number(tNs) * k, ...rest].join(' ');
  });
}

/** Workloads at random from `fromNs` on; `stepNs` divides all times. */
function randomVcpus(prng: Prng, fromNs: number, stepNs: number, more: () => Partial<VcpuSpec>): VcpuSpec[] {
  const ns = (low: number, high: number) => (low + prng.below(high - low + 1)) * stepNs;
  return Array.from({ length: 2 + prng.below(6) }, () => {
    const offsetNs = fromNs + ns(0, 200);
    const kinds: readonly Workload[] = [
      { kind: 'hog', offsetNs },
      { kind: 'duty', run: fixed(ns(1, 60)), sleep: fixed(ns(1, 60)), offsetNs },
      { kind: 'periodic', periodNs: ns(50, 200), burst: fixed(ns(1, 40)), deadlineNs: ns(50, 200), offsetNs },
      { kind: 'once', run: fixed(ns(10, 400)), offsetNs },
    ];
    return vcpuOf(kinds[prng.below(kinds.length)]!, {
      yieldEveryNs: prng.below(4) === 0 ? ns(5, 30) : 0,
      ...more(),
    });
  });
}

const SEEDS = Array.from({ length: 25 }, (_, i) => i + 1);

describe('time dilation', () => {
  const hostFor = (prng: Prng): Host => {
    return hostOf({ pcpus: 1 + prng.below(4), contextSwitchNs: prng.below(2) * 2_000 });
  };

  // Xen fixes the first period, 10 ms from the vCPU's creation, and with it the phase of all others: it is the
  // same phase for periods P and kP only if both divide 10 ms, and nobody may run before it is over.
  test.each(SEEDS)('RTDS makes the same schedule, twice or five times as slow: seed %i', (seed) => {
    const prng = Prng.fromSeed(seed).fork('dilation/rtds');
    const rtds = () => {
      const periodUs = [500, 1_000, 2_000][prng.below(3)]!;
      const budgetUs = 50 + prng.below(periodUs - 49);
      return { rtds: { periodUs, budgetUs, extratime: prng.below(2) === 0 } };
    };
    const host = hostFor(prng);
    const vcpus = randomVcpus(prng, 10 * MS, 10_000, rtds);
    for (const k of [2, 5]) {
      const periods = vcpus.map((vcpu) => vcpu.rtds!.periodUs * k);
      if (periods.some((periodUs) => 10_000 % periodUs !== 0)) continue;
      const scenario = scenarioOf([vcpus], { scheduler: 'rtds', host, durationNs: 60 * MS });
      expect(observe(dilated(scenario, k)).switches).toEqual(scaledSwitches(scenario, k));
    }
  });

  test('RTDS cannot, for periods that do not divide its first one', () => {
    const vcpus = [
      hog({
        workload: { kind: 'hog', offsetNs: 10 * MS },
        rtds: { periodUs: 3_000, budgetUs: 1_000, extratime: false },
      }),
      hog({
        workload: { kind: 'hog', offsetNs: 10 * MS },
        rtds: { periodUs: 4_000, budgetUs: 1_000, extratime: false },
      }),
    ];
    const scenario = scenarioOf([vcpus], { scheduler: 'rtds', durationNs: 60 * MS });
    expect(observe(dilated(scenario, 2)).switches).not.toEqual(scaledSwitches(scenario, 2));
  });

  test.each(SEEDS)('null makes the same schedule, thrice as slow: seed %i', (seed) => {
    const prng = Prng.fromSeed(seed).fork('dilation/null');
    const host = hostFor(prng);
    const vcpus = randomVcpus(prng, 0, 1_000, () => ({}));
    const scenario = scenarioOf([vcpus], { scheduler: 'null', host, durationNs: 60 * MS });
    expect(observe(dilated(scenario, 3)).switches).toEqual(scaledSwitches(scenario, 3));
  });

  test.each(SEEDS)('ARINC653 makes the same schedule, thrice as slow: seed %i', (seed) => {
    const prng = Prng.fromSeed(seed).fork('dilation/arinc653');
    const host = hostFor(prng);
    const vcpus = randomVcpus(prng, 0, 10_000, () => ({}));
    const entries = Array.from({ length: 1 + prng.below(5) }, () => {
      return { dom: 1, vcpu: prng.below(vcpus.length), runtimeNs: (1 + prng.below(50)) * 100_000 };
    });
    const majorFrameNs = entries.reduce((sum, { runtimeNs }) => sum + runtimeNs, 0) + prng.below(3) * MS;
    const arinc653 = { majorFrameNs, entries };
    const scenario = scenarioOf([vcpus], { scheduler: 'arinc653', host, arinc653, durationNs: 60 * MS });
    expect(observe(dilated(scenario, 3)).switches).toEqual(scaledSwitches(scenario, 3));
  });

  // With its parameters scaled, too. Credits are whole numbers, 10 to the millisecond: shares of them that are not
  // whole are rounded, in the slow schedule otherwise than in the fast one.
  test.each([2, 3, 5])('credit makes the same schedule of %i hogs, twice as slow', (count) => {
    const vcpus = Array.from({ length: count }, (_, i) =>
      hog({ workload: { kind: 'hog', offsetNs: i * MS } }),
    );
    const params = (k: number) => ({ sched_credit_tslice_ms: 30 * k, sched_ratelimit_us: 1000 * k });
    const scenario = scenarioOf([vcpus], { params: params(1), durationNs: 3 * SECOND });
    const slow = { ...dilated(scenario, 2), params: params(2) };
    expect(observe(slow).switches).toEqual(scaledSwitches(scenario, 2));
  });

  // CSCHED2_CREDIT_INIT, MIN_TIMER, CARRYOVER_MAX and the compensation for a migration are constants.
  test('credit2 cannot: its credits and timers are constants', () => {
    const scenario = scenarioOf([[hog(), hog(), hog()]], { scheduler: 'credit2' });
    expect(observe(dilated(scenario, 2)).switches).not.toEqual(scaledSwitches(scenario, 2));
  });
});
