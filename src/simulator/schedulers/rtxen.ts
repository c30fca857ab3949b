import type { ServerKind } from '../../scenario/scenario.ts';
import { Cpumask } from '../cpumask.ts';
import type { Cpupool } from '../cpupool.ts';
import type { Hypervisor } from '../hypervisor.ts';
import type { Pcpu } from '../pcpu.ts';
import type { PoolParameters, Scheduler, VcpuParameters } from '../scheduler.ts';
import { type Vcpu, VPF_BLOCKED } from '../vcpu.ts';
import { convertBudget } from './rt-xen/budgets.ts';
import { RtXenRecords } from './rt-xen/records.ts';
import { RtXenServer, serverOf } from './rt-xen/server.ts';
import { hasNoWork } from './rt-xen/state.ts';

/** A pCPU and its servers. */
interface Core {
  readonly members: Set<RtXenServer>;
  /** Who has the pCPU: runs on it, or idles its budget away there. */
  current: RtXenServer | undefined;
  /** Up to when the current one has paid. */
  paidToNs: number;
}

/** A budget is at least so long, as RTDS demands. */
const MIN_BUDGET_NS = 10_000;

/**
 * The schedulers of RT-Xen 1.0, by their definitions (Xi, Wilson, Lu, Gill, "RT-Xen: towards real-time
 * hypervisor scheduling in Xen", EMSOFT 2011): each vCPU is a deferrable, periodic, polling or sporadic
 * server on one pCPU, where the server of the highest fixed priority that has budget and work runs.
 *
 * Budgets are exact. The quantum says when a pCPU looks at them: at each wake-up and block, and that long
 * after each decision; a quantum of 0 is the very instant at which a budget ends or comes.
 */
export class RtXenScheduler implements Scheduler {
  readonly name = 'rtxen';
  readonly #xen: Hypervisor;
  readonly #records: RtXenRecords;
  readonly #quantumNs: number;
  #pool: Cpupool | undefined;
  #kind: ServerKind;
  readonly #cores: Core[] = [];
  readonly #candidates: Cpumask;
  /** Grows each time that a server comes to wait behind its equals. */
  #arrivals = 0;

  constructor(xen: Hypervisor) {
    this.#xen = xen;
    this.#records = new RtXenRecords(xen.machine.tracer);
    this.#quantumNs = xen.parameters.integer('rtxen_quantum_us') * 1000;
    this.#kind = xen.parameters.text('rtxen_server') as ServerKind;
    this.#candidates = new Cpumask(xen.machine.topology.pcpus);
  }

  // ---- Members come and go

  addPcpu(pcpu: Pcpu, pool: Cpupool): number {
    this.#pool = pool;
    this.#cores[pcpu.id] = { members: new Set(), current: undefined, paidToNs: this.#xen.machine.nowNs };
    return pcpu.id;
  }

  allocVcpu(vcpu: Vcpu): void {
    vcpu.schedulerData = vcpu.isIdle ? undefined : new RtXenServer(vcpu, this.#kind, this.#xen.machine.nowNs);
  }

  /** On the pCPU with the fewest servers. */
  insertVcpu(vcpu: Vcpu): void {
    vcpu.processor = this.#emptiest(vcpu);
    this.#advance(vcpu.processor);
    this.#coreOf(vcpu).members.add(serverOf(vcpu));
  }

  removeVcpu(vcpu: Vcpu): void {
    const core = this.#coreOf(vcpu);
    this.#advance(vcpu.processor);
    core.members.delete(serverOf(vcpu));
    if (core.current?.vcpu !== vcpu) return;
    core.current = undefined;
    this.#xen.raiseSchedule(vcpu.processor);
  }

  /** Where it is if it may be there, else as a new one. */
  pickPcpu(vcpu: Vcpu): number {
    const { processor, hardAffinity } = vcpu;
    const isAllowed = hardAffinity.has(processor) && this.#pool!.valid.has(processor);
    return isAllowed ? processor : this.#emptiest(vcpu);
  }

  migrate(vcpu: Vcpu, pcpu: number): void {
    if (vcpu.processor === pcpu) return;
    this.removeVcpu(vcpu);
    vcpu.processor = pcpu;
    this.#advance(pcpu);
    this.#coreOf(vcpu).members.add(serverOf(vcpu));
  }

  #emptiest({ hardAffinity }: Vcpu): number {
    const candidates = this.#candidates;
    candidates.and(hardAffinity, this.#pool!.valid);
    let best = candidates.first();
    const servers = (pcpu: number) => this.#cores[pcpu]!.members.size;
    for (let pcpu = best; pcpu < candidates.size; pcpu = candidates.next(pcpu)) {
      if (servers(pcpu) < servers(best)) best = pcpu;
    }
    return best;
  }

  #coreOf({ processor }: Vcpu): Core {
    return this.#cores[processor]!;
  }

  // ---- Parameters

  /** Those of a vCPU that has just been created count at once. */
  adjustVcpu(vcpu: Vcpu, { periodUs, budgetUs, priority, serverKind }: VcpuParameters): boolean {
    const server = serverOf(vcpu);
    const periodNs = periodUs === undefined ? server.periodNs : periodUs * 1000;
    const budgetNs = budgetUs === undefined ? server.budgetNs : budgetUs * 1000;
    if (budgetNs < MIN_BUDGET_NS || budgetNs > periodNs) return false;
    this.#advance(vcpu.processor);
    server.periodNs = periodNs;
    server.budgetNs = budgetNs;
    server.priority = priority ?? server.priority;
    const { nowNs } = this.#xen.machine;
    const kind = serverKind ?? server.budget.kind;
    if (server.sinceNs === nowNs) server.refill(kind, nowNs);
    else {
      if ((periodUs ?? budgetUs) !== undefined) server.budget.change(periodNs, budgetNs, nowNs);
      this.#convert(server, kind);
    }
    this.#xen.raiseSchedule(vcpu.processor);
    return true;
  }

