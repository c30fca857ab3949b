/**
 * What the toolstack does to a running host, held against Xen's core.c and cpupool.c: records in their order, and
 * who runs where afterwards.
 */
import { describe, expect, test } from 'vitest';
import { EventCatalog } from '../../src/format/index.ts';
import type { Command, Scenario, VcpuSpec } from '../../src/scenario/index.ts';
import { DOMID_IDLE, Simulation } from '../../src/simulator/index.ts';
import { MemorySink } from './memory-sink.ts';
import { fixed, hostOf, scenarioOf, vcpuOf } from './scenarios.ts';

const MS = 1_000_000;
const SCHEDULERS = ['credit', 'credit2', 'rtds', 'null', 'arinc653'] as const;
const hog = vcpuOf({ kind: 'hog', offsetNs: 0 });
const idle = vcpuOf({ kind: 'idle' });
const catalog = EventCatalog.builtIn();

type Timed = [atMs: number, command: { kind: Command['kind'] } & Record<string, unknown>];

function actionsOf(list: readonly Timed[]): Scenario['actions'] {
  return list.map(([atMs, command]) => ({
    atNs: atMs * MS,
    command: { text: command.kind, ...command } as unknown as Command,
  }));
}

interface Given extends Partial<Omit<Scenario, 'actions'>> {
  pcpus?: number;
  actions?: readonly Timed[];
  mask?: number;
}

/** A run with what its hooks saw; `records` are names and words, of all pCPUs by their TSCs. */
function runOf(vcpus: readonly (readonly VcpuSpec[])[], { pcpus = 1, actions = [], mask, ...given }: Given) {
  const host = hostOf({ pcpus });
  const durationNs = 100 * MS;
  const scenario = scenarioOf(vcpus, { durationNs, host, ...given, actions: actionsOf(actions) });
  const sink = new MemorySink(pcpus, mask);
  const refusals: string[] = [];
  const switches: { tNs: number; pcpu: number; dom: number; vcpu: number }[] = [];
  const simulation = new Simulation(scenario, sink, {
    jobRecords: false,
    hooks: {
      onRefusal: (_tNs, command, why) => refusals.push(`${command}: ${why}`),
      onSwitch: (tNs, pcpu, dom, vcpu) => switches.push({ tNs, pcpu, dom, vcpu }),
    },
  });
  simulation.runUntil(scenario.durationNs);
  return { scenario, simulation, refusals, switches, records: recordsOf(sink, pcpus) };
}

interface Seen {
  tNs: number;
  pcpu: number;
  name: string;
  words: number[];
}

function recordsOf(sink: MemorySink, pcpus: number): Seen[] {
  const seen: (Seen & { tsc: number })[] = [];
  for (let pcpu = 0; pcpu < pcpus; pcpu += 1) {
    const words = sink.drain(pcpu);
    for (let at = 0; at < words.length; ) {
      const event = words[at]! & 0x0fffffff;
      const count = (words[at]! >>> 28) & 7;
      const tsc = words[at + 1]! + words[at + 2]! * 2 ** 32;
      const known = catalog.eventById(event);
      const name = known?.name ?? event.toString(16);
      const extra = [...words.slice(at + 3, at + 3 + count)];
      // The record clock runs ahead by a tick of a nanosecond for each record of an instant.
      seen.push({ tsc, tNs: Math.floor((tsc - 1e9) / 1000) * 1000, pcpu, name, words: extra });
      at += 3 + count;
    }
  }
  return seen.sort((a, b) => a.tsc - b.tsc);
}

/** `NAME(words)` of the common part's records at an instant, in their order. */
function coreAt(records: readonly Seen[], atMs: number): string[] {
  return records
    .filter(({ tNs, name }) => tNs === atMs * MS && /^TRC_SCHED_|^TRC_DOM0/.test(name))
    .map(({ name, words }) => `${name.replace('TRC_SCHED_', '')}(${words.join(',')})`);
}

