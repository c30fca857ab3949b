/**
 * The four servers of RT-Xen 1.0, held against their definitions: answers worked out by hand, and bounds of the theory.
 */
import { describe, expect, test } from 'vitest';
import { Prng } from '../../src/base/prng.ts';
import type {
  Action,
  Scenario,
  ServerKind,
  ServerParameters,
  Workload,
} from '../../src/scenario/scenario.ts';
import { simulate } from '../../src/simulator/index.ts';
import { SporadicBudget } from '../../src/simulator/schedulers/rt-xen/budgets.ts';
import { MemorySink } from './memory-sink.ts';
import { fixed, scenarioOf, vcpuOf } from './scenarios.ts';

const MS = 1_000_000;
const KINDS: readonly ServerKind[] = ['deferrable', 'periodic', 'polling', 'sporadic'];

interface Times {
  /** Intervals in which each domain ran, in milliseconds, adjacent ones as one. */
  readonly ran: Record<number, [number, number][]>;
  /** When each domain blocked, in milliseconds. */
  readonly blocked: Record<number, number[]>;
  /** By domain: the longest response of its jobs, in milliseconds; Infinity if one missed its deadline. */
  readonly responses: Record<number, number>;
}

function run(scenario: Scenario): Times {
  const ran: Times['ran'] = {};
  const blocked: Times['blocked'] = {};
  const responses: Times['responses'] = {};
  const releases = new Map<string, number>();
  const since = new Map<number, number>();
  const end = (dom: number, ms: number) => {
    const from = since.get(dom)!;
    ran[dom] ??= [];
    const last = ran[dom].at(-1);
    if (last?.[1] === from) last[1] = ms;
    else if (from < ms) ran[dom].push([from, ms]);
    since.delete(dom);
  };
  const sink = new MemorySink(scenario.host.pcpus, 0);
  simulate(scenario, sink, {
    onRunstate(tNs, _pcpu, dom, _vcpu, from, to) {
      if (dom > 32_000) return;
      if (from === 0) end(dom, tNs / MS);
      if (to === 0) since.set(dom, tNs / MS);
      if (to === 2) {
        blocked[dom] ??= [];
        blocked[dom].push(tNs / MS);
      }
    },
    onJobRelease(tNs, dom, _vcpu, job) {
      releases.set(`${dom} ${job}`, tNs);
    },
    onJobComplete(tNs, dom, _vcpu, job) {
      const ms = (tNs - releases.get(`${dom} ${job}`)!) / MS;
      responses[dom] = Math.max(responses[dom] ?? 0, ms);
    },
  });
  for (const dom of [...since.keys()]) end(dom, scenario.durationNs / MS);
  return { ran, blocked, responses };
}

/** Each a domain with one server; priorities in the order given unless they say otherwise. */
function scenario(
  servers: readonly (readonly [Workload, ServerParameters])[],
  kind: ServerKind,
  given: { quantumUs?: number; actions?: readonly Action[]; durationNs?: number } = {},
): Scenario {
  const { quantumUs = 0, actions, durationNs = 200 * MS } = given;
  return scenarioOf(
    servers.map(([workload, server], priority) => [vcpuOf(workload, { server: { priority, ...server } })]),
    { scheduler: 'rtxen', params: { rtxen_server: kind, rtxen_quantum_us: quantumUs }, durationNs, actions },
  );
}

const us = (budgetUs: number, periodUs: number): ServerParameters => ({ budgetUs, periodUs });
const once = (ms: number, atMs: number): Workload => ({
  kind: 'once',
  run: fixed(ms * MS),
  offsetNs: atMs * MS,
});
const hog = (atMs = 0): Workload => ({ kind: 'hog', offsetNs: Math.round(atMs * MS) });
const periodic = (periodMs: number, burstMs: number, atMs: number): Workload => ({
  kind: 'periodic',
  periodNs: Math.round(periodMs * MS),
  burst: fixed(Math.round(burstMs * MS)),
  deadlineNs: Math.round(periodMs * MS),
  offsetNs: Math.round(atMs * MS),
});

