/**
 * Theorems of real-time scheduling, on RTDS and ARINC653. A server's budget is its job: a miss is budget that was not
 * served in a period in all of which it was demanded. Servers count from 10 ms on: the first period is Xen's own.
 */
import { describe, expect, test } from 'vitest';
import { Prng } from '../../src/base/prng.ts';
import type { VcpuSpec, Workload } from '../../src/scenario/scenario.ts';
import { simulate } from '../../src/simulator/index.ts';
import { MemorySink } from '../simulator/memory-sink.ts';
import { fixed, hostOf, scenarioOf, vcpuOf } from '../simulator/scenarios.ts';
import { type ObservedRun, observe } from './observe.ts';
import { Service } from './service.ts';

const MS = 1_000_000;
const START_NS = 10 * MS;
const SEEDS = Array.from({ length: 60 }, (_, i) => i + 1);

/** A server, in ns. */
interface Server {
  readonly periodNs: number;
  readonly budgetNs: number;
}

const ms = (periodMs: number, budgetMs: number): Server => ({
  periodNs: periodMs * MS,
  budgetNs: budgetMs * MS,
});
const use = (servers: readonly Server[]) =>
  servers.reduce((sum, { periodNs, budgetNs }) => sum + budgetNs / periodNs, 0);

function vcpuFor(
  { periodNs, budgetNs }: Server,
  workload: Workload,
  given: Partial<VcpuSpec> = {},
): VcpuSpec {
  return vcpuOf(workload, {
    rtds: { periodUs: periodNs / 1000, budgetUs: budgetNs / 1000, extratime: false },
    ...given,
  });
}

const hogOf = (server: Server, given: Partial<VcpuSpec> = {}) => {
  return vcpuFor(server, { kind: 'hog', offsetNs: START_NS }, given);
};

/** Runs vCPUs, each a domain, under RTDS. */
function run(vcpus: readonly VcpuSpec[], durationNs: number, pcpus = 1): ObservedRun {
  return observe(
    scenarioOf(
      vcpus.map((vcpu) => [vcpu]),
      {
        scheduler: 'rtds',
        durationNs,
        host: hostOf({ pcpus }),
        trace: { eventMask: 0, flushNs: durationNs, endNs: durationNs },
      },
    ),
  );
}

const serviceOf = (observed: ObservedRun, i: number) => new Service(observed, `d${i + 1}v0`);

/** What each server lacks in each of its periods, those of server 0 first. */
function lacksOf(observed: ObservedRun, servers: readonly Server[]): number[][] {
  return servers.map(({ periodNs, budgetNs }, i) => {
    return serviceOf(observed, i).unserved(periodNs, budgetNs, START_NS, observed.scenario.durationNs);
  });
}

const missesOf = (lacks: readonly (readonly number[])[]) => lacks.flat().filter((ns) => ns > 0);

const PERIODS_MS = [1, 2, 2.5, 4, 5, 8, 10, 12, 20];

/** Servers of a total utilisation of just `total`, or a little less; each below `most`. */
function drawServers(prng: Prng, total: number, most = 1): Server[] {
  const servers: Server[] = [];
  for (let left = total; left > 0.02 && servers.length < 10; left = total - use(servers)) {
    const periodNs = PERIODS_MS[prng.below(PERIODS_MS.length)]! * MS;
    const share = Math.min(left, most, (1 + prng.below(50)) / 100);
    const budgetNs = Math.floor((periodNs * share) / 1000) * 1000;
    if (budgetNs >= 10_000) servers.push({ periodNs, budgetNs });
  }
  return servers;
}

