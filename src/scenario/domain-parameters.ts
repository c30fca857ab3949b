import type { Scenario, VcpuSpec } from './scenario.ts';

/** RTDS: a vCPU may run for its budget in each period. */
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

/** RTDS_DEFAULT_PERIOD and RTDS_DEFAULT_BUDGET. */
const SERVER_DEFAULT: PromisedServer = { budgetNs: 4_000_000, periodNs: 10_000_000 };

/** What a scenario promises its domains, by domain id. */
export function scenarioDomainParameters(scenario: Scenario): Map<number, PromisedDomain> {
  const schedulerOf = (pool: string | undefined) => {
    return scenario.cpupools?.find(({ name }) => name === pool)?.scheduler ?? scenario.scheduler;
  };
  return new Map(
    scenario.domains.map(({ id, name, weight, cap, cpupool, vcpus }) => {
      const isRtds = schedulerOf(cpupool) === 'rtds';
      const promised = vcpus.map((vcpu) => promisedTo(vcpu, isRtds));
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

function promisedTo({ hardAffinity, rtds }: VcpuSpec, isRtds: boolean): PromisedVcpu {
  const given = rtds && { budgetNs: rtds.budgetUs * 1000, periodNs: rtds.periodUs * 1000 };
  return {
    ...(hardAffinity && { pcpus: hardAffinity }),
    ...(isRtds && { reservation: given ?? SERVER_DEFAULT }),
  };
}