describe.each([0, 1000])('an aperiodic job, budget 2, period 10, with a quantum of %i us', (quantumUs) => {
  /** Arrival and demand; the response under each server (E17 of the experiments). */
  const table = [
    [5, 2, { deferrable: 2, sporadic: 2, polling: 7, periodic: 7 }],
    [1, 2, { deferrable: 2, sporadic: 2, polling: 11, periodic: 10 }],
    [8, 4, { deferrable: 4, sporadic: 12, polling: 14, periodic: 14 }],
  ] as const;

  test.each(
    KINDS.flatMap((kind) => table.flatMap((row) => [0, 100].map((base) => [kind, base, row] as const))),
  )(
    'has the right response under a %s server, from %i ms on: %j',
    (kind, base, [arrival, demand, responses]) => {
      const server = [once(demand, base + arrival), us(2000, 10_000)] as const;
      const { blocked } = run(scenario([server, [hog(), us(10_000, 10_000)]], kind, { quantumUs }));
      expect(blocked[1]).toEqual([base + arrival + responses[kind]]);
    },
  );
});

describe('what each server does with its budget', () => {
  const lower = [hog(), us(100_000, 100_000)] as const;
  const until30 = { durationNs: 30 * MS };

  test('without work a periodic one keeps others from the pCPU, no other does', () => {
    const idle = [{ kind: 'idle' }, us(2000, 10_000)] as const;
    for (const kind of KINDS) {
      const { ran } = run(
        scenario([idle, [hog(), { ...us(100_000, 100_000), serverKind: 'deferrable' }]], kind, until30),
      );
      expect(ran[2]).toEqual(
        kind === 'periodic'
          ? [
              [2, 10],
              [12, 20],
              [22, 30],
            ]
          : [[0, 30]],
      );
    }
  });

  test('with work they all take their budget from the start of each period', () => {
    for (const kind of KINDS) {
      const { ran } = run(scenario([[hog(), us(2000, 10_000)], lower], kind, until30));
      expect(ran[1]).toEqual([
        [0, 2],
        [10, 12],
        [20, 22],
      ]);
    }
  });

  test('a sporadic one gets each part back one period after it became active with it', () => {
    // Used 1 at 3 and 1 at 6; back 1 at 13 and 1 at 16. The long job of 12 gets the one and then the other.
    const work: Workload = { kind: 'duty', run: fixed(1 * MS), sleep: fixed(2 * MS), offsetNs: 3 * MS };
    const { ran } = run(scenario([[work, us(2000, 10_000)]], 'sporadic', { durationNs: 40 * MS }));
    expect(ran[1]).toEqual([
      [3, 4],
      [6, 7],
      [13, 14],
      [16, 17],
      [23, 24],
      [26, 27],
      [33, 34],
      [36, 37],
    ]);
  });

  test('one that is kept waiting is active since its work came', () => {
    // Domain 2 has work at 1 and runs from 4 on, so that its budget comes back at 11.
    const first = [once(4, 0), us(10_000, 10_000)] as const;
    const second = [once(4, 1), us(2000, 10_000)] as const;
    expect(run(scenario([first, second], 'sporadic')).ran[2]).toEqual([
      [4, 6],
      [11, 13],
    ]);
  });

  test('budget that comes while it is active comes back a period after that', () => {
    // 1 is used at 0; the rest is saved up and used from 9.5 on, when 1 comes: which is back at 20, not at 19.5.
    const work: Workload = {
      kind: 'sporadic',
      interarrival: fixed(9.5 * MS),
      burst: fixed(1 * MS),
      deadlineNs: MS,
      offsetNs: 0,
    };
    const jobs = run(scenario([[work, us(1000, 10_000)]], 'sporadic', { durationNs: 60 * MS }));
    for (const [i, [from]] of jobs.ran[1]!.entries())
      if (i > 0) expect(from).toBe(jobs.ran[1]![0]![0] + i * 10);
  });

  test('one that is kept waiting for long does not get early what came late', () => {
    // It is active from 0 on, with 2. What it used at once is back at 10, and with that it is active from 10 on.
    const first = [once(10, 1), us(20_000, 20_000)] as const;
    const second = [once(7, 0), us(2000, 10_000)] as const;
    expect(run(scenario([first, second], 'sporadic')).ran[2]).toEqual([
      [0, 1],
      [11, 14],
      [20, 22],
      [30, 31],
    ]);
  });

  test('work that comes at the start of a period is in time for a polling server', () => {
    const first = [once(1, 10), us(2000, 10_000)] as const;
    const second = [once(1, 10), us(2000, 10_000)] as const;
    const { ran } = run(scenario([first, second], 'polling'));
    expect(ran).toEqual({ 1: [[10, 11]], 2: [[11, 12]] });
  });

  test('the quantum says when a pCPU looks', () => {
    const server = [once(4, 0.3), us(1500, 10_000)] as const;
    expect(run(scenario([server], 'deferrable')).ran[1]).toEqual([
      [0.3, 1.8],
      [10, 11.5],
      [20, 21],
    ]);
    const coarse = run(scenario([server], 'deferrable', { quantumUs: 1000 }));
    expect(coarse.ran[1]).toEqual([
      [0.3, 2.3],
      [10.3, 12.3],
    ]);
  });

  test('equal servers come in the order of their work, a yield goes to the end', () => {
    const equal = { ...us(10_000, 10_000), priority: 1 };
    const { ran } = run(
      scenario(
        [
          [once(3, 1), equal],
          [once(3, 0), equal],
        ],
        'deferrable',
      ),
    );
    expect(ran).toEqual({ 1: [[3, 6]], 2: [[0, 3]] });
    const yields = scenario(
      [
        [once(3, 0), equal],
        [once(3, 0), equal],
      ],
      'deferrable',
    );
    const [first, ...others] = yields.domains;
    const vcpus = first!.vcpus.map((vcpu) => ({ ...vcpu, yieldEveryNs: 1 * MS }));
    expect(run({ ...yields, domains: [{ ...first!, vcpus }, ...others] }).ran[1]).toEqual([
      [0, 1],
      [4, 6],
    ]);
  });

  test('without priorities the shorter period goes first', () => {
    const plain = (periodUs: number) => ({ ...us(1000, periodUs), priority: undefined });
    const { ran } = run(
      scenario(
        [
          [once(1, 0), plain(9000)],
          [once(1, 0), plain(8000)],
        ],
        'deferrable',
      ),
    );
    expect(ran).toEqual({ 1: [[1, 2]], 2: [[0, 1]] });
  });
});