describe('one pCPU', () => {
  test.each(SEEDS)('EDF: servers that are always busy and fill it up to 1 miss nothing: seed %i', (seed) => {
    const prng = Prng.fromSeed(seed).fork('theorems/edf');
    const servers = drawServers(prng, 1);
    expect(use(servers)).toBeLessThanOrEqual(1);
    const observed = run(
      servers.map((server) => hogOf(server)),
      250 * MS,
    );
    expect(missesOf(lacksOf(observed, servers))).toEqual([]);
  });

  test.each([
    [ms(10, 5), ms(10, 5)],
    [ms(2, 1), ms(4, 1), ms(8, 2)],
    [ms(3, 1), ms(4, 1), ms(6, 2.5)],
    [ms(12, 12)],
  ])('EDF: a utilisation of exactly 1 is served: %o, %o, %o', (...servers) => {
    expect(use(servers)).toBeCloseTo(1, 12);
    const observed = run(
      servers.map((server) => hogOf(server)),
      START_NS + 240 * MS,
    );
    expect(missesOf(lacksOf(observed, servers))).toEqual([]);
  });

  test.each(SEEDS.slice(0, 20))('what exceeds 1 is missed, in every hyperperiod: seed %i', (seed) => {
    const prng = Prng.fromSeed(seed).fork('theorems/overload');
    const servers = [...drawServers(prng, 1), ms(10, 1)];
    const hyperperiodNs = 40 * MS * 3;
    const observed = run(
      servers.map((server) => hogOf(server)),
      START_NS + 3 * hyperperiodNs,
    );
    for (let k = 0; k < 3; k += 1) {
      const fromNs = START_NS + k * hyperperiodNs;
      const lackNs = servers.flatMap(({ periodNs, budgetNs }, i) => {
        return serviceOf(observed, i).unserved(periodNs, budgetNs, fromNs, fromNs + hyperperiodNs);
      });
      const sum = lackNs.reduce((total, ns) => total + ns, 0);
      expect(sum).toBeGreaterThanOrEqual(Math.round((use(servers) - 1) * hyperperiodNs) - 1);
    }
  });
});

describe('deferrable servers that sleep', () => {
  // S keeps its budget while it sleeps and runs 25-30 and, renewed, 30-35; T has all of 25-40 for its 7.5 ms.
  const s = ms(10, 5);
  const t = ms(15, 7.5);

  test('a utilisation of 1 is not enough: 2.5 ms are not served', () => {
    const sleeper = vcpuFor(s, { kind: 'hog', offsetNs: 25 * MS });
    for (const order of [
      [sleeper, hogOf(t)],
      [hogOf(t), sleeper],
    ]) {
      const observed = run(order, 40 * MS);
      const [si, ti] = order[0] === sleeper ? [0, 1] : [1, 0];
      const lackNs = t.budgetNs - serviceOf(observed, ti).between(25 * MS, 40 * MS);
      const sleeperLackNs = s.budgetNs - serviceOf(observed, si).between(30 * MS, 40 * MS);
      expect(lackNs + sleeperLackNs).toBe(2.5 * MS);
    }
    const busy = run([hogOf(s), hogOf(t)], 3010 * MS);
    expect(missesOf(lacksOf(busy, [s, t]))).toEqual([]);
  });

  /** Whether `demanding` is safe beside sleepers: no window of its periods can be taken from it. */
  function isSafe(demanding: Server, sleepers: readonly Server[]): boolean {
    const { periodNs, budgetNs } = demanding;
    for (let lengthNs = periodNs; lengthNs <= 400 * MS; lengthNs += 0.25 * MS) {
      const taken = sleepers.reduce((sum, { periodNs: p, budgetNs: q }) => {
        return sum + Math.floor(lengthNs / p) * q + Math.min(q, lengthNs % p);
      }, 0);
      if (Math.floor(lengthNs / periodNs) * budgetNs + taken > lengthNs) return false;
    }
    return true;
  }

  test('the condition for safety is that of three known sets', () => {
    expect(isSafe(ms(10, 5), [ms(10, 2)])).toBe(true);
    expect(isSafe(ms(15, 4), [ms(10, 5)])).toBe(true);
    expect(isSafe(ms(15, 7.5), [ms(10, 5)])).toBe(false);
  });

  test('who demands all the time misses nothing beside any sleepers, if the condition holds', () => {
    let safe = 0;
    for (const seed of SEEDS) {
      const prng = Prng.fromSeed(seed).fork('theorems/sleepers');
      const grid = () => {
        const periodNs = [5, 10, 12, 15, 20][prng.below(5)]! * MS;
        return {
          periodNs,
          budgetNs: Math.max(1, Math.floor((periodNs * (10 + prng.below(40))) / 25e6)) * 0.25 * MS,
        };
      };
      const demanding = grid();
      const sleepers = [grid(), grid()].slice(0, 1 + prng.below(2));
      if (!isSafe(demanding, sleepers)) continue;
      safe += 1;
      for (let pattern = 0; pattern < 6; pattern += 1) {
        const vcpus = sleepers.map((server) => {
          const offsetNs = START_NS + prng.below(40) * 0.5 * MS;
          const run = fixed((1 + prng.below(40)) * 0.25 * MS);
          const sleep = fixed((1 + prng.below(40)) * 0.25 * MS);
          // To run at the end of each period and on into the next one is the worst that can be done.
          const lateNs = START_NS + server.periodNs - server.budgetNs;
          const worst: Workload = {
            kind: 'periodic',
            periodNs: 2 * server.periodNs,
            burst: fixed(2 * server.budgetNs),
            deadlineNs: server.periodNs,
            offsetNs: lateNs,
          };
          return vcpuFor(server, pattern % 2 === 0 ? worst : { kind: 'duty', run, sleep, offsetNs });
        });
        const observed = run([hogOf(demanding), ...vcpus], 400 * MS);
        expect([seed, missesOf(lacksOf(observed, [demanding]))]).toEqual([seed, []]);
      }
    }
    expect(safe).toBeGreaterThan(15);
  });

  // A server of 2 ms in 10, beside a hog with a later deadline; its periods begin at 20, 30, ... ms.
  test.each([
    [5, 2, 2],
    [1, 2, 2],
    [8, 4, 4],
  ])(
    'what comes %i ms into a period and takes %i ms responds within %i: no polling, budget kept',
    (at, demand, response) => {
      const arrivalNs = 20 * MS + at * MS;
      const observed = run(
        [
          vcpuFor(ms(10, 2), { kind: 'once', run: fixed(demand * MS), offsetNs: arrivalNs }),
          hogOf(ms(100, 70)),
        ],
        100 * MS,
      );
      expect(serviceOf(observed, 0).runs.at(-1)!.endNs - arrivalNs).toBe(response * MS);
    },
  );
});

