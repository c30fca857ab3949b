import { Prng } from '../../src/base/prng.ts';
import { BOOT_PARAMETERS, whyNotRead } from '../../src/scenario/boot-parameters.ts';
import type {
  Arinc653Table,
  DomainSpec,
  Duration,
  Host,
  RtdsParameters,
  Scenario,
  SchedulerName,
  SedfParameters,
  ServerParameters,
  VcpuSpec,
  Workload,
} from '../../src/scenario/scenario.ts';
import { PRIORITY_SCHEMES, SERVER_KINDS } from '../../src/scenario/server-words.ts';
import { isSinceXen, XEN_SERIES, type XenSeries } from '../../src/scenario/xen-versions.ts';
import { isModelled, type SchedulerEntry } from '../../src/simulator/index.ts';
import { hostOf, scenarioOf, vcpuOf } from '../simulator/scenarios.ts';

/** What a seed may switch on; the more is off, the deeper the rest is looked at. */
export const FEATURES = [
  'conserving',
  'many-pcpus',
  'threads',
  'sockets',
  'weights',
  'extreme-weights',
  'caps',
  'hard-affinity',
  'soft-affinity',
  'yields',
  'jobs',
  'hogs-only',
  'few-vcpus',
  'switch-cost',
  'late-timers',
  'single-timers',
  'boot-parameters',
  'extratime',
  'dom0',
  'table-changes',
  'fast-tsc',
  'random-durations',
] as const;
export type Feature = (typeof FEATURES)[number];

const WEIGHING: readonly SchedulerName[] = ['credit', 'credit2', 'bcredit'];
const CREDITS: readonly SchedulerName[] = ['credit', 'bcredit'];
const LAX = ['hard-affinity', 'soft-affinity', 'caps'] as const satisfies readonly Feature[];

/** A scenario drawn at random for a scheduler: the same for the same seed. */
export interface Drawn {
  readonly seed: number;
  readonly features: ReadonlySet<Feature>;
  readonly scenario: Scenario;
}

/** A small language for drawing. */
class Draw {
  readonly #prng: Prng;
  readonly features: ReadonlySet<Feature>;

  constructor(prng: Prng) {
    this.#prng = prng;
    const density = prng.below(4);
    const features = new Set<Feature>(FEATURES.filter(() => prng.below(5) < density));
    // What a scheduler cannot have if it is to leave no pCPU idle while somebody waits.
    if (features.has('conserving')) for (const feature of LAX) features.delete(feature);
    this.features = features;
  }

  has(feature: Feature): boolean {
    return this.features.has(feature);
  }

  below(count: number): number {
    return this.#prng.below(count);
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.#prng.below(choices.length)]!;
  }

  once(of: number): boolean {
    return this.#prng.below(of) === 0;
  }

  ns(low: number, high: number): number {
    return this.#prng.uniformNs(low, high);
  }

  duration(low: number, high: number): Duration {
    const ns = this.ns(low, high);
    if (!this.has('random-durations')) return { kind: 'fixed', ns };
    return this.pick<Duration>([
      { kind: 'fixed', ns },
      { kind: 'uniform', minNs: low, maxNs: ns },
      { kind: 'exponential', meanNs: ns },
    ]);
  }
}

export function drawScenario(entry: SchedulerEntry, seed: number): Drawn {
  const draw = new Draw(Prng.fromSeed(seed).fork(`contract/${entry.name}`));
  const scheduler = entry.name;
  const versions = XEN_SERIES.filter((series) => isModelled(entry, series));
  // Half of the runs are of the newest version.
  const drawn = draw.once(2) ? versions.at(-1)! : draw.pick(versions);
  const conserving = versions.filter((series) => !isSinceXen(series, '4.18'));
  const xen = scheduler === 'credit' && draw.has('conserving') ? draw.pick(conserving) : drawn;
  const host = drawHost(draw, seed);
  const domains = drawDomains(draw, host, scheduler, xen);
  // Until 4.6 RTDS polls every microsecond on idle pCPUs, in fact if timers are late.
  const polls = scheduler === 'rtds' && !isSinceXen(xen, '4.7') && host.timerJitterNs > 0;
  const durationNs = polls ? 50_000_000 : host.pcpus > 8 ? 200_000_000 : 400_000_000;
  const scenario = scenarioOf([], {
    name: `contract-${scheduler}-${seed}`,
    xen,
    scheduler,
    params: knownParameters(drawParameters(draw, scheduler), scheduler, xen),
    durationNs,
    host,
    trace: { eventMask: 0x0002f000, flushNs: 50_000_000, endNs: durationNs },
    domains,
    seed,
  });
  return {
    seed,
    features: draw.features,
    scenario: finish(draw, scenario),
  };
}

