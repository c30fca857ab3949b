import type { Scenario } from '../../src/scenario/scenario.ts';
import { arinc653Laws } from './arinc653-laws.ts';
import { capLaws } from './cap-laws.ts';
import { hasAffinity, hasGroups, type Law, mayRunOn, since, vcpusOf } from './law.ts';
import { type Checker, type Host, RUNNABLE, RUNNING, type SeenVcpu } from './observe.ts';
import { rtdsLaws } from './rtds-laws.ts';
import { rtXenLaws } from './rtxen-laws.ts';
import { sedfLaws } from './sedf-laws.ts';

const oneAtATime: Law = {
  name: 'who is current is running, and nobody else is',
  whyNot: () => undefined,
  create: () => ({
    rest({ vcpus, on }) {
      const running = vcpus.filter(({ state }) => state === RUNNING).length;
      const wrong = on.find((vcpu) => vcpu !== undefined && vcpu.state !== RUNNING);
      if (wrong !== undefined) return `${wrong.name} is current in state ${wrong.state}`;
      const current = on.filter((vcpu) => vcpu !== undefined).length;
      return running === current ? undefined : `${running} vCPUs are running, ${current} are on pCPUs`;
    },
  }),
};

const timesAddUp: Law = {
  name: 'times add up, of each vCPU and of each pCPU',
  whyNot: () => undefined,
  create: ({ durationNs, host: { pcpus, contextSwitchNs } }) => ({
    end({ times, host, busyNs, idleNs, switches }) {
      for (const { dom, vcpu, runNs, runnableNs, blockedNs, offlineNs, guestNs } of times) {
        const seen = host.vcpus.find((one) => one.dom === dom && one.vcpu === vcpu)!;
        const sum = runNs + runnableNs + blockedNs + offlineNs;
        if (sum !== durationNs) return `the states of ${seen.name} sum to ${sum} ns`;
        if (seen.runNs !== runNs) return `${seen.name} was seen to run ${seen.runNs} ns of ${runNs}`;
        const costNs = runNs - guestNs;
        if (contextSwitchNs === 0 ? costNs !== 0 : costNs < 0)
          return `${seen.name} ran ${guestNs} of ${runNs}`;
      }
      for (let pcpu = 0; pcpu < pcpus; pcpu += 1) {
        if (busyNs[pcpu]! + idleNs[pcpu]! !== durationNs) return `the time of pCPU ${pcpu} is not the run's`;
      }
      const sum = (list: readonly number[]) => list.reduce((total, ns) => total + ns, 0);
      const ranNs = sum(times.map(({ runNs }) => runNs));
      if (ranNs !== sum(busyNs)) return `vCPUs ran ${ranNs} ns, pCPUs were busy for ${sum(busyNs)}`;
      const costNs = ranNs - sum(times.map(({ guestNs }) => guestNs));
      const mostNs = switches.length * contextSwitchNs;
      return costNs > mostNs ? `${switches.length} switches cost ${costNs} ns` : undefined;
    },
  }),
};

const hardAffinity: Law = {
  name: 'hard affinity is never broken',
  whyNot: ({ scheduler }) => (scheduler === 'arinc653' ? 'ARINC653 ignores affinity' : undefined),
  create: (scenario) => ({
    switched: (_host, _tNs, pcpu, next) =>
      next === undefined || mayRunOn(scenario, next, pcpu) ? undefined : `${next.name} enters pCPU ${pcpu}`,
  }),
};