/** Goossens, Funk and Baruah: global EDF serves any set of at most this utilisation. */
const gfb = (pcpus: number, most: number) => pcpus - (pcpus - 1) * most;

describe('several pCPUs', () => {
  test('the bound of Goossens, Funk and Baruah has its known values', () => {
    expect(gfb(2, 10 / 11)).toBeCloseTo(1.091, 3);
    expect(gfb(4, 0.5)).toBeCloseTo(2.5, 12);
    expect(gfb(4, 0.9)).toBeCloseTo(1.3, 12);
  });

  test.each(SEEDS)('global EDF misses nothing up to that bound: seed %i', (seed) => {
    const prng = Prng.fromSeed(seed).fork('theorems/gfb');
    const pcpus = 2 + prng.below(3);
    const most = (10 + prng.below(80)) / 100;
    const servers = drawServers(prng, gfb(pcpus, most), most);
    const observed = run(
      servers.map((server) => hogOf(server)),
      200 * MS,
      pcpus,
    );
    expect(missesOf(lacksOf(observed, servers))).toEqual([]);
  });

  test('beyond it some sets miss, and get less than the supply that they were promised', () => {
    let missing = 0;
    let starving = 0;
    for (const seed of SEEDS) {
      const servers = drawServers(Prng.fromSeed(seed).fork('theorems/beyond'), 2);
      const observed = run(
        servers.map((server) => hogOf(server)),
        200 * MS,
        2,
      );
      if (missesOf(lacksOf(observed, servers)).length > 0) missing += 1;
      const surplus = servers.map((server, i) => {
        return serviceOf(observed, i).leastSurplus((ns) => supplyOf(server, ns), START_NS, 200 * MS);
      });
      if (Math.min(...surplus) < 0) starving += 1;
    }
    expect(missing).toBeGreaterThan(5);
    expect(starving).toBeGreaterThan(5);
  });

  const dhall = [ms(10, 2), ms(10, 2), ms(11, 10)];

  // Seven if the light ones win ties of deadlines, four if who runs stays: in Xen an equal is not told to take a pCPU.
  test("Dhall's set on paper: the heavy one misses by a millisecond, four or seven times in 440 ms", () => {
    expect(edfMisses(dhall, 2, 440, true)).toEqual(Array(7).fill(1));
    expect(edfMisses(dhall, 2, 440, false)).toEqual(Array(4).fill(1));
  });

  test.each(['4.8', '4.17', 'head'])("Dhall's set on RTDS of Xen %s: the same, four times", (xen) => {
    const vcpus = dhall.map((server) => [hogOf(server)]);
    const host = hostOf({ pcpus: 2 });
    const durationNs = START_NS + 440 * MS;
    const observed = observe(scenarioOf(vcpus, { scheduler: 'rtds', xen, host, durationNs }));
    const [first, second, heavy] = lacksOf(observed, dhall);
    expect([first, second].flat().filter((ns) => ns > 0)).toEqual([]);
    expect(heavy!.filter((ns) => ns > 0)).toEqual(Array(4).fill(MS));
    // It misses whenever all three begin a period at once.
    expect(heavy!.flatMap((ns, i) => (ns > 0 ? [i * 11] : []))).toEqual([0, 110, 220, 330]);
  });

  test("Dhall's set partitioned misses nothing", () => {
    const pins = [[0], [0], [1]];
    const vcpus = dhall.map((server, i) => hogOf(server, { hardAffinity: pins[i] }));
    expect(missesOf(lacksOf(run(vcpus, START_NS + 440 * MS, 2), dhall))).toEqual([]);
  });

  // Under global EDF jobs are at most C + x late (Devi and Anderson): 14 ms here. That is of jobs that go on after their
  // deadline. A server's budget that was not served is lost, so that a guest that needs all of it is later each time.
  test('lateness is not bounded on RTDS where a guest needs all of its budget', () => {
    const vcpus = dhall.map(({ periodNs, budgetNs }) => {
      const task: Workload = {
        kind: 'periodic',
        periodNs,
        burst: fixed(budgetNs),
        deadlineNs: periodNs,
        offsetNs: START_NS,
      };
      return vcpuFor({ periodNs, budgetNs }, task);
    });
    const lateMs = (durationMs: number) => {
      let latest = 0;
      const deadlines = new Map<number, number>();
      const scenario = scenarioOf(
        vcpus.map((vcpu) => [vcpu]),
        { scheduler: 'rtds', host: hostOf({ pcpus: 2 }), durationNs: durationMs * MS },
      );
      simulate(scenario, new MemorySink(2, 0), {
        onJobRelease: (_tNs, dom, _vcpu, job, deadlineNs) => deadlines.set(dom * 1e6 + job, deadlineNs),
        onJobComplete: (tNs, dom, _vcpu, job) => {
          latest = Math.max(latest, tNs - deadlines.get(dom * 1e6 + job)!);
        },
      });
      return latest / MS;
    };
    expect(lateMs(500)).toBeLessThan(14);
    expect(lateMs(4000)).toBeGreaterThan(14);
    expect(lateMs(8000)).toBeGreaterThan(1.8 * lateMs(4000));
  });
});

