import { affinityOfStep, BALANCE_HARD_AFFINITY, BALANCE_SOFT_AFFINITY } from '../../affinity.ts';
import { Cpumask } from '../../cpumask.ts';
import { TRC_CSCHED_STEAL_CHECK, TRC_CSCHED_STOLEN_UNIT } from '../../trace-events.ts';
import { removeFromQueue } from './run-queue.ts';
import type { CreditSystem, CreditVcpu } from './state.ts';

/** Stealing: a pCPU that has nothing better than OVER looks at the run queues of the others. */
export class CreditBalancing {
  readonly #system: CreditSystem;
  readonly #workers: Cpumask;
  readonly #suitable: Cpumask;

  constructor(system: CreditSystem) {
    this.#system = system;
    this.#workers = new Cpumask(system.pcpus.size);
    this.#suitable = new Cpumask(system.pcpus.size);
  }

  /**
   * A vCPU of a priority above `pri`, taken from the run queue of another pCPU, for `pcpu`
   * (csched_load_balance). Looks for those that prefer this pCPU on all nodes, nearest first, then for those
   * that may run on it.
   */
  steal(pcpu: number, pri: number, online: Cpumask): CreditVcpu | undefined {
    const system = this.#system;
    const { topology } = system.xen.machine;
    if (!online.has(pcpu)) return undefined;
    if (system.version.stealing === 'cycle') return this.#stealInTurn(pcpu, pri, online);
    const workers = this.#workers;
    const home = topology.nodeOf[pcpu]!;
    for (let step = BALANCE_SOFT_AFFINITY; step <= BALANCE_HARD_AFFINITY; step += 1) {
      for (let nodes = 0; nodes < topology.nodes; nodes += 1) {
        const node = (home + nodes) % topology.nodes;
        workers.andNot(online, system.idlers);
        workers.and(workers, topology.ofNode[node]!);
        workers.unset(pcpu);
        const first =
          system.version.stealing === 'counted' ? workers.cycle(system.balanceBias[node]!) : workers.first();
        if (first >= workers.size) continue;
        let peer = first;
        do {
          const stolen = this.#mayHaveWork(peer) ? this.#stealFrom(peer, pcpu, pri, step) : undefined;
          if (stolen !== undefined) {
            system.balanceBias[node] = peer;
            return stolen;
          }
          peer = workers.cycle(peer);
        } while (peer !== first);
      }
    }
    return undefined;
  }

  /** As it was until 4.2: at all other pCPUs, beginning with the next. */
  #stealInTurn(pcpu: number, pri: number, online: Cpumask): CreditVcpu | undefined {
    const workers = this.#workers;
    workers.andNot(online, this.#system.idlers);
    workers.unset(pcpu);
    let peer = pcpu;
    while (!workers.isEmpty()) {
      peer = workers.cycle(peer);
      workers.unset(peer);
      const stolen = this.#stealFrom(peer, pcpu, pri, BALANCE_HARD_AFFINITY);
      if (stolen !== undefined) return stolen;
    }
    return undefined;
  }

  /**
   * Whether to look at the run queue of `peer`. Locks are never contended here, so that a peer is skipped
   * only if it has nobody to spare.
   */
  #mayHaveWork(peer: number): boolean {
    const { version, xen } = this.#system;
    if (version.stealing !== 'counted') return true;
    const isChecked = this.#system.pcpu(peer).runnable > 1;
    xen.machine.tracer.record2(TRC_CSCHED_STEAL_CHECK, peer, isChecked ? 1 : 0);
    return isChecked;
  }

  /** The first suitable vCPU of `peer`'s run queue (csched_runq_steal). */
  #stealFrom(peer: number, pcpu: number, pri: number, step: number): CreditVcpu | undefined {
    const system = this.#system;
    const { machine } = system.xen;
    // An idle pCPU is about to take its work itself.
    if (machine.pcpus[peer]!.chosen.isIdle) return undefined;
    const { queue } = system.pcpu(peer);
    for (let at = queue.next; at !== queue; at = at.next) {
      const credit = at.owner!;
      const { vcpu } = credit;
      if (credit.pri <= pri) return undefined;
      if (system.version.yieldLastsWhileQueued && credit.yielding) continue;
      if (vcpu.isRunning || (step === BALANCE_SOFT_AFFINITY && !system.hasSoftAffinity(vcpu))) continue;
      affinityOfStep(vcpu, step, this.#suitable);
      if (this.#isHot(credit) || !this.#suitable.has(pcpu)) continue;
      if (system.version.records) {
        machine.tracer.record3(TRC_CSCHED_STOLEN_UNIT, peer, vcpu.domain.id, vcpu.id);
      }
      removeFromQueue(system, credit);
      vcpu.processor = pcpu;
      // It runs at once, without being queued here: count it.
      system.pcpu(pcpu).runnable += 1;
      return credit;
    }
    return undefined;
  }

  /** Whether it ran so lately that its cache is worth waiting for. */
  #isHot({ lastSchedNs }: CreditVcpu): boolean {
    const { migrationDelayNs, xen } = this.#system;
    return migrationDelayNs !== 0 && xen.machine.nowNs - lastSchedNs < migrationDelayNs;
  }
}