/** What concerns several domains. */
function finish(draw: Draw, scenario: Scenario): Scenario {
  if (scenario.scheduler === 'arinc653') return withTables(draw, scenario);
  if (scenario.scheduler !== 'credit' || draw.has('conserving') || !draw.once(4)) return scenario;
  const [master, ...others] = scenario.domains;
  const domains = others.map((one) => (draw.once(2) ? one : { ...one, schedulingDomain: master!.id }));
  return { ...scenario, domains: [master!, ...domains] };
}

function drawHost(draw: Draw, seed: number): Host {
  const sockets = draw.has('sockets') ? 2 : 1;
  const threadsPerCore = draw.has('threads') ? 2 : 1;
  const coresPerSocket = draw.has('many-pcpus') ? draw.pick([2, 3, 4]) : draw.pick([1, 1, 2]);
  return hostOf({
    pcpus: sockets * threadsPerCore * coresPerSocket,
    sockets,
    coresPerSocket,
    threadsPerCore,
    nodes: draw.pick([1, sockets]),
    tscHz: draw.has('fast-tsc') ? draw.pick([2_400_000_000, 3_000_000_000]) : 1_000_000_000,
    contextSwitchNs: draw.has('switch-cost') ? draw.pick([1_000, 5_000, 20_000]) : 0,
    timerJitterNs: draw.has('late-timers') ? draw.pick([1_000, 50_000]) : 0,
    jitterSeed: seed,
    timerBatch: !draw.has('single-timers'),
  });
}

function drawDomains(draw: Draw, host: Host, scheduler: SchedulerName, xen: XenSeries): DomainSpec[] {
  // Without extratime a vCPU needs parameters; before 4.10 there is none.
  const hasExtratime = isSinceXen(xen, '4.10');
  const hasSoft = !CREDITS.includes(scheduler) || isSinceXen(xen, '4.5');
  const somePcpus = () => {
    const list = Array.from({ length: host.pcpus }, (_, pcpu) => pcpu).filter(() => draw.once(2));
    return list.length > 0 ? list : [draw.below(host.pcpus)];
  };
  const isLavish = draw.has('extratime') || draw.has('conserving');
  const rtds = (): RtdsParameters | undefined => {
    if (scheduler !== 'rtds' || (hasExtratime && draw.has('extratime') && draw.once(3))) return undefined;
    const periodUs = draw.pick([500, 1_000, 2_500, 5_000, 10_000, 20_000, 33_333]);
    const budgetUs = Math.max(100, Math.floor((periodUs * draw.pick([5, 10, 20, 40, 70, 100])) / 100));
    return { periodUs, budgetUs, extratime: hasExtratime && isLavish };
  };
  const isRtXen = scheduler === 'rtxen' || scheduler === 'rtglobal' || scheduler === 'rtpartition';
  const vcpu = (): VcpuSpec =>
    vcpuOf(drawWorkload(draw), {
      yieldEveryNs: draw.has('yields') && draw.once(3) ? draw.ns(100_000, 3_000_000) : 0,
      hardAffinity: draw.has('hard-affinity') && draw.once(2) ? somePcpus() : undefined,
      softAffinity: draw.has('soft-affinity') && hasSoft && draw.once(2) ? somePcpus() : undefined,
      rtds: rtds(),
      ...(isRtXen && draw.once(3) === false && { server: drawServer(draw, scheduler) }),
    });
  const capped = draw.has('caps') && WEIGHING.includes(scheduler);
  const weights = draw.has('extreme-weights') ? [1, 16, 256, 65_535] : [64, 256, 512, 1024];
  const firstId = draw.has('dom0') ? 0 : 1;
  return Array.from({ length: 1 + draw.below(draw.has('few-vcpus') ? 2 : 4) }, (_, i) => {
    const vcpus = Array.from({ length: 1 + draw.below(draw.has('few-vcpus') ? 2 : 5) }, vcpu);
    const cap = capped && draw.once(2) ? draw.pick([5, 10, 25, 50, 100, 150]) : undefined;
    const hasWeights = draw.has('weights') && WEIGHING.includes(scheduler);
    return {
      id: firstId + i,
      name: `d${firstId + i}`,
      weight: hasWeights && draw.once(2) ? draw.pick(weights) : undefined,
      cap: cap === undefined ? undefined : Math.min(cap, 100 * vcpus.length),
      ...(scheduler === 'sedf' && { sedf: drawSedf(draw) }),
      ...(isRtXen && scheduler !== 'rtxen' && draw.has('extratime') && { extratime: draw.once(2) }),
      ...(scheduler === 'bcredit' && drawBoost(draw)),
      vcpus,
    };
  });
}