/** A record's name and its vCPU, in the words of that event. */
function brief({ name: event, words }: Seen): string {
  const packed = /RUNSTATE|CREDIT_BURN/.test(event) ? words[0]! : undefined;
  const of = packed === undefined ? undefined : `d${packed >>> 16}v${packed & 0xffff}`;
  if (event.includes('UNIT_LOAD')) return `${event} d${words[2]! >>> 16}v${words[2]! & 0xffff}`;
  if (/SLEEP|WAKE|INFPREV|SWITCH$|CSCHED_PICKED/.test(event)) return `${event} d${words[0]}v${words[1]}`;
  return of === undefined ? event : `${event} ${of}`;
}

const shareOf = (run: ReturnType<typeof runOf>, dom: number, vcpu = 0) =>
  run.simulation.vcpuTimes().find((one) => one.dom === dom && one.vcpu === vcpu)!.runNs;

const weight = (dom: number, value: number, scheduler = 'credit') => ({
  kind: 'sched-domain' as const,
  scheduler,
  dom,
  weight: value,
});

describe('parameters', () => {
  test.each(['credit', 'credit2'] as const)('a new weight counts from when it is set: %s', (scheduler) => {
    const change: Timed = [1000, weight(2, 768, scheduler)];
    const given = { scheduler, durationNs: 2000 * MS };
    const before = runOf([[hog], [hog]], { ...given, durationNs: 1000 * MS });
    const run = runOf([[hog], [hog]], { ...given, actions: [change] });
    const second = (dom: number) => (shareOf(run, dom) - shareOf(before, dom)) / (1000 * MS);
    expect(shareOf(before, 1) / (1000 * MS)).toBeCloseTo(0.5, 1);
    expect(second(2)).toBeCloseTo(0.75, 1);
    expect(run.refusals).toEqual([]);
  });

  test('xl reads before it writes, and Xen records both', () => {
    const run = runOf([[hog], [hog]], { actions: [[5, weight(2, 512)]] });
    expect(coreAt(run.records, 5)).toEqual(['ADJDOM(2)', 'ADJDOM(2)']);
  });

  test("a domain of another scheduler's is refused without a record", () => {
    const run = runOf([[hog], [hog]], { actions: [[5, weight(2, 512, 'credit2')]] });
    expect(coreAt(run.records, 5)).toEqual([]);
    expect(run.refusals).toEqual(['sched-domain: domain 2 is scheduled by credit']);
  });

  test('a new time slice is the length of the next turns', () => {
    const actions: Timed[] = [
      [50, { kind: 'sched-pool', scheduler: 'credit', cpupool: 'Pool-0', tsliceMs: 3 }],
    ];
    const run = runOf([[hog], [hog]], { actions, durationNs: 200 * MS });
    const slices = (fromMs: number, toMs: number) => {
      const own = run.records.filter(
        ({ tNs, name }) => name === 'TRC_SCHED_SWITCH_INFNEXT' && tNs > fromMs * MS && tNs < toMs * MS,
      );
      return new Set(own.map(({ words }) => words[3]! / MS));
    };
    expect(slices(0, 50)).toEqual(new Set([30]));
    expect(slices(90, 200)).toEqual(new Set([3]));
    const refused = runOf([[hog]], {
      actions: [
        [5, { kind: 'sched-pool', scheduler: 'credit', cpupool: 'Pool-0', tsliceMs: 1, ratelimitUs: 2000 }],
      ],
    });
    expect(refused.refusals).toEqual(['sched-pool: Xen refuses these parameters']);
  });

  test('a new server counts from the next period on', () => {
    const server = { periodUs: 10_000, budgetUs: 2_000, extratime: false };
    const actions: Timed[] = [[55, { kind: 'sched-vcpu', dom: 1, periodUs: 20_000, budgetUs: 15_000 }]];
    const run = runOf([[vcpuOf({ kind: 'hog', offsetNs: 0 }, { rtds: server })]], {
      scheduler: 'rtds',
      actions,
    });
    const gained = (fromMs: number, toMs: number) => {
      let ns = 0;
      for (const [i, { tNs, dom }] of run.switches.entries()) {
        if (dom !== 1) continue;
        const endNs = run.switches[i + 1]?.tNs ?? 100 * MS;
        ns += Math.max(0, Math.min(endNs, toMs * MS) - Math.max(tNs, fromMs * MS));
      }
      return ns / MS;
    };
    expect(gained(40, 50)).toBe(2);
    expect(gained(50, 60)).toBe(2);
    expect(gained(60, 80)).toBe(15);
    expect(coreAt(run.records, 55)).toEqual(['ADJDOM(1)']);
  });
});

