import type { Scenario } from '../../src/scenario/scenario.ts';
import { hasAffinity, type Law, specOf } from './law.ts';
import { type Checker, type Host, RUNNING, type SeenVcpu } from './observe.ts';

const PARTITIONED = ['rtxen', 'rtpartition'];

const ownPcpu: Law = {
  name: 'a partitioned server of RT-Xen stays on its pCPU',
  whyNot(scenario) {
    if (!PARTITIONED.includes(scenario.scheduler)) return 'of the partitioned schedulers of RT-Xen only';
    return hasAffinity(scenario) ? 'a new affinity may move it' : undefined;
  },
  create(): Checker {
    const home = new Map<SeenVcpu, number>();
    return {
      switched(_host: Host, _tNs: number, pcpu: number, next: SeenVcpu | undefined) {
        if (next === undefined) return undefined;
        const before = home.get(next) ?? pcpu;
        home.set(next, pcpu);
        return before === pcpu ? undefined : `${next.name} was on pCPU ${before}, enters ${pcpu}`;
      },
    };
  },
};

/** Period and budget, where they come at the start of each period. */
function serverOf(scenario: Scenario, vcpu: SeenVcpu): { periodNs: number; budgetNs: number } | undefined {
  const { server } = specOf(scenario, vcpu);
  const kind = server?.serverKind ?? scenario.params.rtxen_server;
  if (kind === 'sporadic') return undefined;
  return { periodNs: (server?.periodUs ?? 10_000) * 1000, budgetNs: (server?.budgetUs ?? 4_000) * 1000 };
}

const budget: Law = {
  name: 'a server of RT-Xen 1.0 runs no longer than its budget in each of its periods',
  whyNot({ scheduler, params, host }) {
    if (scheduler !== 'rtxen') return 'of RT-Xen 1.0 only';
    if (params.rtxen_quantum_us !== 0) return 'RT-Xen: the end of a budget is seen at the end of a quantum';
    return host.timerJitterNs > 0 ? 'RT-Xen: late timers' : undefined;
  },
  create(scenario): Checker {
    const ran = new Map<SeenVcpu, { period: number; ns: number }>();
    return {
      rest({ vcpus }, nowNs, untilNs) {
        for (const vcpu of vcpus) {
          const server = vcpu.state === RUNNING ? serverOf(scenario, vcpu) : undefined;
          if (server === undefined) continue;
          const { periodNs, budgetNs } = server;
          for (let from = nowNs, to: number; from < untilNs; from = to) {
            const period = Math.floor(from / periodNs);
            to = Math.min(untilNs, (period + 1) * periodNs);
            const before = ran.get(vcpu);
            const ns = to - from + (before?.period === period ? before.ns : 0);
            ran.set(vcpu, { period, ns });
            if (ns > budgetNs) return `${vcpu.name} ran ${ns} ns in period ${period}, with ${budgetNs}`;
          }
        }
        return undefined;
      },
    };
  },
};

export const rtXenLaws: readonly Law[] = [ownPcpu, budget];