  /** All servers become of one kind, and so do those to come. */
  adjustPool({ serverKind }: PoolParameters): boolean {
    if (serverKind === undefined) return false;
    this.#kind = serverKind;
    for (const [pcpu, { members }] of this.#cores.entries()) {
      if (members.size === 0) continue;
      this.#advance(pcpu);
      for (const server of members) this.#convert(server, serverKind);
      this.#xen.raiseSchedule(pcpu);
    }
    return true;
  }

  #convert(server: RtXenServer, kind: ServerKind): void {
    const { budget, periodNs, budgetNs, hasWork } = server;
    server.budget = convertBudget(budget, kind, periodNs, budgetNs, this.#xen.machine.nowNs);
    if (!hasWork) this.#loseWork(server);
  }

  // ---- Work comes and goes

  /** A vCPU that may not run for another reason than its guest's still has work. */
  sleep(vcpu: Vcpu): void {
    if (this.#coreOf(vcpu).current?.vcpu === vcpu) this.#xen.raiseSchedule(vcpu.processor);
  }

  wake(vcpu: Vcpu): void {
    const server = serverOf(vcpu);
    this.#advance(vcpu.processor);
    if (!server.hasWork) {
      server.hasWork = true;
      server.budget.workComes(this.#xen.machine.nowNs);
      this.#arrive(server);
    }
    this.#xen.raiseSchedule(vcpu.processor);
  }

  /** Behind its equals. */
  yield(vcpu: Vcpu): void {
    this.#arrive(serverOf(vcpu));
  }

  #arrive(server: RtXenServer): void {
    this.#arrivals += 1;
    server.arrival = this.#arrivals;
  }

  #loseWork(server: RtXenServer): void {
    const { budget, vcpu } = server;
    const { leftNs } = budget;
    budget.loseWork();
    if (budget.leftNs !== leftNs) this.#records.burnt(vcpu, budget.leftNs, 0);
  }

  // ---- Budgets

  /** What has happened to the budgets of a pCPU's servers since it was looked at, in the order of time. */
  #advance(pcpu: number): void {
    const core = this.#cores[pcpu]!;
    const { nowNs } = this.#xen.machine;
    for (;;) {
      const due = firstDue(core.members);
      if (due !== undefined && due.budget.dueNs <= nowNs) {
        this.#pay(core, due.budget.dueNs);
        this.#replenish(due);
      } else if (core.paidToNs < nowNs) {
        this.#pay(core, nowNs);
      } else {
        return;
      }
    }
  }

  #pay(core: Core, toNs: number): void {
    const { current, paidToNs, members } = core;
    if (toNs <= paidToNs) return;
    core.paidToNs = toNs;
    if (current !== undefined && current.budget.leftNs > 0) {
      const paidNs = Math.min(toNs - paidToNs, current.budget.leftNs);
      current.budget.use(paidNs);
      this.#records.burnt(current.vcpu, current.budget.leftNs, paidNs);
    }
    // Budget that came to a polling server at the start of a period is lost when time passes without work.
    for (const server of members) if (!server.hasWork) this.#loseWork(server);
  }

  #replenish(server: RtXenServer): void {
    const { budget, vcpu } = server;
    const beforeNs = budget.leftNs;
    if (beforeNs === 0) this.#arrive(server);
    budget.replenish();
    const { leftNs, dueNs } = budget;
    if (budget.kind === 'sporadic') this.#records.returned(vcpu, leftNs, leftNs - beforeNs);
    else this.#records.replenished(vcpu, leftNs, dueNs);
  }

  // ---- The decision

  doSchedule(prev: Vcpu, nowNs: number, taskletWork: boolean): void {
    const { cpu, pcpus } = this.#xen.machine;
    const { idle } = pcpus[cpu]!;
    const core = this.#cores[cpu]!;
    const { current, members } = core;
    this.#advance(cpu);
    if (current?.hasWork && (current.vcpu.pauseFlags & VPF_BLOCKED) !== 0) {
      current.hasWork = false;
      this.#loseWork(current);
    }
    const next = taskletWork ? undefined : bestOf(members);
    core.current = next;
    const runs = next?.vcpu.checkRunnable() ? next.vcpu : idle;
    prev.nextTask = runs;
    prev.nextTimeNs = this.#sliceNs(core, nowNs);
    runs.migrated = false;
  }

  /** Until the pCPU has to look again; -1: not by itself. */
  #sliceNs({ current, members }: Core, nowNs: number): number {
    if (this.#quantumNs > 0) return this.#quantumNs;
    const dueNs = firstDue(members)?.budget.dueNs ?? Infinity;
    const sliceNs = Math.min(dueNs - nowNs, current?.budget.leftNs ?? Infinity);
    return sliceNs === Infinity ? -1 : sliceNs;
  }
}

/** Who gets budget next. */
function firstDue(members: Iterable<RtXenServer>): RtXenServer | undefined {
  let first: RtXenServer | undefined;
  for (const server of members) {
    if (first === undefined || server.budget.dueNs < first.budget.dueNs) first = server;
  }
  return first;
}

/** The server of the highest priority that has budget and either work, or a task that idles it away. */
function bestOf(members: Iterable<RtXenServer>): RtXenServer | undefined {
  let best: RtXenServer | undefined;
  for (const server of members) {
    const { budget, vcpu } = server;
    if (budget.leftNs === 0) continue;
    const idlesAway = budget.kind === 'periodic' && hasNoWork(vcpu);
    if (!vcpu.isRunnable && !idlesAway) continue;
    if (best === undefined || server.precedes(best)) best = server;
  }
  return best;
}
