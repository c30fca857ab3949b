import { Cpumask } from './cpumask.ts';
import { type Cpupool, FIRST_CPUPOOL } from './cpupool.ts';
import { addPcpu, createPool } from './cpupools.ts';
import type { Hypervisor } from './hypervisor.ts';
import { Pcpu } from './pcpu.ts';
import type { Scheduler } from './scheduler.ts';
import { DOMID_IDLE, Domain, RUNSTATE_RUNNING, Vcpu } from './vcpu.ts';

/**
 * Brings the machine up (scheduler_init, cpupool_init): every pCPU runs its idle vCPU, then all join one pool
 * in ascending order, then the decisions that this asks for are made. Nothing of it is traced or observed.
 */
export function bootMachine(xen: Hypervisor, scheduler: Scheduler): Cpupool {
  const { machine } = xen;
  const size = machine.topology.pcpus;
  const idleDomain = new Domain(DOMID_IDLE, undefined);
  for (let id = 0; id < size; id += 1) {
    const idle = new Vcpu(idleDomain, id, Cpumask.of(size, [id]), Cpumask.all(size));
    idle.processor = id;
    idle.runstate = RUNSTATE_RUNNING;
    idle.newState = RUNSTATE_RUNNING;
    idle.isRunning = true;
    idleDomain.vcpus.push(idle);
    const sliceTimer = machine.timers.init((pcpu) => xen.raiseSchedule(pcpu), id, id);
    machine.pcpus.push(new Pcpu(id, idle, sliceTimer));
  }
  const pool = createPool(xen, FIRST_CPUPOOL, scheduler);
  for (const pcpu of machine.pcpus) addPcpu(xen, pool, pcpu);
  xen.drainSoftirqs();
  return pool;
}
