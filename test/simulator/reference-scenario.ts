import { readFileSync } from 'node:fs';
import type {
  Action,
  Arinc653Table,
  Command,
  DomainSpec,
  Scenario,
  SedfParameters,
  VcpuSpec,
  Workload,
} from '../../src/scenario/scenario.ts';

/** A scenario file of the reference results, as far as the tests here need it. */
export interface ReferenceFile {
  name: string;
  sched: Scenario['scheduler'];
  duration_ns: number;
  pcpus: number;
  topology?: { sockets?: number; cores?: number; threads?: number; nodes?: number };
  params?: Record<string, number | string>;
  context_switch_ns?: number;
  timer_jitter_ns?: number;
  jitter_seed?: number;
  timer_batch?: number;
  timer_min_ns?: number;
  trace_end_ns?: number;
  flush_ns?: number;
  xmalloc_fill?: number;
  tsc_hz?: number;
  tsc_base?: number;
  cpupools?: Scenario['cpupools'];
  /** What the toolstack does, as the scenario language has it. */
  commands?: ({ at_ns: number; kind: Command['kind'] } & Record<string, unknown>)[];
  arinc653?: ReferenceTable;
  actions?: { at_ns: number; arinc653?: ReferenceTable; sedf?: ReferenceSedf & { dom: number } }[];
  domains: {
    id: number;
    weight?: number;
    cap?: number;
    sedf?: ReferenceSedf;
    max_boost_period?: number;
    boost_ratio?: number;
    cpupool?: string;
    vcpus: {
      workload: string;
      count?: number;
      offset_step_ns?: number;
      yield_every_ns?: number;
      hard?: number[];
      soft?: number[];
      rtds?: { period_us: number; budget_us: number; extratime?: boolean };
    }[];
  }[];
}

interface ReferenceTable {
  major_frame_ns: number;
  entries: { dom: number; vcpu: number; runtime_ns: number }[];
}

interface ReferenceSedf {
  period_ns: number;
  slice_ns: number;
  latency_ns: number;
  extratime: number;
  weight: number;
}

function sedfOf({ period_ns, slice_ns, latency_ns, extratime, weight }: ReferenceSedf): SedfParameters {
  return {
    periodNs: period_ns,
    sliceNs: slice_ns,
    latencyNs: latency_ns,
    extratime: extratime === 1,
    weight,
  };
}

function tableOf(table: ReferenceTable): Arinc653Table {
  const entries = table.entries.map(({ dom, vcpu, runtime_ns }) => ({ dom, vcpu, runtimeNs: runtime_ns }));
  return { majorFrameNs: table.major_frame_ns, entries };
}

/** Reads such a file by itself, so that these tests do not hang on the scenario language. */
export function readReferenceScenario(path: string, xen: string): Scenario {
  return referenceScenario(JSON.parse(readFileSync(path, 'utf8')) as ReferenceFile, xen);
}

export function referenceScenario(file: ReferenceFile, xen: string): Scenario {
  const { sockets = 1, threads = 1, nodes = 1 } = file.topology ?? {};
  return {
    name: file.name,
    description: '',
    xen,
    scheduler: file.sched,
    params: file.params ?? {},
    durationNs: file.duration_ns,
    host: {
      pcpus: file.pcpus,
      sockets,
      coresPerSocket: file.topology?.cores ?? file.pcpus / sockets / threads,
      threadsPerCore: threads,
      nodes,
      tscHz: file.tsc_hz ?? 1e9,
      tscBase: BigInt(file.tsc_base ?? 1e9),
      tscSkewTicks: [],
      contextSwitchNs: file.context_switch_ns ?? 0,
      timerJitterNs: file.timer_jitter_ns ?? 0,
      jitterSeed: file.jitter_seed ?? 0,
      timerMinNs: file.timer_min_ns,
      timerBatch: (file.timer_batch ?? 1) !== 0,
      randomSeed: 0,
      xmallocFill: file.xmalloc_fill,
    },
    trace: {
      eventMask: 0x0002f000,
      flushNs: file.flush_ns ?? 100_000_000,
      endNs: file.trace_end_ns ?? file.duration_ns,
    },
    domains: file.domains.map((domain): DomainSpec => {
      const { id, weight, cap, sedf, cpupool, vcpus } = domain;
      const { max_boost_period: maxBoostPeriodMs, boost_ratio: boostRatio } = domain;
      const parameters = { maxBoostPeriodMs, boostRatio, ...(sedf && { sedf: sedfOf(sedf) }) };
      return {
        id,
        name: `d${id}`,
        weight,
        cap,
        ...parameters,
        ...(cpupool && { cpupool }),
        vcpus: vcpus.flatMap(expand),
      };
    }),
    arinc653: file.arinc653 === undefined ? undefined : tableOf(file.arinc653),
    ...(file.cpupools && { cpupools: file.cpupools }),
    actions: actionsOf(file),
    seed: 0,
  };
}

/** Of one instant commands come first. */
function actionsOf({ commands, actions }: ReferenceFile): Action[] | undefined {
  if (commands === undefined) return actions?.map(actionOf);
  return [...commands.map(commandOf), ...(actions?.map(actionOf) ?? [])];
}

function actionOf({ at_ns: atNs, arinc653, sedf }: NonNullable<ReferenceFile['actions']>[number]): Action {
  if (sedf === undefined) return { atNs, arinc653: tableOf(arinc653!) };
  const { dom } = sedf;
  const text = `sedf of domain ${dom}`;
  return { atNs, command: { text, kind: 'sched-sedf', dom, sedf: sedfOf(sedf) } };
}

function commandOf({ at_ns: atNs, ...command }: NonNullable<ReferenceFile['commands']>[number]): Action {
  return { atNs, command: { text: command.kind, ...command } as unknown as Command };
}

function expand(vcpu: ReferenceFile['domains'][number]['vcpus'][number]): VcpuSpec[] {
  const { count = 1, offset_step_ns = 0, yield_every_ns = 0, hard, soft, rtds } = vcpu;
  return Array.from({ length: count }, (_, i) => ({
    workload: workloadOf(vcpu.workload, i * offset_step_ns),
    yieldEveryNs: yield_every_ns,
    hardAffinity: hard,
    softAffinity: soft,
    rtds:
      rtds === undefined
        ? undefined
        : { periodUs: rtds.period_us, budgetUs: rtds.budget_us, extratime: rtds.extratime ?? false },
  }));
}

function workloadOf(text: string, laterNs: number): Workload {
  const [kind, ...numbers] = text.split(' ');
  const [a = 0, b = 0, c = 0] = numbers.map(Number);
  const fixed = (ns: number) => ({ kind: 'fixed', ns }) as const;
  switch (kind) {
    case 'hog':
      return { kind, offsetNs: a + laterNs };
    case 'duty':
      return { kind, run: fixed(a), sleep: fixed(b), offsetNs: c + laterNs };
    case 'periodic':
      return { kind, periodNs: a, burst: fixed(b), deadlineNs: a, offsetNs: c + laterNs };
    case 'once':
      return { kind, run: fixed(a), offsetNs: b + laterNs };
    case 'dodge':
      return { kind, periodNs: a, guardNs: b, offsetNs: c + laterNs };
    case 'idle':
      return { kind };
    default:
      throw new Error(`unknown workload ${text}`);
  }
}