const workConservation: Law = {
  name: 'no pCPU idles while somebody waits',
  whyNot(scenario) {
    const { scheduler, params, host } = scenario;
    switch (scheduler) {
      case 'credit':
      case 'bcredit':
        if (hasGroups(scenario)) return 'scheduling domains: they have the time slices of their masters only';
        if (hasAffinity(scenario))
          return 'credit: a preempted vCPU tells no idle pCPU, and who is woken tells one';
        if (params.vcpu_migration_delay !== undefined && params.vcpu_migration_delay !== 0)
          return 'credit: cache-hot vCPUs are not stolen';
        if (scenario.domains.some(({ cap }) => cap !== undefined && cap > 0))
          return 'credit: of two unparked at once on an idle pCPU, one waits there';
        // Not even with a limit of 0: two looks in one nanosecond are one too many.
        return since(scenario, '4.18')
          ? 'credit: from 4.18 a pCPU looks for work once per load-balance-ratelimit'
          : undefined;
      case 'credit2':
        if (hasAffinity(scenario)) return 'credit2: a pCPU that was promised to one takes another';
        if (params.sched_smt_power_savings === true) return 'credit2: two may be promised the same pCPU';
        if (params.sched_credit2_migrate_resist !== 0) return 'credit2: idle pCPUs resist migration, too';
        if (scenario.domains.some(({ cap }) => cap !== undefined))
          return 'credit2: the capped may stay queued';
        return params.credit2_runqueue === 'all' && host.pcpus <= 16
          ? undefined
          : 'credit2: load is balanced between run queues at resets only';
      case 'rtds':
        if (!since(scenario, '4.10')) return 'RTDS: there was no extratime';
        if (vcpusOf(scenario).some(({ rtds }) => rtds !== undefined && !rtds.extratime))
          return 'RTDS: without extratime budgets end';
        return hasAffinity(scenario)
          ? 'RTDS: who is told may be one where the next in line may not run'
          : undefined;
      case 'null':
        return vcpusOf(scenario).length > host.pcpus || hasAffinity(scenario)
          ? 'null: a pCPU belongs to one vCPU, whether that runs or not'
          : undefined;
      case 'arinc653':
        return 'ARINC653: slots are not given away';
      case 'sedf':
        return 'SEDF: nobody goes to an idle pCPU, or runs beyond its slice without extra time';
      case 'rtxen':
      case 'rtglobal':
      case 'rtpartition':
        return 'RT-Xen: budgets end';
    }
  },
  create: (scenario) => ({
    rest({ vcpus, on }) {
      for (const [pcpu, current] of on.entries()) {
        if (current !== undefined) continue;
        const waiting = vcpus.find((vcpu) => vcpu.state === RUNNABLE && mayRunOn(scenario, vcpu, pcpu));
        if (waiting !== undefined) return `${waiting.name} waits, pCPU ${pcpu} idles`;
      }
      return undefined;
    },
  }),
};

/** How long a scheduler may let one wait that can run, or why there is no such bound. */
function patience(scenario: Scenario): number | string {
  const { scheduler, params } = scenario;
  const vcpus = vcpusOf(scenario);
  const hasCaps = scenario.domains.some(({ cap }) => cap !== undefined);
  const weights = scenario.domains.flatMap((domain) => domain.vcpus.map(() => domain.weight ?? 256));
  // Everybody's turn, as often as the weights have it.
  const turns = weights.reduce((sum, weight) => sum + weight, 0) / Math.min(...weights);
  switch (scheduler) {
    case 'bcredit':
      // Two vCPUs of a domain have equal credit, so that neither pCPU steals while a boosted one fills one of
      // them.
      if (scenario.domains.some(({ maxBoostPeriodMs }) => maxBoostPeriodMs !== undefined))
        return 'bcredit: the boosted go first as long as they have boost credit';
      if (weights.some((weight) => weight > 2000)) return 'bcredit: products of large weights wrap around';
      return 3 * turns * 30e6;
    case 'credit':
      if (hasGroups(scenario)) return 'scheduling domains: several wait for the time slices of one';
      if (vcpus.some(({ workload }) => workload.kind === 'dodge'))
        return 'credit: those whom no tick finds running come first';
      return 3 * turns * Number(params.sched_credit_tslice_ms ?? 30) * 1e6;
    case 'credit2':
      if (hasCaps) return 'credit2: of a capped domain the vCPU parked last is unparked first';
      return 3 * turns * 10e6;
    case 'rtds':
      if (!since(scenario, '4.8')) return 'RTDS until 4.7 may take a renewed vCPU for a depleted one';
      // What a vCPU without parameters has: 4 ms of 10.
      if (vcpus.reduce((sum, { rtds }) => sum + (rtds ? rtds.budgetUs / rtds.periodUs : 0.4), 0) > 1)
        return 'RTDS: more is promised than one pCPU has';
      return 4 * Math.max(...vcpus.map(({ rtds }) => (rtds?.periodUs ?? 10_000) * 1000), 10e6);
    case 'null':
      return 'null: who finds no pCPU free never runs';
    case 'arinc653':
      return 'ARINC653: who has no slot on its pCPU never runs';
    case 'sedf':
      return 'SEDF: who has no slice waits for extra time, of which there may be none';
    case 'rtxen':
    case 'rtglobal':
    case 'rtpartition':
      return 'RT-Xen: whoever has a higher priority goes first for as long as it has budget';
  }
}