describe('changes while the host runs', () => {
  const server = [once(4, 28), us(2000, 10_000)] as const;
  const at = (ms: number, command: Action['command']): Action => ({ atNs: ms * MS, command: command! });
  const pool = (serverKind: ServerKind): Action['command'] => ({
    text: 'sched-rtxen -s',
    kind: 'sched-pool',
    scheduler: 'rtxen',
    cpupool: 'Pool-0',
    tsliceMs: undefined,
    ratelimitUs: undefined,
    migrationDelayUs: undefined,
    serverKind,
  });

  test.each(KINDS.flatMap((from) => KINDS.map((to) => [from, to] as const)))(
    '%s servers become %s ones',
    (from, to) => {
      const changed = run(scenario([server], from, { actions: [at(10, pool(to))] }));
      expect(changed).toEqual(run(scenario([server], to)));
    },
  );

  test('what a server has it keeps', () => {
    const early = [once(4, 1), us(2000, 10_000)] as const;
    // Deferrable until 2, when 1 is left: a sporadic server lacks what comes back at 10.
    const toSporadic = run(scenario([early], 'deferrable', { actions: [at(2, pool('sporadic'))] }));
    expect(toSporadic.ran[1]).toEqual([
      [1, 3],
      [10, 11],
      [12, 13],
    ]);
    const toPolling = run(
      scenario([[once(1, 5), us(2000, 10_000)]], 'deferrable', { actions: [at(2, pool('polling'))] }),
    );
    expect(toPolling.ran[1]).toEqual([[10, 11]]);
  });

  test('a new budget counts from the next period on, a new priority at once', () => {
    const adjust = (dom: number, server: ServerParameters): Action['command'] => ({
      text: 'sched-rtxen -d',
      kind: 'sched-server',
      scheduler: 'rtxen',
      dom,
      vcpu: undefined,
      server,
    });
    const [first, second] = [
      [hog(), us(2000, 10_000)],
      [hog(), us(9000, 10_000)],
    ] as const;
    const actions = [at(1, adjust(1, { budgetUs: 3000 })), at(11, adjust(1, { priority: 7 }))];
    const { ran } = run(scenario([first, second], 'deferrable', { durationNs: 30 * MS, actions }));
    expect(ran[1]).toEqual([
      [0, 2],
      [10, 11],
      [29, 30],
    ]);
  });
});