/** Slices of a period, or by weight, or extra time only by weight; undefined: the default. */
function drawSedf(draw: Draw): SedfParameters | undefined {
  if (draw.once(4)) return undefined;
  const weight = draw.has('weights') && draw.once(2) ? draw.pick([1, 2, 3, 7, 300]) : 0;
  const periodNs = draw.pick([500_000, 1_000_000, 2_500_000, 5_000_000, 20_000_000, 33_333_333, 100_000_000]);
  const sliceNs = Math.floor((periodNs * draw.pick([1, 5, 10, 20, 40, 100])) / 100);
  const extratime = draw.has('extratime') || draw.once(4);
  const timed = weight === 0 || draw.once(2) ? { periodNs, sliceNs } : { periodNs: 0, sliceNs: 0 };
  return { ...timed, latencyNs: draw.pick([0, 1_000_000]), extratime, weight };
}

/** RT-Xen 2.0 has whole milliseconds only, and neither priorities nor kinds of servers. */
function drawServer(draw: Draw, scheduler: SchedulerName): ServerParameters {
  if (scheduler !== 'rtxen') {
    const periodMs = draw.pick([2, 5, 10, 20, 33]);
    return { periodUs: periodMs * 1000, budgetUs: (1 + draw.below(periodMs)) * 1000 };
  }
  const periodUs = draw.pick([500, 1_000, 2_500, 5_000, 10_000, 20_000, 33_333]);
  const budgetUs = Math.max(100, Math.floor((periodUs * draw.pick([5, 10, 20, 40, 70, 100])) / 100));
  const priority = draw.once(2) ? undefined : draw.below(3);
  return { periodUs, budgetUs, priority, serverKind: draw.once(2) ? undefined : draw.pick(SERVER_KINDS) };
}

/** Nothing, an upper bound of boost credit, or a ratio as well. */
function drawBoost(draw: Draw): Partial<DomainSpec> {
  if (draw.once(3)) return {};
  const maxBoostPeriodMs = draw.pick([30, 100, 500]);
  return draw.once(2) ? { maxBoostPeriodMs } : { maxBoostPeriodMs, boostRatio: draw.pick([10, 30, 80]) };
}

function drawWorkload(draw: Draw): Workload {
  const offsetNs = draw.once(2) ? 0 : draw.ns(0, 40_000_000);
  if (draw.has('hogs-only')) return { kind: 'hog', offsetNs };
  const periodNs = draw.ns(2_000_000, 30_000_000);
  const jobs: readonly (() => Workload)[] = [
    () => ({
      kind: 'periodic',
      periodNs,
      burst: draw.duration(100_000, 5e6),
      deadlineNs: periodNs,
      offsetNs,
    }),
    () => ({
      kind: 'sporadic',
      interarrival: draw.duration(500_000, 2e7),
      burst: draw.duration(50_000, 3e6),
      deadlineNs: draw.ns(1_000_000, 20_000_000),
      offsetNs,
    }),
  ];
  const others: readonly (() => Workload)[] = [
    () => ({ kind: 'hog', offsetNs }),
    () => ({ kind: 'duty', run: draw.duration(50_000, 5e6), sleep: draw.duration(50_000, 5e6), offsetNs }),
    () => ({ kind: 'duty', run: draw.duration(10_000, 5e5), sleep: draw.duration(10_000, 5e5), offsetNs }),
    () => ({ kind: 'once', run: draw.duration(1_000_000, 5e7), offsetNs }),
    () => ({ kind: 'dodge', periodNs: 10_000_000, guardNs: draw.ns(50_000, 500_000), offsetNs }),
    () => ({ kind: 'idle' }),
  ];
  return draw.pick(draw.has('jobs') ? jobs : [...others, ...others, ...jobs])();
}