const nobodyForgotten: Law = {
  name: 'nobody who can run is forgotten',
  whyNot(scenario) {
    const bound = patience(scenario);
    if (typeof bound === 'string') return bound;
    return bound < scenario.durationNs ? undefined : 'the run is too short to tell';
  },
  create(scenario) {
    const bound = Number(patience(scenario));
    return {
      rest({ vcpus }, _nowNs, untilNs) {
        const forgotten = vcpus.find(({ state, sinceNs }) => state === RUNNABLE && untilNs - sinceNs > bound);
        return forgotten && `${forgotten.name} waits since ${forgotten.sinceNs}`;
      },
    };
  },
};

const ownPcpu: Law = {
  name: 'each pCPU has one vCPU for good, which never waits',
  whyNot: ({ scheduler }) => (scheduler === 'null' ? undefined : 'of null only'),
  create({ host: { pcpus } }) {
    const ownerOf: (SeenVcpu | undefined)[] = Array.from({ length: pcpus }, () => undefined);
    return {
      switched(_host: Host, _tNs: number, pcpu: number, next: SeenVcpu | undefined) {
        if (next === undefined) return undefined;
        const before = ownerOf.indexOf(next);
        if (before >= 0 && before !== pcpu) return `${next.name} was on pCPU ${before}, enters ${pcpu}`;
        const owner = ownerOf[pcpu];
        ownerOf[pcpu] = next;
        return owner === undefined || owner === next
          ? undefined
          : `${next.name} enters the pCPU of ${owner.name}`;
      },
      rest({ vcpus }: Host) {
        const waiting = vcpus.find((vcpu) => vcpu.state === RUNNABLE && ownerOf.includes(vcpu));
        return waiting && `${waiting.name} waits for its own pCPU`;
      },
    };
  },
};

export const laws: readonly Law[] = [
  oneAtATime,
  timesAddUp,
  hardAffinity,
  workConservation,
  nobodyForgotten,
  ownPcpu,
  ...rtdsLaws,
  ...capLaws,
  ...arinc653Laws,
  ...sedfLaws,
  ...rtXenLaws,
];

/**
 * Checkers of all laws that hold of a scenario, each naming itself where it complains; `believed` is what they
 * take the scenario for.
 */
export function checkersFor(believed: Scenario): Checker[] {
  return laws
    .filter((law) => law.whyNot(believed) === undefined)
    .map((law) => {
      const checker = law.create(believed);
      const named = (problem: string | undefined) => problem && `"${law.name}" does not hold: ${problem}`;
      return {
        rest: (host, nowNs, untilNs) => named(checker.rest?.(host, nowNs, untilNs)),
        switched: (host, tNs, pcpu, next) => named(checker.switched?.(host, tNs, pcpu, next)),
        end: (run) => named(checker.end?.(run)),
      };
    });
}
