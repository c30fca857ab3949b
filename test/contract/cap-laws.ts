import type { DomainSpec, Scenario } from '../../src/scenario/scenario.ts';
import { hasGroups, type Law } from './law.ts';
import type { Checker, Host } from './observe.ts';

const capsOf = ({ domains }: Scenario) => domains.filter(({ cap }) => cap !== undefined && cap > 0);
const ranNs = ({ vcpus }: Host, { id }: DomainSpec) =>
  vcpus.reduce((sum, { dom, runNs }) => sum + (dom === id ? runNs : 0), 0);

const tsliceMsOf = ({ params }: Scenario) => Number(params.sched_credit_tslice_ms ?? 30);

const creditCap: Law = {
  name: 'a capped domain of hogs gets little more than its cap (credit, bcredit)',
  whyNot(scenario) {
    if (scenario.scheduler !== 'credit' && scenario.scheduler !== 'bcredit')
      return 'of credit and bcredit only';
    if (scenario.domains.some(({ boostRatio }) => boostRatio !== undefined))
      return 'bcredit: boost credit is not capped';
    if (scenario.host.timerJitterNs > 0) return 'credit: ticks are late, too';
    if (hasGroups(scenario)) return 'scheduling domains: a cap is for all that share it';
    // Credits are whole numbers, 10 to the millisecond, and what is owed beyond one time slice is forgotten.
    if (tsliceMsOf(scenario) < 10) return 'credit: short time slices round caps up';
    return capsOf(scenario).length === 0 ? 'no caps' : undefined;
  },
  create: (scenario) => ({
    end({ host }) {
      const tsliceMs = tsliceMsOf(scenario);
      for (const domain of capsOf(scenario)) {
        // Who is not running when a tick comes pays nothing (theft of service).
        if (domain.vcpus.some(({ workload }) => workload.kind !== 'hog')) continue;
        const ran = ranNs(host, domain);
        // Parking happens at accounting, for each vCPU by itself: two time slices are overrun at the start.
        const mostNs = (domain.cap! / 100) * scenario.durationNs + domain.vcpus.length * 2 * tsliceMs * 1e6;
        if (ran > mostNs) return `d${domain.id} ran ${ran} ns with a cap of ${domain.cap} %`;
      }
      return undefined;
    },
  }),
};

const credit2Cap: Law = {
  name: 'a capped domain gets its budget and no more (credit2)',
  whyNot(scenario) {
    if (scenario.scheduler !== 'credit2') return 'of credit2 only';
    return capsOf(scenario).length === 0 ? 'no caps' : undefined;
  },
  create(scenario): Checker {
    const { params, host } = scenario;
    const periodNs = Number(params.credit2_cap_period_ms ?? 10) * 1e6;
    const minimumNs = Math.max(500_000, Number(params.sched_ratelimit_us ?? 1000) * 1000);
    // By domain: the lowest of what it ran less its budget up to the end of some period.
    const lowest = new Map<DomainSpec, number>();
    return {
      rest(seen, nowNs) {
        for (const domain of capsOf(scenario)) {
          const budgetNs = (domain.cap! / 100) * periodNs;
          const overNs = ranNs(seen, domain) - Math.floor(nowNs / periodNs) * budgetNs;
          const low = Math.min(lowest.get(domain) ?? 0, overNs);
          lowest.set(domain, low);
          // A period's budget is at hand, and as much may be with vCPUs that run; each may overrun once.
          const mostNs = 2 * budgetNs + domain.vcpus.length * (minimumNs + host.timerJitterNs);
          if (overNs - low > mostNs) return `d${domain.id} is ${overNs - low} ns beyond its budget`;
        }
        return undefined;
      },
    };
  },
};

export const capLaws: readonly Law[] = [creditCap, credit2Cap];
