import type { Scenario } from '../../src/scenario/scenario.ts';
import { hasAffinity, type Law, since, specOf } from './law.ts';
import { type Checker, type Host, RUNNABLE, RUNNING, type SeenVcpu } from './observe.ts';

/** The first period of every vCPU, whatever its parameters (RTDS_DEFAULT_PERIOD, RTDS_DEFAULT_BUDGET). */
const FIRST_PERIOD_NS = 10_000_000;
const FIRST_BUDGET_NS = 4_000_000;

/** What a server has left of its present period, worked out from its service alone. */
class Server {
  readonly vcpu: SeenVcpu;
  readonly #periodNs: number;
  readonly #budgetNs: number;
  /** The end of the present period. */
  deadlineNs = FIRST_PERIOD_NS;
  leftNs = FIRST_BUDGET_NS;

  constructor(scenario: Scenario, vcpu: SeenVcpu) {
    this.vcpu = vcpu;
    const { rtds } = specOf(scenario, vcpu);
    this.#periodNs = (rtds?.periodUs ?? 10_000) * 1000;
    this.#budgetNs = (rtds?.budgetUs ?? 4_000) * 1000;
  }

  /** A new period, if `nowNs` is in one. */
  renew(nowNs: number): void {
    if (nowNs < this.deadlineNs) return;
    this.deadlineNs += (Math.floor((nowNs - this.deadlineNs) / this.#periodNs) + 1) * this.#periodNs;
    this.leftNs = this.#budgetNs;
  }

  /** It stays in its state from `nowNs` to `untilNs`; answers the most by which it overran any budget. */
  pass(nowNs: number, untilNs: number): number {
    if (this.vcpu.state !== RUNNING) return 0;
    let worstNs = -Infinity;
    for (let atNs = nowNs; atNs < untilNs; ) {
      this.renew(atNs);
      const endNs = Math.min(untilNs, this.deadlineNs);
      this.leftNs -= endNs - atNs;
      worstNs = Math.max(worstNs, -this.leftNs);
      atNs = endNs;
    }
    return worstNs;
  }
}

function serversOf(scenario: Scenario, { vcpus }: Host): Server[] {
  return vcpus.map((vcpu) => new Server(scenario, vcpu));
}

const ofRtds = ({ scheduler }: Scenario) => (scheduler === 'rtds' ? undefined : 'of RTDS only');

function whyNoBudgets(scenario: Scenario): string | undefined {
  if (!since(scenario, '4.7')) return 'RTDS until 4.6 looks at budgets once per millisecond';
  const vcpus = scenario.domains.flatMap((domain) => domain.vcpus);
  if (since(scenario, '4.10') && vcpus.some(({ rtds }) => rtds === undefined || rtds.extratime))
    return 'RTDS: extratime is beyond the budget';
  return undefined;
}

const budgets: Law = {
  name: 'no server gets more than its budget in a period',
  whyNot: (scenario) => ofRtds(scenario) ?? whyNoBudgets(scenario),
  create(scenario): Checker {
    // A late timer lets a server run on, at the end of its budget and at the end of its period.
    const slackNs = 2 * scenario.host.timerJitterNs;
    let servers: Server[] | undefined;
    return {
      rest(host, nowNs, untilNs) {
        servers ??= serversOf(scenario, host);
        for (const server of servers) {
          const overNs = server.pass(nowNs, untilNs);
          // Whoever runs when its first period ends keeps the end of the slice that it had from that.
          const isSettled = nowNs >= FIRST_PERIOD_NS + FIRST_BUDGET_NS + slackNs;
          if (isSettled && overNs > slackNs) return `${server.vcpu.name} overruns its budget by ${overNs} ns`;
        }
        return undefined;
      },
    };
  },
};

const earliestFirst: Law = {
  name: 'those with budget and the earliest deadlines run',
  whyNot(scenario) {
    const why = ofRtds(scenario) ?? whyNoBudgets(scenario);
    if (why !== undefined) return why;
    if (!since(scenario, '4.10')) return 'RTDS until 4.9 may send two to the same idle pCPU';
    if (scenario.host.timerJitterNs > 0) return 'RTDS: late timers renew budgets late';
    return hasAffinity(scenario)
      ? 'RTDS: who is told may be one where the next in line may not run'
      : undefined;
  },
  create(scenario): Checker {
    let servers: Server[] | undefined;
    return {
      rest(host, nowNs, untilNs) {
        servers ??= serversOf(scenario, host);
        for (const server of servers) server.renew(nowNs);
        const isSettled = nowNs >= FIRST_PERIOD_NS + FIRST_BUDGET_NS;
        const problem = isSettled ? orderProblem(servers, scenario.host.pcpus) : undefined;
        for (const server of servers) server.pass(nowNs, untilNs);
        return problem;
      },
    };
  },
};

/** Whether somebody with budget waits who should not. */
function orderProblem(servers: readonly Server[], pcpus: number): string | undefined {
  const able = servers.filter(({ vcpu: { state }, leftNs }) => {
    return leftNs > 0 && (state === RUNNABLE || state === RUNNING);
  });
  const running = able.filter(({ vcpu }) => vcpu.state === RUNNING);
  const waiting = able.filter(({ vcpu }) => vcpu.state !== RUNNING);
  if (waiting.length === 0) return undefined;
  if (running.length < pcpus) return `${waiting[0]!.vcpu.name} has budget and waits, ${running.length} run`;
  const latest = Math.max(...running.map(({ deadlineNs }) => deadlineNs));
  const passed = waiting.find(({ deadlineNs }) => deadlineNs < latest);
  return passed && `${passed.vcpu.name} with deadline ${passed.deadlineNs} waits, one with ${latest} runs`;
}

export const rtdsLaws: readonly Law[] = [budgets, earliestFirst];
