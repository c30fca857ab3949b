import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseScenario, type Scenario, type ScenarioOverrides } from '../../src/scenario/index.ts';
import { Simulation, simulate, type TraceSink } from '../../src/simulator/index.ts';

const folder = fileURLToPath(new URL('../../samples/', import.meta.url));
const names = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
const textOf = (name: string) => readFileSync(folder + name, 'utf8');

/** Throws everything away. */
const nothing: TraceSink = { wants: () => false, emit: () => undefined };

/** CPU time of each domain as a share of one pCPU, by the domain's name. */
function sharesOf(scenario: Scenario): Record<string, number> {
  const shares: Record<string, number> = {};
  for (const { dom, runNs } of simulate(scenario, nothing).vcpuTimes()) {
    const { name } = scenario.domains.find(({ id }) => id === dom)!;
    shares[name] = (shares[name] ?? 0) + runNs / scenario.durationNs;
  }
  return shares;
}

function run(
  name: string,
  change: (text: string) => string = (text) => text,
  overrides: ScenarioOverrides = {},
) {
  return sharesOf(parseScenario(change(textOf(name)), name, overrides));
}

describe('the samples', () => {
  it.each(names)('%s says what one will see, and is named as its file', (name) => {
    expect(textOf(name)).toMatch(/^# \S/);
    const scenario = parseScenario(textOf(name), name);
    expect(scenario.name).toBe(name.replace('.yaml', '').replaceAll('-', ' '));
  });
});

describe('what the remarks in the samples claim', () => {
  it('each action changes who runs, from its instant on', () => {
    const scenario = parseScenario(textOf('actions.yaml'), 'actions.yaml');
    const refusals: string[] = [];
    const hooks = { onRefusal: (_tNs: number, command: string) => refusals.push(command) };
    const simulation = new Simulation(scenario, nothing, { hooks });
    const before = scenario.domains.map(() => 0);
    const turns: Record<string, number>[] = [];
    for (let tNs = 5e8; tNs <= scenario.durationNs; tNs += 5e8) {
      simulation.runUntil(tNs);
      const sums = scenario.domains.map(({ id }) => {
        const own = simulation.vcpuTimes().filter(({ dom }) => dom === id);
        return own.reduce((sum, { runNs }) => sum + runNs, 0);
      });
      turns.push(
        Object.fromEntries(scenario.domains.map(({ name }, i) => [name, (sums[i]! - before[i]!) / 5e8])),
      );
      before.splice(0, before.length, ...sums);
    }
    expect(refusals).toEqual([]);
    const [first, weighed, paused, resumed, crowded, alone, pinned] = turns;
    for (const name of ['gold', 'silver', 'bronze', 'copper']) {
      expect(first![name]).toBeGreaterThan(0.4);
      expect(first![name]).toBeLessThan(0.6);
    }
    expect([weighed!.gold, paused!.gold, resumed!.gold, alone!.gold]).toEqual([1, 1, 1, 1]);
    expect(paused!.bronze).toBe(0);
    expect(resumed!.bronze).toBeGreaterThan(0.25);
    expect(crowded!.batch).toBeGreaterThan(0.4);
    expect([resumed!.batch, alone!.batch]).toEqual([0, 0]);
    expect(pinned!.gold! + pinned!.copper!).toBe(1);
    expect(pinned!.silver! + pinned!.bronze!).toBe(1);
    expect(pinned!.gold).toBeLessThan(0.75);
  });

  it('sensor is late in Pool-0 and never in rt, and noise gets the pCPU that rt gives away', () => {
    const scenario = parseScenario(textOf('cpupools.yaml'), 'cpupools.yaml');
    const deadlines = new Map<string, number>();
    const late: [number, number][] = [];
    const simulation = new Simulation(scenario, nothing, {
      hooks: {
        onJobRelease: (_tNs, dom, _vcpu, job, deadlineNs) => deadlines.set(`${dom}/${job}`, deadlineNs),
        onJobComplete: (tNs, dom, _vcpu, job) => {
          if (tNs > deadlines.get(`${dom}/${job}`)!) late.push([dom, tNs]);
        },
      },
    });
    const noiseNs = () =>
      simulation.vcpuTimes().reduce((sum, { dom, runNs }) => sum + (dom === 1 ? runNs : 0), 0);
    simulation.runUntil(1e9);
    expect(late.filter(([dom]) => dom === 3).length).toBeCloseTo((50 * 2) / 3, -0.5);
    simulation.runUntil(2e9);
    const before = noiseNs();
    simulation.runUntil(3e9);
    expect(noiseNs() - before).toBe(3e9);
    expect(late.filter(([dom, tNs]) => dom !== 3 || tNs > 1e9)).toEqual([]);
  });

  it('slices are kept, and extra time goes by them', () => {
    const scenario = parseScenario(textOf('slices.yaml'), 'slices.yaml');
    const released = new Map<number, number>();
    const responses: number[] = [];
    const simulation = new Simulation(scenario, nothing, {
      hooks: {
        onJobRelease: (tNs, _dom, _vcpu, job) => released.set(job, tNs),
        onJobComplete: (tNs, _dom, _vcpu, job) => responses.push(tNs - released.get(job)!),
      },
    });
    const runNs = () => simulation.vcpuTimes().map((times) => times.runNs);
    simulation.runUntil(2e9);
    const before = runNs();
    expect(before).toEqual([0.5e9, 0.2e9, 1.3e9]);
    simulation.runUntil(4e9);
    const [control, sensor, batch] = runNs().map((ns, i) => (ns - before[i]!) / 2e9);
    expect(sensor).toBe(0.1);
    expect((control! - 0.25) / batch!).toBeCloseTo(32, -1);
    expect(new Set(responses.slice(1))).toEqual(new Set([2_500_000]));
  });

  it('two hogs get half each', () => {
    const { left, right } = run('two-hogs.yaml');
    expect(left).toBeCloseTo(0.5, 1);
    expect(right).toBeCloseTo(0.5, 1);
  });

  it('caps are kept exactly over whole periods of parking', () => {
    expect(run('caps.yaml')).toEqual({ quarter: 0.25, half: 0.5, free: 1 });
  });

  it('a thief in step with the ticks takes 90 %, and half when the ticks are not', () => {
    expect(run('theft-of-service.yaml').thief).toBeCloseTo(0.9, 2);
    const jittered = run('theft-of-service.yaml', (text) =>
      text.replace('pcpus: 1', 'pcpus: 1\n  timer_jitter: 500us'),
    );
    expect(jittered.thief).toBeCloseTo(0.5, 1);
  });

  it('heavier domains get more, and the light more than they are entitled to', () => {
    const { w128, w256, w512, w1024 } = run('weights.yaml');
    expect(w128! < w256! && w256! < w512! && w512! < w1024!).toBe(true);
    expect(w128!).toBeGreaterThan(0.29);
    expect(w1024!).toBeLessThan(2);
  });

  it('interactive gets what it asks for, greedy less than a third of it', () => {
    const { interactive, greedy } = run('boost.yaml');
    expect(interactive).toBeGreaterThan(0.055);
    expect(greedy).toBeLessThan(0.1);
  });

  it('the rate limit costs the waker time, a long one nearly all of it', () => {
    const limited = (us: number) =>
      run('ratelimit.yaml', (text) => text.replace('us: 1000', `us: ${us}`)).waker!;
    expect(limited(0)).toBeGreaterThan(limited(1000));
    expect(limited(5000)).toBeCloseTo(0.02, 2);
  });

  it('on the busy host build gets about 1.07 pCPUs against 0.65 of batch, and control its 20 %', () => {
    const { batch, build, control } = run('busy-host.yaml');
    expect(build).toBeCloseTo(1.07, 1);
    expect(batch).toBeCloseTo(0.65, 1);
    expect(control).toBeCloseTo(0.2, 2);
  });
});

/** What became of each domain's jobs: how many were released and late, and when the last late one was released. */
function jobsOf(scenario: Scenario): Record<string, { released: number; late: number; lastLateNs: number }> {
  const [TRC_TASK_RELEASE, TRC_TASK_COMPLETE] = [0x00024001, 0x00024003];
  const jobs: ReturnType<typeof jobsOf> = {};
  const open = new Map<string, { releasedNs: number; deadlineNs: number }>();
  simulate(scenario, {
    wants: (_pcpu, event) => event === TRC_TASK_RELEASE || event === TRC_TASK_COMPLETE,
    emit: (_pcpu, event, low, high, words) => {
      const nowNs = high * 2 ** 32 + low - Number(scenario.host.tscBase);
      const { name } = scenario.domains.find(({ id }) => id === words[0]! >>> 16)!;
      jobs[name] ??= { released: 0, late: 0, lastLateNs: -1 };
      const job = `${words[0]} ${words[2]}`;
      if (event === TRC_TASK_RELEASE) {
        jobs[name].released += 1;
        open.set(job, { releasedNs: nowNs - words[5]!, deadlineNs: words[3]! });
        return;
      }
      const { releasedNs, deadlineNs } = open.get(job)!;
      if (nowNs <= releasedNs + deadlineNs) return;
      jobs[name].late += 1;
      jobs[name].lastLateNs = releasedNs;
    },
  });
  return jobs;
}

describe('what the remarks in the samples claim of deadlines', () => {
  it('control misses a quarter of its deadlines, all in the first 600 ms', () => {
    const { control } = jobsOf(parseScenario(textOf('busy-host.yaml'), 'a.yaml'));
    expect(control!.released).toBe(200);
    expect(Math.abs(control!.late / 200 - 0.25)).toBeLessThan(0.03);
    expect(control!.lastLateNs).toBeLessThan(600e6);
  });

  it('the light task is late in one job of ten, with its releases moved in one of four', () => {
    const text = textOf('deadlines.yaml');
    const { light, medium, heavy } = jobsOf(parseScenario(text, 'a.yaml'));
    expect(light!.late / light!.released).toBeCloseTo(0.1, 1);
    expect(medium!.late).toBe(0);
    expect(heavy!.late > 0 && heavy!.late < 10).toBe(true);
    const moved = jobsOf(parseScenario(text.replace('burst: 1ms', 'burst: 1ms, offset: 3ms'), 'b.yaml'))
      .light!;
    expect(moved.late / moved.released).toBeCloseTo(0.25, 1);
  });

  it('next to no request is late before the backup starts, and some are after', () => {
    const text = textOf('consolidation.yaml');
    const alone = jobsOf(parseScenario(text.replace(/ {2}- name: backup[\s\S]*$/, ''), 'a.yaml'));
    const joined = jobsOf(parseScenario(text, 'b.yaml'));
    const lateOf = (jobs: typeof alone) => Object.values(jobs).reduce((sum, { late }) => sum + late, 0);
    expect(lateOf(alone)).toBeLessThan(20);
    expect(lateOf(joined)).toBeGreaterThan(100);
  });
});

describe('the samples of other schedulers say what happens:', () => {
  it('real-time.yaml: RTDS meets every deadline, and a server that is too small harms its own task only', () => {
    const text = textOf('real-time.yaml');
    const lateOf = (changed: string) =>
      Object.values(jobsOf(parseScenario(changed, 'r.yaml'))).map(({ late }) => late);
    expect(lateOf(text).reduce((sum, late) => sum + late, 0)).toBe(0);
    expect(run('real-time.yaml').hog).toBeGreaterThan(0.39);
    const [light, ...others] = lateOf(text.replace('budget: 1ms', 'budget: 900us'));
    expect(light).toBeGreaterThan(400);
    expect(others.reduce((sum, late) => sum + late, 0)).toBe(0);
  });

  it('global-or-partitioned.yaml: the heavy one is late under either order, and never when it has a pCPU', () => {
    const text = textOf('global-or-partitioned.yaml');
    const lateOf = (scheduler: string, scheme: string) => {
      const changed = text.replace('rtxen_scheme: edf', `rtxen_scheme: ${scheme}`);
      return Object.values(jobsOf(parseScenario(changed, 'g.yaml', { scheduler }))).map(({ late }) => late);
    };
    for (const scheme of ['edf', 'rm']) {
      const [light, heavy, other] = lateOf('rtglobal', scheme);
      expect([light, other]).toEqual([0, 0]);
      expect(heavy).toBeGreaterThan(140);
      expect(lateOf('rtpartition', scheme)).toEqual([0, 0, 0]);
    }
  });

  it('four-servers.yaml: jobs run at once where budget is kept, and a periodic server idles', () => {
    const scenario = parseScenario(textOf('four-servers.yaml'), 'f.yaml');
    const waits = [0, 0, 0, 0];
    let releasedNs = 0;
    const simulation = new Simulation(scenario, nothing, {
      hooks: {
        onJobRelease: (tNs, dom) => {
          if (dom === 1) releasedNs = tNs;
        },
        onJobComplete: (tNs, dom) => {
          const kind = Math.floor(releasedNs / 2e9);
          if (dom === 1) waits[kind] = Math.max(waits[kind]!, (tNs - releasedNs) / 1e6);
        },
      },
    });
    const busy: number[] = [];
    for (let tNs = 2e9; tNs <= 8e9; tNs += 2e9) {
      simulation.runUntil(tNs);
      const ranNs = simulation.vcpuTimes().reduce((sum, { runNs }) => sum + runNs, 0);
      busy.push((ranNs - busy.reduce((sum, share) => sum + share * 2e9, 0)) / 2e9);
    }
    const [deferrable, periodic, polling, sporadic] = waits;
    expect(deferrable).toBe(1);
    expect(periodic).toBeGreaterThan(8);
    expect(polling).toBeGreaterThan(8);
    expect(sporadic).toBeLessThan(2);
    expect(busy[1]).toBeLessThan(0.85);
    for (const kind of [0, 2, 3]) expect(busy[kind]).toBeCloseTo(1, 9);
  });

  it('time-slots.yaml: each has its slot and no more', () => {
    const shares = run('time-slots.yaml');
    expect(shares.control).toBeCloseTo(0.3, 5);
    expect(shares.display).toBeCloseTo(0.25, 5);
    expect(shares.logging).toBeCloseTo(0.05, 5);
  });
});

/** How many jobs each vCPU released, by `domain/vcpu`. */
function releasesOf(scenario: Scenario): Map<string, number> {
  const TRC_TASK_RELEASE = 0x00024001;
  const releases = new Map<string, number>();
  const names = new Map(scenario.domains.map(({ id, name }) => [id, name]));
  simulate(scenario, {
    wants: (_pcpu, event) => event === TRC_TASK_RELEASE,
    emit: (_pcpu, _event, _low, _high, [packed]) => {
      const vcpu = `${names.get(packed! >>> 16)}/${packed! & 0xffff}`;
      releases.set(vcpu, (releases.get(vcpu) ?? 0) + 1);
    },
  });
  return releases;
}

describe('the seed', () => {
  it('draws for each vCPU by itself, so that another domain does not change the arrivals at the others', () => {
    const text = textOf('consolidation.yaml');
    const alone = releasesOf(parseScenario(text, 'a.yaml'));
    const joined = releasesOf(parseScenario(`${text}  - {name: web4, id: 40, <<: *web}\n`, 'b.yaml'));
    expect(alone.size).toBe(9);
    expect(joined.size).toBe(11);
    for (const [vcpu, count] of alone) expect([vcpu, joined.get(vcpu)]).toEqual([vcpu, count]);
  });

  it('decides the random draws: the same seed the same run, another seed another run', () => {
    const first = run('consolidation.yaml', undefined, { seed: 1 });
    expect(run('consolidation.yaml', undefined, { seed: 1 })).toEqual(first);
    expect(run('consolidation.yaml', undefined, { seed: 2 })).not.toEqual(first);
  });
});
