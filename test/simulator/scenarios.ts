import { Prng } from '../../src/base/prng.ts';
import type {
  DomainSpec,
  Duration,
  Host,
  Scenario,
  VcpuSpec,
  Workload,
} from '../../src/scenario/scenario.ts';

/** A host with the defaults of the reference machine. */
export function hostOf(given: Partial<Host> = {}): Host {
  const { pcpus = 1 } = given;
  return {
    pcpus,
    sockets: 1,
    coresPerSocket: pcpus,
    threadsPerCore: 1,
    nodes: 1,
    tscHz: 1e9,
    tscBase: 1_000_000_000n,
    tscSkewTicks: [],
    contextSwitchNs: 0,
    timerJitterNs: 0,
    jitterSeed: 0,
    timerBatch: true,
    randomSeed: 0,
    ...given,
  };
}

export function fixed(ns: number): Duration {
  return { kind: 'fixed', ns };
}

export function vcpuOf(workload: Workload, given: Partial<VcpuSpec> = {}): VcpuSpec {
  return {
    workload,
    yieldEveryNs: 0,
    hardAffinity: undefined,
    softAffinity: undefined,
    rtds: undefined,
    ...given,
  };
}

/** A scenario of one second; each list is a domain, numbered from 1. */
export function scenarioOf(vcpus: readonly (readonly VcpuSpec[])[], given: Partial<Scenario> = {}): Scenario {
  const durationNs = given.durationNs ?? 1_000_000_000;
  return {
    name: 'test',
    description: '',
    xen: 'head',
    scheduler: 'credit',
    params: {},
    durationNs,
    host: hostOf(),
    trace: { eventMask: 0x0002f000, flushNs: 100_000_000, endNs: durationNs },
    domains: vcpus.map(
      (list, i): DomainSpec => ({
        id: i + 1,
        name: `d${i + 1}`,
        weight: undefined,
        cap: undefined,
        vcpus: list,
      }),
    ),
    seed: 1,
    ...given,
  };
}

/** What a random scenario may contain. */
export interface Features {
  readonly caps: boolean;
  readonly affinity: boolean;
  readonly yields: boolean;
  readonly xen: string;
}

/** A scenario drawn at random: the same for the same seed. */
export function randomScenario(seed: number, features: Features): Scenario {
  const prng = Prng.fromSeed(seed);
  const pick = <T>(choices: readonly T[]): T => choices[prng.below(choices.length)]!;
  const sockets = pick([1, 1, 2]);
  const threadsPerCore = pick([1, 1, 2]);
  const coresPerSocket = pick([1, 2, 4]);
  const pcpus = sockets * threadsPerCore * coresPerSocket;
  const someNs = (low: number, high: number) => prng.uniformNs(low, high);
  const duration = (low: number, high: number): Duration => {
    const ns = someNs(low, high);
    return pick<Duration>([
      { kind: 'fixed', ns },
      { kind: 'uniform', minNs: low, maxNs: ns },
      { kind: 'exponential', meanNs: ns },
    ]);
  };
  const workload = (): Workload => {
    const offsetNs = prng.below(2) === 0 ? 0 : someNs(0, 40_000_000);
    const periodNs = someNs(2_000_000, 30_000_000);
    return pick<() => Workload>([
      () => ({ kind: 'hog', offsetNs }),
      () => ({ kind: 'duty', run: duration(50_000, 5e6), sleep: duration(50_000, 5e6), offsetNs }),
      () => ({ kind: 'periodic', periodNs, burst: duration(100_000, 5e6), deadlineNs: periodNs, offsetNs }),
      () => {
        const deadlineNs = someNs(1_000_000, 20_000_000);
        return {
          kind: 'sporadic',
          interarrival: duration(500_000, 2e7),
          burst: duration(50_000, 3e6),
          deadlineNs,
          offsetNs,
        };
      },
      () => ({ kind: 'once', run: duration(1_000_000, 5e7), offsetNs }),
      () => ({ kind: 'dodge', periodNs: 10_000_000, guardNs: someNs(50_000, 500_000), offsetNs }),
    ])();
  };
  const somePcpus = () => {
    const list = Array.from({ length: pcpus }, (_, pcpu) => pcpu).filter(() => prng.below(2) === 0);
    return list.length > 0 ? list : [prng.below(pcpus)];
  };
  const vcpu = (): VcpuSpec =>
    vcpuOf(workload(), {
      yieldEveryNs: features.yields && prng.below(4) === 0 ? someNs(100_000, 3_000_000) : 0,
      hardAffinity: features.affinity && prng.below(3) === 0 ? somePcpus() : undefined,
      softAffinity: features.affinity && prng.below(3) === 0 ? somePcpus() : undefined,
    });
  const domains = Array.from({ length: 1 + prng.below(4) }, (_, i): DomainSpec => {
    const cap = features.caps && prng.below(3) === 0 ? pick([10, 25, 50, 150]) : undefined;
    const weight = prng.below(2) === 0 ? pick([64, 256, 512, 1024]) : undefined;
    return {
      id: i + 1,
      name: `d${i + 1}`,
      weight,
      cap,
      vcpus: Array.from({ length: 1 + prng.below(5) }, vcpu),
    };
  });
  const host = hostOf({ pcpus, sockets, coresPerSocket, threadsPerCore, nodes: pick([1, sockets]) });
  return scenarioOf([], { xen: features.xen, durationNs: 500_000_000, host, domains, seed });
}