/** Global EDF of jobs on paper, in steps of 1 ms: by how many ms each job that is late is. */
function edfMisses(
  servers: readonly Server[],
  pcpus: number,
  untilMs: number,
  firstWinsTies: boolean,
): number[] {
  const late: number[] = [];
  const jobs: { task: number; deadline: number; left: number }[] = [];
  let running: readonly (typeof jobs)[number][] = [];
  for (let now = 0; now < untilMs; now += 1) {
    for (const [task, { periodNs, budgetNs }] of servers.entries()) {
      if (now % (periodNs / MS) === 0)
        jobs.push({ task, deadline: now + periodNs / MS, left: budgetNs / MS });
    }
    const open = jobs.filter(({ left }) => left > 0);
    const ready = open.filter((job) => open.find(({ task }) => task === job.task) === job);
    const rank = (job: (typeof jobs)[number]) => (firstWinsTies ? job.task : running.includes(job) ? 0 : 1);
    running = ready.sort((a, b) => a.deadline - b.deadline || rank(a) - rank(b)).slice(0, pcpus);
    for (const job of running) {
      job.left -= 1;
      if (job.left === 0 && now + 1 > job.deadline) late.push(now + 1 - job.deadline);
    }
  }
  return late;
}

describe('extratime', () => {
  const lavish = (periodUs: number, budgetUs: number) => {
    return vcpuOf({ kind: 'hog', offsetNs: START_NS }, { rtds: { periodUs, budgetUs, extratime: true } });
  };

  // Spare time comes in whole budgets in turn, so that it is shared by utilisation only where budgets are small: two
  // with (10, 4) and (10, 2) get 80 and 20 % or 60 and 40 %, as ties fall.
  test.each([
    [4_000, 2_000, [0.6, 0.8]],
    [1_000, 500, [0.65, 0.7]],
    [200, 100, [0.66, 0.67]],
  ])('of %i and %i us in 10 ms the first gets what whole budgets in turn give', (first, second, shares) => {
    const observed = run([lavish(10_000, first), lavish(10_000, second)], 2010 * MS);
    const share = serviceOf(observed, 0).between(START_NS, 2010 * MS) / (2000 * MS);
    expect(share).toBeGreaterThanOrEqual(Math.min(...shares));
    expect(share).toBeLessThanOrEqual(Math.max(...shares));
  });
});

