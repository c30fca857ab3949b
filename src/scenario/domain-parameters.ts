import type {
  Arinc653Table,
  DomainSpec,
  Scenario,
  SchedulerName,
  ServerParameters,
  VcpuSpec,
} from './scenario.ts';

/** A vCPU may run for its budget in each period. */
export interface PromisedServer {
  readonly budgetNs: number;
  readonly periodNs: number;
}

/** What one vCPU was promised, where it is not what its domain was. */
export interface PromisedVcpu {
  /** pCPUs that it may run on (hard affinity), ascending; undefined: all. */
  readonly pcpus?: readonly number[];
  readonly reservation?: PromisedServer;
}

/** What a domain was promised. It is made to be given to an analysis. */
export interface PromisedDomain extends PromisedVcpu {
  readonly name?: string;
  readonly weight?: number;
  /** In percent of one pCPU; 0: none. */
  readonly cap?: number;
  /** By number of the vCPU. */
  readonly vcpus?: ReadonlyMap<number, PromisedVcpu>;
}

/** RTDS_DEFAULT_PERIOD and RTDS_DEFAULT_BUDGET, which are those of RT-Xen as well. */
const SERVER_DEFAULT: PromisedServer = { budgetNs: 4_000_000, periodNs: 10_000_000 };

/** CSCHED_DEFAULT_WEIGHT and CSCHED2_DEFAULT_WEIGHT, which domains have that are given none. */
const WEIGHT_DEFAULT = 256;
const WITH_WEIGHTS: ReadonlySet<SchedulerName> = new Set(['credit', 'credit2', 'bcredit']);

/** What a scenario promises its domains at first, by domain id. */
export function scenarioDomainParameters(scenario: Scenario): Map<number, PromisedDomain> {
  const schedulerOf = (pool: string | undefined) => {
    return scenario.cpupools?.find(({ name }) => name === pool)?.scheduler ?? scenario.scheduler;
  };
  return new Map(
    scenario.domains.map((spec) => {
      const { id, name, cap, cpupool, vcpus } = spec;
      const scheduler = schedulerOf(cpupool);
      const weight = spec.weight ?? (WITH_WEIGHTS.has(scheduler) ? WEIGHT_DEFAULT : undefined);
      const promised = vcpus.map((vcpu, number) => {
        const reservation = reservationOf(spec, vcpu, number, scheduler, scenario.arinc653);
        return {
          ...(vcpu.hardAffinity && { pcpus: vcpu.hardAffinity }),
          ...(reservation && { reservation }),
        };
      });
      const areSame = promised.every((one) => JSON.stringify(one) === JSON.stringify(promised[0]));
      const domain: PromisedDomain = {
        name,
        ...(weight !== undefined && { weight }),
        ...(cap !== undefined && { cap }),
        ...(areSame ? promised[0] : { vcpus: new Map(promised.entries()) }),
      };
      return [id, domain];
    }),
  );
}

/** What the scheduler reserves for a vCPU: a server, a slice of SEDF, its slots in a table of ARINC653. */
function reservationOf(
  { id, sedf }: DomainSpec,
  { rtds, server }: VcpuSpec,
  number: number,
  scheduler: SchedulerName,
  table: Arinc653Table | undefined,
): PromisedServer | undefined {
  switch (scheduler) {
    case 'rtds':
      return serverOf(rtds ?? server);
    case 'rtxen':
    case 'rtglobal':
    case 'rtpartition':
      return serverOf(server ?? rtds);
    case 'sedf': {
      // With a weight, slices are divided among the domains that have one; without a slice nothing is promised.
      if (sedf === undefined || sedf.weight > 0 || !(sedf.sliceNs > 0 && sedf.periodNs > 0)) return undefined;
      return { budgetNs: sedf.sliceNs, periodNs: sedf.periodNs };
    }
    case 'arinc653': {
      const slots = table?.entries.filter(({ dom, vcpu }) => dom === id && vcpu === number) ?? [];
      if (table === undefined || slots.length === 0) return undefined;
      return {
        budgetNs: slots.reduce((sum, { runtimeNs }) => sum + runtimeNs, 0),
        periodNs: table.majorFrameNs,
      };
    }
    default:
      return undefined;
  }
}

function serverOf(given: ServerParameters | undefined): PromisedServer {
  const { budgetUs, periodUs } = given ?? {};
  return {
    budgetNs: budgetUs === undefined ? SERVER_DEFAULT.budgetNs : budgetUs * 1000,
    periodNs: periodUs === undefined ? SERVER_DEFAULT.periodNs : periodUs * 1000,
  };
}