describe('affinity', () => {
  test.each(['credit', 'credit2', 'rtds', 'null'] as const)(
    'a vCPU is sent away while it runs: %s',
    (scheduler) => {
      const actions: Timed[] = [[5, { kind: 'vcpu-pin', dom: 1, hard: [1] }]];
      const run = runOf([[hog]], { pcpus: 2, scheduler, actions });
      const at5 = coreAt(run.records, 5);
      const own = run.switches.filter(({ dom }) => dom === 1);
      if (own[0]!.pcpu === 1) {
        // It is there already: it goes off and on.
        expect(own.map(({ pcpu }) => pcpu).every((pcpu) => pcpu === 1)).toBe(true);
      } else {
        expect(own.map(({ pcpu }) => pcpu)).toEqual([0, 1]);
      }
      // running -> offline, its wake-up after the move, offline -> runnable, and runnable -> running.
      const mine = at5.filter(
        (text) => /RUNSTATE.*\(65536\)|WAKE|SWITCH\(/.test(text) || text.endsWith('(65536)'),
      );
      expect(mine.some((text) => text === 'WAKE(1,0)')).toBe(true);
      expect(shareOf(run, 1)).toBeGreaterThan(scheduler === 'rtds' ? 39 * MS : 99 * MS);
    },
  );

  test('none of the pool is refused, and changes nothing', () => {
    const cpupools = [{ name: 'other', scheduler: 'credit' as const, pcpus: [1] }];
    const actions: Timed[] = [[5, { kind: 'vcpu-pin', dom: 1, hard: [1] }]];
    const run = runOf([[hog]], { pcpus: 2, cpupools, actions });
    expect(run.refusals).toEqual(['vcpu-pin: none of these pCPUs is in Pool-0']);
    expect(coreAt(run.records, 5)).toEqual([]);
  });
});

describe('pauses', () => {
  test.each(SCHEDULERS)('stop a domain and let it go on: %s', (scheduler) => {
    const actions: Timed[] = [
      [20, { kind: 'pause', dom: 1 }],
      [50, { kind: 'unpause', dom: 1 }],
    ];
    const arinc653 = { majorFrameNs: 10 * MS, entries: [{ dom: 1, vcpu: 0, runtimeNs: 10 * MS }] };
    const table = scheduler === 'arinc653' ? { arinc653 } : {};
    const run = runOf([[hog]], { scheduler, actions, ...table });
    const [times] = run.simulation.vcpuTimes();
    expect(times!.offlineNs).toBe(30 * MS);
    const stopped = coreAt(run.records, 20);
    expect(stopped[0]).toBe('SLEEP(1,0)');
    expect(stopped).toContain('SWITCH(1,0,32767,0)');
    const resumed = coreAt(run.records, 50);
    expect(resumed[0]).toBe('WAKE(1,0)');
    expect(resumed).toContain('SWITCH(32767,0,1,0)');
  });

  test.each([
    ['3.3', 20, 2],
    ['4.4', 20, 2],
    ['4.5', 30, 1],
    ['head', 30, 1],
  ] as const)('of Xen %s count, or not: two of them last %i ms', (xen, offlineMs, refused) => {
    const actions: Timed[] = [
      [10, { kind: 'pause', dom: 1 }],
      [20, { kind: 'pause', dom: 1 }],
      [30, { kind: 'unpause', dom: 1 }],
      [40, { kind: 'unpause', dom: 1 }],
      [50, { kind: 'unpause', dom: 1 }],
    ];
    const run = runOf([[hog]], { xen, actions });
    expect(run.simulation.vcpuTimes()[0]!.offlineNs).toBe(offlineMs * MS);
    expect(run.refusals).toEqual(new Array(refused).fill('unpause: domain 1 is not paused'));
  });

  test.each(['credit', 'credit2', 'rtds', 'null'] as const)(
    'vCPUs go offline and come back: %s',
    (scheduler) => {
      const actions: Timed[] = [
        [20, { kind: 'vcpu-set', dom: 1, count: 1 }],
        [60, { kind: 'vcpu-set', dom: 1, count: 2 }],
      ];
      const run = runOf([[hog, hog]], { pcpus: 2, scheduler, actions });
      const times = run.simulation.vcpuTimes();
      expect(times.map(({ offlineNs }) => offlineNs)).toEqual([0, 40 * MS]);
      if (scheduler !== 'rtds') expect(times.map(({ runNs }) => runNs)).toEqual([100 * MS, 60 * MS]);
      expect(coreAt(run.records, 20)[0]).toBe('SLEEP(1,1)');
      expect(coreAt(run.records, 60)[0]).toBe('WAKE(1,1)');
    },
  );
});

describe('domains', () => {
  test.each(['credit', 'credit2', 'rtds', 'null'] as const)('come and go: %s', (scheduler) => {
    const actions: Timed[] = [
      [20, { kind: 'create', dom: 2 }],
      [70, { kind: 'destroy', dom: 2 }],
    ];
    const worker = vcpuOf({ kind: 'duty', run: fixed(MS), sleep: fixed(MS), offsetNs: 5 * MS });
    const run = runOf([[hog], [worker, idle]], { pcpus: 3, scheduler, actions, mask: 0xfffffff });
    const times = run.simulation.vcpuTimes();
    expect(times.map(({ dom, vcpu }) => `d${dom}v${vcpu}`)).toEqual(['d1v0', 'd2v0', 'd2v1']);
    for (const { dom, runNs, runnableNs, blockedNs, offlineNs } of times) {
      expect(runNs + runnableNs + blockedNs + offlineNs).toBe(dom === 1 ? 100 * MS : 50 * MS);
    }
    // It wakes 5 ms after its creation: 22 whole turns of 2 ms until 69 ms, and 1 ms more.
    expect(shareOf(run, 2)).toBe(23 * MS);
    const created = coreAt(run.records, 20);
    expect(created.slice(0, 2)).toEqual(['TRC_DOM0_DOM_ADD(2)', 'DOM_ADD(2)']);
    expect(created.filter((text) => text.startsWith('WAKE(2'))).toEqual(['WAKE(2,0)', 'WAKE(2,1)']);
    // libxl reads and writes parameters at every creation, as the real trace credit-cpupool shows.
    expect(created.filter((text) => text === 'ADJDOM(2)').length).toBe(scheduler === 'null' ? 0 : 2);
    const ended = coreAt(run.records, 70);
    expect(ended.filter((text) => text.startsWith('SLEEP'))).toEqual([
      'SLEEP(2,0)',
      'SLEEP(2,1)',
      'SLEEP(2,0)',
      'SLEEP(2,1)',
    ]);
    expect(ended.filter((text) => text.includes('DOM_REM'))).toEqual(['TRC_DOM0_DOM_REM(2)', 'DOM_REM(2)']);
    expect(run.switches.filter(({ tNs, dom }) => dom === 2 && (tNs < 20 * MS || tNs > 70 * MS))).toEqual([]);
    expect(run.refusals).toEqual([]);
  });

  test('of others take over what a running domain leaves', () => {
    const run = runOf([[hog], [hog]], { actions: [[50, { kind: 'destroy', dom: 1 }]] });
    expect(shareOf(run, 1) + shareOf(run, 2)).toBe(100 * MS);
    expect(run.switches.filter(({ tNs, dom }) => tNs > 50 * MS && dom !== 2)).toEqual([]);
  });

  test('are not created twice, nor found when they are gone', () => {
    const actions: Timed[] = [
      [10, { kind: 'create', dom: 2 }],
      [20, { kind: 'create', dom: 2 }],
      [30, { kind: 'destroy', dom: 2 }],
      [40, { kind: 'pause', dom: 2 }],
    ];
    const run = runOf([[hog], [hog]], { actions });
    expect(run.refusals).toEqual(['create: there is a domain 2 already', 'pause: there is no domain 2']);
  });
});

describe('cpupools', () => {
  const two = [{ name: 'rt', scheduler: 'rtds' as const, pcpus: [2, 3] }];
  const inPool = (scenario: Scenario, dom: number, cpupool: string): Scenario['domains'] =>
    scenario.domains.map((domain) => (domain.id === dom ? { ...domain, cpupool } : domain));

  test('have schedulers of their own from the start', () => {
    const base = scenarioOf([[hog, hog, hog], [hog]]);
    const run = runOf([], { pcpus: 4, cpupools: two, domains: inPool(base, 2, 'rt') });
    const placesOf = (dom: number) => new Set(run.switches.filter((s) => s.dom === dom).map((s) => s.pcpu));
    expect([...placesOf(1)].sort()).toEqual([0, 1]);
    expect([...placesOf(2)].every((pcpu) => pcpu >= 2)).toBe(true);
    // RTDS gives each vCPU its budget and, since 4.10, extratime on an idle pCPU.
    expect(shareOf(run, 2)).toBe(100 * MS);
    // A domain is created on pCPU 0, which leaves records of the other scheduler there; decisions it does not.
    const deciding = (name: string) =>
      [...new Set(run.records.filter((record) => record.name === name).map(({ pcpu }) => pcpu))].sort();
    expect(deciding('TRC_CSCHED_SCHEDULE')).toEqual([0, 1]);
    expect(deciding('TRC_RTDS_SCHEDULE').every((pcpu) => pcpu >= 2)).toBe(true);
  });

  test.each(SCHEDULERS.flatMap((from) => SCHEDULERS.map((to) => [from, to] as const)))(
    'a domain moves from %s to %s and back',
    (from, to) => {
      const actions: Timed[] = [
        [30, { kind: 'cpupool-migrate', dom: 1, cpupool: 'other' }],
        [70, { kind: 'cpupool-migrate', dom: 1, cpupool: 'Pool-0' }],
      ];
      const cpupools = [{ name: 'other', scheduler: to, pcpus: [2, 3] }];
      const arinc653 = {
        majorFrameNs: 10 * MS,
        entries: [
          { dom: 1, vcpu: 0, runtimeNs: 5 * MS },
          { dom: 1, vcpu: 1, runtimeNs: 5 * MS },
        ],
      };
      const run = runOf([[hog, hog], [hog]], { pcpus: 4, scheduler: from, cpupools, arinc653, actions });
      expect(run.refusals).toEqual([]);
      for (const { tNs, pcpu, dom } of run.switches) {
        if (dom === 1) expect(pcpu >= 2).toBe(tNs >= 30 * MS && tNs < 70 * MS);
        if (dom === 2) expect(pcpu < 2).toBe(true);
      }
      const moved = coreAt(run.records, 30).filter((text) => /^(SLEEP|WAKE)\(1/.test(text));
      expect(moved).toEqual(['SLEEP(1,0)', 'SLEEP(1,1)', 'WAKE(1,0)', 'WAKE(1,1)']);
      for (const { dom, runNs, runnableNs, blockedNs, offlineNs } of run.simulation.vcpuTimes()) {
        expect(runNs + runnableNs + blockedNs + offlineNs).toBe(100 * MS);
        if (dom === 1 && ![from, to].includes('arinc653')) expect(runNs).toBeGreaterThan(40 * MS);
      }
    },
  );

  test('a domain moves as it did on a real host, record by record', () => {
    // Xen 4.17.7, xl cpupool-migrate from a pool of credit2 to Pool-0 of credit, with vCPU 0 running: the trace
    // credit-cpupool from 4.7001 s on, without the records of how much and without other domains'.
    const real = [
      'TRC_SCHED_SLEEP d3v0',
      'TRC_CSCHED2_SCHEDULE',
      'TRC_CSCHED2_CREDIT_BURN d3v0',
      'TRC_SCHED_SWITCH_INFPREV d3v0',
      'TRC_SCHED_SWITCH_INFNEXT',
      'TRC_SCHED_SWITCH d3v0',
      'TRC_SCHED_RUNSTATE_CHANGE_running_offline d3v0',
      'TRC_CSCHED2_UPDATE_UNIT_LOAD d3v0',
      'TRC_SCHED_SLEEP d3v1',
      'TRC_CSCHED_PICKED_CPU d3v0',
      'TRC_CSCHED_PICKED_CPU d3v1',
      'TRC_SCHED_WAKE d3v0',
      'TRC_SCHED_RUNSTATE_CHANGE_offline_runnable d3v0',
    ];
    const base = scenarioOf([[], [], [hog, idle]]);
    const run = runOf([], {
      pcpus: 4,
      xen: '4.17',
      cpupools: [{ name: 'p2', scheduler: 'credit2', pcpus: [3] }],
      domains: inPool(base, 3, 'p2').slice(2),
      actions: [[55, { kind: 'cpupool-migrate', dom: 3, cpupool: 'Pool-0' }]],
    });
    const skipped = /RUNQ|UPDATE_LOAD|TICKLE/;
    const simulated = run.records
      .filter(({ tNs }) => tNs === 55 * MS)
      .map((record) => brief(record))
      .filter((text) => !skipped.test(text) && !text.includes('d32767'));
    expect(simulated.slice(0, real.length)).toEqual(real);
  });

  test.each(SCHEDULERS)('pCPUs leave and come back while they run: %s', (scheduler) => {
    const actions: Timed[] = [
      [20, { kind: 'cpupool-cpu-remove', cpupool: 'Pool-0', pcpus: [1, 2] }],
      [60, { kind: 'cpupool-cpu-add', cpupool: 'Pool-0', pcpus: [1, 2] }],
    ];
    const run = runOf(
      [
        [hog, hog, hog],
        [hog, hog],
      ],
      { pcpus: 3, scheduler, actions },
    );
    expect(run.refusals).toEqual([]);
    for (const { tNs, pcpu, dom } of run.switches) {
      if (tNs > 20 * MS && tNs < 60 * MS && pcpu !== 0) expect(dom).toBe(DOMID_IDLE);
    }
    const busy = (pcpu: number, fromMs: number, toMs: number) => {
      const own = run.switches.filter((s) => s.pcpu === pcpu);
      return own.some(({ tNs, dom }) => dom !== DOMID_IDLE && tNs >= fromMs * MS && tNs < toMs * MS);
    };
    if (scheduler !== 'arinc653') expect(busy(1, 60, 100) && busy(2, 60, 100)).toBe(true);
  });

  test.each(['4.6', '4.6-rfc', '4.7', '4.8'])(
    'RTDS of Xen %s gives a pCPU away, which is quiet then',
    (xen) => {
      const actions: Timed[] = [[20, { kind: 'cpupool-cpu-remove', cpupool: 'Pool-0', pcpus: [1] }]];
      const run = runOf([[hog], [hog]], { xen, pcpus: 2, scheduler: 'rtds', actions });
      expect(run.refusals).toEqual([]);
      expect(run.records.filter(({ tNs, pcpu }) => tNs > 20 * MS && pcpu === 1)).toEqual([]);
      expect(run.switches.some(({ tNs, dom }) => tNs > 40 * MS && dom === 1)).toBe(true);
      expect(run.switches.some(({ tNs, dom }) => tNs > 40 * MS && dom === 2)).toBe(true);
    },
  );

  test('are made of pCPUs that another one gave up, and end when nobody is in them', () => {
    const actions: Timed[] = [
      [10, { kind: 'cpupool-create', cpupool: 'p2', scheduler: 'credit2', pcpus: [3] }],
      [11, { kind: 'cpupool-cpu-remove', cpupool: 'Pool-0', pcpus: [3] }],
      [12, { kind: 'cpupool-create', cpupool: 'p2', scheduler: 'credit2', pcpus: [3] }],
      [20, { kind: 'create', dom: 2 }],
      [30, { kind: 'cpupool-cpu-remove', cpupool: 'p2', pcpus: [3] }],
      [31, { kind: 'cpupool-destroy', cpupool: 'p2' }],
      [40, { kind: 'cpupool-migrate', dom: 2, cpupool: 'Pool-0' }],
      [50, { kind: 'cpupool-destroy', cpupool: 'p2' }],
      [60, { kind: 'cpupool-cpu-add', cpupool: 'Pool-0', pcpus: [3] }],
      [61, { kind: 'cpupool-cpu-remove', cpupool: 'Pool-0', pcpus: [0] }],
    ];
    const base = scenarioOf([[hog, hog, hog, hog], [hog]]);
    const run = runOf([], { pcpus: 4, domains: inPool(base, 2, 'p2'), actions });
    expect(run.refusals).toEqual([
      'cpupool-create: pCPU 3 is in a cpupool',
      'cpupool-cpu-remove: pCPU 3 is the last one of p2, which has domains',
      'cpupool-destroy: there are domains in p2',
      'cpupool-cpu-remove: pCPU 0 stays in Pool-0',
    ]);
    const onThree = run.switches.filter(({ pcpu, tNs }) => pcpu === 3 && tNs > 20 * MS && tNs < 40 * MS);
    expect(onThree.every(({ dom }) => dom === 2 || dom === DOMID_IDLE)).toBe(true);
    expect(run.records.some(({ pcpu, name }) => pcpu === 3 && name === 'TRC_CSCHED2_SCHEDULE')).toBe(true);
    expect(run.records.some(({ pcpu, name }) => pcpu === 0 && name === 'TRC_CSCHED2_RUNQ_ASSIGN')).toBe(true);
    expect(run.switches.some(({ pcpu, tNs, dom }) => pcpu === 3 && tNs >= 60 * MS && dom === 1)).toBe(true);
  });

  test('a vCPU whose cap holds it back when it leaves credit2 never runs again, as in Xen', () => {
    const domains = scenarioOf([[hog]]).domains.map((domain) => ({ ...domain, cap: 10 }));
    const cpupools = [{ name: 'other', scheduler: 'credit' as const, pcpus: [1] }];
    const moveAt = (atMs: number) => {
      const actions: Timed[] = [[atMs, { kind: 'cpupool-migrate', dom: 1, cpupool: 'other' }]];
      return shareOf(runOf([], { pcpus: 2, scheduler: 'credit2', cpupools, domains, actions }), 1) / MS;
    };
    // It runs for 1 ms in 10, and is held back at 35 ms, but not before its budget begins to count.
    expect(moveAt(35)).toBeLessThan(6);
    expect(moveAt(30.5)).toBeGreaterThan(70);
  });

  test('affinities that the pool can no longer keep are broken', () => {
    const pinned = vcpuOf({ kind: 'hog', offsetNs: 0 }, { hardAffinity: [1] });
    const actions: Timed[] = [[50, { kind: 'cpupool-cpu-remove', cpupool: 'Pool-0', pcpus: [1] }]];
    const run = runOf([[pinned]], { pcpus: 2, actions });
    expect(run.switches.filter(({ dom }) => dom === 1).map(({ pcpu }) => pcpu)).toEqual([1, 0]);
    expect(shareOf(run, 1)).toBe(100 * MS);
  });
});