/** Those that the scheduler of that version reads. */
function knownParameters(
  params: Scenario['params'],
  scheduler: SchedulerName,
  xen: XenSeries,
): Scenario['params'] {
  const known = BOOT_PARAMETERS.filter((parameter) => whyNotRead(parameter, scheduler, xen) === undefined);
  const names = known.map(({ name }) => name);
  return Object.fromEntries(Object.entries(params).filter(([name]) => names.includes(name)));
}

/** Boot parameters, each given in half of the cases. */
function drawParameters(draw: Draw, scheduler: SchedulerName): Scenario['params'] {
  const drawn = draw.has('boot-parameters') ? someParameters(draw, scheduler) : {};
  if (!draw.has('conserving')) return drawn;
  // Then budgets end when they are used up.
  if (scheduler === 'rtxen') return { ...drawn, rtxen_quantum_us: 0 };
  if (scheduler === 'credit') {
    return { ...drawn, vcpu_migration_delay: 0 };
  }
  if (scheduler !== 'credit2') return drawn;
  const one = { credit2_runqueue: 'all', sched_credit2_max_cpus_runqueue: 16 };
  return { ...drawn, ...one, sched_credit2_migrate_resist: 0, sched_smt_power_savings: false };
}

function someParameters(draw: Draw, scheduler: SchedulerName): Scenario['params'] {
  const credit = {
    sched_credit_tslice_ms: draw.pick([1, 2, 5, 10, 60]),
    sched_ratelimit_us: draw.pick([0, 100, 1000, 5000]),
    vcpu_migration_delay: draw.pick([0, 500, 5000]),
    tickle_one_idle_cpu: draw.once(2),
    sched_smt_power_savings: draw.once(2),
    'load-balance-ratelimit': draw.pick([0, 100, 10_000]),
  };
  const credit2 = {
    credit2_runqueue: draw.pick(['cpu', 'core', 'socket', 'node', 'all']),
    sched_ratelimit_us: draw.pick([0, 100, 1000, 5000]),
    sched_credit2_migrate_resist: draw.pick([0, 500, 3000]),
    sched_smt_power_savings: draw.once(2),
    credit2_cap_period_ms: draw.pick([1, 10, 20]),
    sched_credit2_max_cpus_runqueue: draw.pick([1, 3, 16]),
    credit2_load_precision_shift: draw.pick([4, 18, 32]),
    credit2_load_window_shift: draw.pick([20, 30, 40]),
  };
  const servers = {
    rtxen_server: draw.pick(SERVER_KINDS),
    rtxen_quantum_us: draw.pick([0, 0, 100, 1000]),
    rtxen_scheme: draw.pick(PRIORITY_SCHEMES),
    rtxen_periodic: draw.once(2),
  };
  const bcredit = { bcsched_tslice: draw.pick([0, 1, 5]) };
  const known: Partial<Record<SchedulerName, Scenario['params']>> = { credit, credit2, bcredit };
  const all: Readonly<Record<string, number | string | boolean>> =
    known[scheduler] ?? (scheduler.startsWith('rt') ? servers : {});
  return Object.fromEntries(Object.entries(all).filter(() => draw.once(2)));
}

/** Tables for ARINC653: one at the start mostly, others while it runs. */
function withTables(draw: Draw, scenario: Scenario): Scenario {
  const vcpus = scenario.domains.flatMap(({ id, vcpus }) => vcpus.map((_, vcpu) => ({ dom: id, vcpu })));
  const table = (): Arinc653Table => {
    const entries = Array.from({ length: 1 + draw.below(8) }, () => ({
      ...(draw.once(8) ? { dom: 77, vcpu: 0 } : draw.pick(vcpus)),
      runtimeNs: draw.ns(100_000, 10_000_000),
    }));
    const usedNs = entries.reduce((sum, { runtimeNs }) => sum + runtimeNs, 0);
    return { majorFrameNs: usedNs + (draw.once(2) ? 0 : draw.ns(1, 5_000_000)), entries };
  };
  const changes = draw.has('table-changes') ? 1 + draw.below(4) : 0;
  const actions = Array.from({ length: changes }, () => ({
    atNs: draw.ns(0, scenario.durationNs),
    arinc653: table(),
  }));
  return {
    ...scenario,
    arinc653: draw.once(10) ? undefined : table(),
    actions: actions.length === 0 ? undefined : actions.sort((a, b) => a.atNs - b.atNs),
  };
}