/** What a periodic resource gives at least in any window (Shin and Lee). */
function supplyOf({ periodNs, budgetNs }: Server, lengthNs: number): number {
  const gapNs = periodNs - budgetNs;
  if (lengthNs < gapNs) return 0;
  const whole = Math.floor((lengthNs - gapNs) / periodNs);
  return whole * budgetNs + Math.max(0, lengthNs - 2 * gapNs - whole * periodNs);
}

/** What a slot of a frame gives at least in any window. */
function slotSupplyOf({ periodNs, budgetNs }: Server, lengthNs: number): number {
  return (
    Math.floor(lengthNs / periodNs) * budgetNs + Math.max(0, (lengthNs % periodNs) - (periodNs - budgetNs))
  );
}

describe('supply', () => {
  test('the bound has its known values', () => {
    const lengths = Array.from({ length: 16 }, (_, i) => i * MS);
    const given = lengths.map((ns) => supplyOf(ms(5, 3), ns) / MS);
    expect(given).toEqual([0, 0, 0, 0, 0, 1, 2, 3, 3, 3, 4, 5, 6, 6, 6, 7]);
    const known = [12, 13, 16, 22, 26, 32].map((length) => supplyOf(ms(10, 4), length * MS) / MS);
    expect(known).toEqual([0, 1, 4, 4, 8, 8]);
    for (const ns of lengths) expect(supplyOf(ms(5, 3), ns)).toBeGreaterThanOrEqual(0.6 * (ns - 4 * MS));
  });

  test.each(SEEDS)(
    'RTDS gives in every window what the bound says, and starves nobody longer: seed %i',
    (seed) => {
      const prng = Prng.fromSeed(seed).fork('theorems/supply');
      const pcpus = 1 + prng.below(3);
      const most = (20 + prng.below(70)) / 100;
      const servers = drawServers(prng, gfb(pcpus, most), most);
      const durationNs = 200 * MS;
      const observed = run(
        servers.map((server) => hogOf(server)),
        durationNs,
        pcpus,
      );
      for (const [i, server] of servers.entries()) {
        const service = serviceOf(observed, i);
        const surplus = service.leastSurplus((ns) => supplyOf(server, ns), START_NS, durationNs);
        expect([i, surplus >= 0, surplus]).toEqual([i, true, surplus]);
        const gapNs = service.longestGap(START_NS, durationNs);
        expect(gapNs).toBeLessThanOrEqual(2 * (server.periodNs - server.budgetNs));
      }
    },
  );

  test('the bound is reached: a server first in one period and last in the next starves as long as it can', () => {
    // (10, 4) is served first while (11, 6) has a later deadline, and last while it has an earlier one.
    const servers = [ms(10, 4), ms(11, 6)];
    const observed = run(
      servers.map((server) => hogOf(server)),
      START_NS + 1100 * MS,
    );
    const gaps = servers.map(
      (_, i) => serviceOf(observed, i).longestGap(START_NS, START_NS + 1100 * MS) / MS,
    );
    expect(gaps[0]).toBeGreaterThan(6);
    expect(gaps[0]).toBeLessThanOrEqual(12);
  });

  test.each(SEEDS)('ARINC653 gives in every window what a slot of its frame does: seed %i', (seed) => {
    const prng = Prng.fromSeed(seed).fork('theorems/slots');
    const runtimes = Array.from({ length: 1 + prng.below(5) }, () => (1 + prng.below(40)) * 250_000);
    const periodNs = runtimes.reduce((sum, ns) => sum + ns, 0) + prng.below(20) * 250_000;
    const entries = runtimes.map((runtimeNs, i) => ({ dom: i + 1, vcpu: 0, runtimeNs }));
    const hogs = runtimes.map(() => [vcpuOf({ kind: 'hog', offsetNs: 0 })]);
    const durationNs = 300 * MS;
    const arinc653 = { majorFrameNs: periodNs, entries };
    const observed = observe(scenarioOf(hogs, { scheduler: 'arinc653', arinc653, durationNs }));
    for (const [i, budgetNs] of runtimes.entries()) {
      const service = serviceOf(observed, i);
      const surplus = service.leastSurplus((ns) => slotSupplyOf({ periodNs, budgetNs }, ns), 0, durationNs);
      expect([i, surplus]).toEqual([i, 0]);
    }
  });
});
