import { formatNanosecondsExact as time } from '../base/nanoseconds.ts';
import { Prng } from '../base/prng.ts';
import { utilisationOf, worstFit } from './place.ts';
import { leastBudgetNs, type ServedScheduler } from './size-server.ts';
import type { PeriodicTask } from './task-set.ts';

/** A server, or its period alone where the budget is to be the least that serves the tasks. */
export interface ServerSpec {
  readonly periodNs: number;
  readonly budgetNs: number | undefined;
}

/** The host and the domains that a task set is to run on. */
export interface ScenarioPlan {
  readonly name: string;
  /** Lines of text, for the head of the file. */
  readonly remarks: readonly string[];
  /** Xen's. */
  readonly scheduler: string;
  /** That of the guests, which picks among a vCPU's tasks. */
  readonly guestScheduler: ServedScheduler;
  /** Whether each task is bound to a vCPU, or may run on any of its domain. */
  readonly placement: 'partitioned' | 'global';
  readonly pcpus: number;
  readonly domains: number;
  /** Of each domain. */
  readonly vcpus: number;
  /** Of each domain in turn, from the first again where there are fewer; none: no servers. */
  readonly servers: readonly ServerSpec[];
  /** Whether domains are capped to what their servers have. */
  readonly isCapped: boolean;
  /** Jobs need uniformly from this share of the WCET up to it; 1: always the WCET. */
  readonly executionFrom: number;
  /** Whether the first jobs come at random within a period, or all at once. */
  readonly isOffset: boolean;
  readonly durationNs: number;
  readonly seed: number;
}

/** A scenario's text, and what is to be said about it. */
export interface WrittenScenario {
  /** YAML, for `parseScenario`. */
  readonly text: string;
  /** Sentences. */
  readonly notes: readonly string[];
}

/**
 * The scenario in which the tasks run on the domains: by worst fit on the vCPUs of all of them, or, where
 * guests are global, on the domains.
 */
export function writeTaskSetScenario(tasks: readonly PeriodicTask[], plan: ScenarioPlan): WrittenScenario {
  const notes: string[] = [];
  let bandwidth = 0;
  const isGlobal = plan.placement === 'global';
  const bins = worstFit(tasks, isGlobal ? plan.domains : plan.domains * plan.vcpus);
  const offsets = Prng.fromSeed(plan.seed).fork('offsets');
  const firstNs = tasks.map(({ periodNs }) => (plan.isOffset ? offsets.below(periodNs) : 0));
  const lines = [
    ...plan.remarks.map((line) => `# ${line}`),
    `name: ${plan.name}`,
    `scheduler: "${plan.scheduler}"`,
    `duration: ${time(plan.durationNs)}`,
    `seed: ${plan.seed}`,
    '',
    'host:',
    `  pcpus: ${plan.pcpus}`,
    '',
    'domains:',
  ];
  for (let domain = 0; domain < plan.domains; domain += 1) {
    const own = isGlobal ? [bins[domain]!] : bins.slice(domain * plan.vcpus, (domain + 1) * plan.vcpus);
    if (own.every((numbers) => numbers.length === 0)) {
      notes.push(`vm${domain + 1} has no tasks and is left out`);
      continue;
    }
    const server = plan.servers[domain % Math.max(1, plan.servers.length)];
    const sized = Array.from({ length: plan.vcpus }, (_, vcpu) => {
      if (server === undefined) return undefined;
      const served = (isGlobal ? own[0]! : own[vcpu]!).map((number) => tasks[number]!);
      return sizeServer(server, served, plan, `vm${domain + 1}, vCPU ${vcpu}`, notes);
    });
    bandwidth += sized.reduce((sum, one) => sum + bandwidthOf(one), 0);
    lines.push(`  - name: vm${domain + 1}`);
    if (plan.isCapped && server !== undefined) lines.push(`    cap: ${capOf(sized as Sized[])}`);
    lines.push('    guest:', `      scheduler: ${plan.guestScheduler}`, `      placement: ${plan.placement}`);
    lines.push('      tasks:');
    for (const [vcpu, numbers] of own.entries()) {
      for (const number of numbers) {
        const place = isGlobal ? '' : `, vcpu: ${vcpu}`;
        lines.push(`        - ${describeTask(number, tasks[number]!, firstNs[number]!, plan)}${place}}`);
      }
    }
    lines.push('    vcpus:');
    for (const one of sized) {
      const rtds = one && `rtds: {period: ${time(one.periodNs)}, budget: ${time(one.budgetNs)}}`;
      lines.push(`      - {workload: tasks${rtds === undefined ? '' : `, ${rtds}`}}`);
    }
  }
  if (bandwidth > plan.pcpus + 1e-9) {
    notes.push(`the servers have ${bandwidth.toFixed(3)} pCPUs in all, the host has ${plan.pcpus}`);
  }
  return { text: `${lines.join('\n')}\n`, notes };
}

interface Sized {
  readonly periodNs: number;
  readonly budgetNs: number;
}

/** In percent of a pCPU. */
function capOf(servers: readonly Sized[]): number {
  return Math.max(1, Math.round(servers.reduce((sum, one) => sum + bandwidthOf(one), 0) * 100));
}

function bandwidthOf(server: Sized | undefined): number {
  return server === undefined ? 0 : server.budgetNs / server.periodNs;
}

/** RTDS takes no budget below this (RTDS_MIN_BUDGET). */
const BUDGET_NS_MIN = 10_000;

function sizeServer(
  { periodNs, budgetNs }: ServerSpec,
  served: readonly PeriodicTask[],
  { placement, guestScheduler, vcpus }: ScenarioPlan,
  where: string,
  notes: string[],
): Sized {
  if (budgetNs !== undefined) return { periodNs, budgetNs };
  if (placement === 'global') {
    // An even share of what the tasks need: necessary, and by no means always enough.
    const share = Math.min(1, utilisationOf(served) / vcpus);
    return { periodNs, budgetNs: Math.max(BUDGET_NS_MIN, Math.ceil((share * periodNs) / 1000) * 1000) };
  }
  const least = leastBudgetNs(served, periodNs, guestScheduler);
  if (least === undefined)
    notes.push(`no budget of ${where} serves its tasks for certain: it has the whole period`);
  return { periodNs, budgetNs: Math.max(BUDGET_NS_MIN, least ?? periodNs) };
}

function describeTask(
  number: number,
  { periodNs, wcetNs, deadlineNs }: PeriodicTask,
  offsetNs: number,
  { executionFrom }: ScenarioPlan,
): string {
  const leastNs = Math.max(1, Math.round(wcetNs * executionFrom));
  const wcet = leastNs < wcetNs ? `uniform(${time(leastNs)}..${time(wcetNs)})` : time(wcetNs);
  const deadline = deadlineNs === periodNs ? '' : `, deadline: ${time(deadlineNs)}`;
  const offset = offsetNs === 0 ? '' : `, offset: ${time(offsetNs)}`;
  return `{name: t${number}, period: ${time(periodNs)}, wcet: ${wcet}${deadline}${offset}`;
}
