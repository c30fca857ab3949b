import type { Scenario } from '../../src/scenario/scenario.ts';
import { type Law, since } from './law.ts';
import { type Checker, RUNNABLE, RUNNING } from './observe.ts';

const table: Law = {
  name: 'in each slot its vCPU runs if it can, and nobody else',
  whyNot(scenario) {
    if (scenario.scheduler !== 'arinc653') return 'of ARINC653 only';
    if (scenario.arinc653 === undefined) return 'no table';
    if (scenario.host.timerJitterNs > 0) return 'ARINC653: late timers move the borders of slots';
    if (!since(scenario, '4.20')) return 'ARINC653 until 4.18 begins its first frame at the first decision';
    return undefined;
  },
  create(scenario): Checker {
    const { majorFrameNs, entries } = scenario.arinc653!;
    // A new table counts from the next decision on: up to here it is this one.
    const endNs = scenario.actions?.[0]?.atNs ?? Infinity;
    return {
      rest({ vcpus, on }, nowNs) {
        if (nowNs >= endNs) return undefined;
        const atNs = nowNs % majorFrameNs;
        let borderNs = 0;
        const slot = entries.find(({ runtimeNs }) => {
          borderNs += runtimeNs;
          return atNs < borderNs;
        });
        const owner = vcpus.find(({ dom, vcpu }) => dom === slot?.dom && vcpu === slot.vcpu);
        const able = owner?.state === RUNNABLE || owner?.state === RUNNING;
        if (able && owner.state !== RUNNING) return `${owner.name} waits in its own slot`;
        const other = on.find((vcpu) => vcpu !== undefined && vcpu !== owner);
        return other && `${other.name} runs in the slot of ${owner?.name ?? 'nobody'}`;
      },
    };
  },
};

const home: Law = {
  name: 'a vCPU stays on the pCPU where it was created',
  whyNot: ({ scheduler }: Scenario) => (scheduler === 'arinc653' ? undefined : 'of ARINC653 only'),
  create(scenario): Checker {
    return {
      switched: (_host, _tNs, pcpu, next) => {
        if (next === undefined || !since(scenario, '4.8')) return undefined;
        const expected = next.vcpu % scenario.host.pcpus;
        return pcpu === expected ? undefined : `${next.name} is on pCPU ${pcpu}, not on ${expected}`;
      },
    };
  },
};

export const arinc653Laws: readonly Law[] = [table, home];