describe('theory', () => {
  test('a deferrable server at the top, worked out by hand', () => {
    const top = (budgetUs: number, kind: ServerKind, atMs: number) => {
      const ample = us(1_000_000, 1_000_000);
      const tasks = [periodic(3.5, 1.5, atMs), periodic(6.5, 0.5, atMs)];
      const servers = tasks.map((task) => [task, { ...ample, serverKind: 'deferrable' }] as const);
      return run(scenario([[hog(atMs), us(budgetUs, 3000)], ...servers], kind)).responses;
    };
    expect(top(1000, 'deferrable', 5)).toMatchObject({ 2: 3.5, 3: 6.5 });
    expect(top(1100, 'deferrable', 4.9)[3]).toBe(6.8);
    expect(top(1000, 'periodic', 6)).toMatchObject({ 2: 2.5, 3: 3 });
  });

  /** Most utilisation of rate monotonic tasks below a server at the top of utilisation `u`. */
  const bounds: Record<ServerKind, (u: number) => number> = {
    deferrable: (u) => Math.log((u + 2) / (2 * u + 1)),
    periodic: (u) => Math.log(2 / (u + 1)),
    polling: (u) => Math.log(2 / (u + 1)),
    sporadic: (u) => Math.log(2 / (u + 1)),
  };

  test.each(KINDS)('tasks within the bound below a %s server meet their deadlines', (kind) => {
    for (let seed = 1; seed <= 25; seed += 1) {
      const prng = Prng.fromSeed(seed).fork(kind);
      const u = 0.1 * (1 + prng.below(5));
      const count = 1 + prng.below(4);
      const share = bounds[kind](u) / count;
      const top = [
        {
          kind: 'duty',
          run: fixed((1 + prng.below(5)) * 500_000),
          sleep: fixed(1 + prng.below(3 * MS)),
          offsetNs: prng.below(5 * MS),
        },
        us(Math.round(u * 5000), 5000),
      ] as const;
      const ample = { ...us(1_000_000, 1_000_000), serverKind: 'deferrable' } as const;
      const tasks = Array.from({ length: count }, () => 5 + prng.below(20)).sort((a, b) => a - b);
      const offset = prng.below(5000) / 1000;
      const servers = tasks.map(
        (ms) => [periodic(ms, Math.floor(ms * share * 1000) / 1000, offset), ample] as const,
      );
      const { responses } = run(scenario([top, ...servers], kind, { durationNs: 500 * MS }));
      for (const [i, ms] of tasks.entries())
        expect([seed, kind, ms, responses[i + 2]! <= ms]).toEqual([seed, kind, ms, true]);
    }
  });

  /** The most that domain 1 ran in any window of `ms`. */
  function mostIn(ms: number, { ran }: Times): number {
    const inside = (from: number) =>
      ran[1]!.reduce((sum, [a, b]) => sum + Math.max(0, Math.min(b, from + ms) - Math.max(a, from)), 0);
    return Math.max(...ran[1]!.flatMap(([a, b]) => [inside(a), inside(b - ms)]));
  }

  test('no sporadic server at the top takes more than its budget in any period, a deferrable one takes twice it', () => {
    let deferrable = 0;
    for (let seed = 1; seed <= 40; seed += 1) {
      const prng = Prng.fromSeed(seed).fork('window');
      const work: Workload = {
        kind: 'sporadic',
        interarrival: { kind: 'exponential', meanNs: (2 + prng.below(10)) * MS },
        burst: { kind: 'uniform', minNs: 1000, maxNs: 4 * MS },
        deadlineNs: MS,
        offsetNs: prng.below(10 * MS),
      };
      const drawn = (kind: ServerKind) => ({
        ...scenario([[work, us(2000, 10_000)]], kind, { durationNs: 500 * MS }),
        seed,
      });
      expect(mostIn(10, run(drawn('sporadic')))).toBeLessThanOrEqual(2 + 1e-9);
      deferrable = Math.max(deferrable, mostIn(10, run(drawn('deferrable'))));
    }
    expect(deferrable).toBeGreaterThan(3);
  });

  test('the parts of a sporadic budget are always the whole', () => {
    const prng = Prng.fromSeed(7);
    const budget = new SporadicBudget(10_000, 2_000, 0, 0, 0);
    let nowNs = 0;
    for (let i = 0; i < 5000; i += 1) {
      nowNs += prng.below(3000);
      while (budget.dueNs <= nowNs) budget.replenish();
      if (prng.below(2) === 0) budget.workComes(nowNs);
      if (budget.leftNs > 0 && prng.below(3) > 0) budget.use(1 + prng.below(budget.leftNs));
      expect(budget.wholeNs).toBe(2_000);
      expect(budget.leftNs).toBeGreaterThanOrEqual(0);
    }
  });
});
