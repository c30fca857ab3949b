import type { Action, Command, Scenario } from '../../scenario/scenario.ts';
import type { Cpupool } from '../cpupool.ts';
import type { Guests } from '../guests/guests.ts';
import type { Hypervisor } from '../hypervisor.ts';
import { pinVcpus } from './affinity.ts';
import { addPcpus, createCpupool, destroyCpupool, migrateDomain, removePcpus } from './cpupools.ts';
import { create, destroy } from './domains.ts';
import {
  adjustDomain,
  adjustPool,
  adjustSedf,
  adjustServers,
  adjustVcpus,
  setByDomctl,
} from './parameters.ts';
import { pause, setVcpus, unpause } from './pausing.ts';
import { nemesis } from './scheduling-domains.ts';
import type { Refusal, Tools } from './tools.ts';

/**
 * The control domain: does what the scenario's actions say, in the context of pCPU 0, with the hypercalls that
 * `xl` makes for it. What Xen or `xl` refuses changes nothing, and the hook `onRefusal` hears of it.
 */
export class Toolstack {
  readonly #tools: Tools;

  constructor(xen: Hypervisor, scenario: Scenario, guests: Guests) {
    this.#tools = { xen, scenario, guests };
  }

  perform({ arinc653, command }: Action): void {
    const { xen } = this.#tools;
    if (command === undefined) {
      for (const { scheduler } of xen.pools) scheduler.setTable?.(arinc653);
      return;
    }
    const why = this.#dispatch(command);
    if (why !== undefined) xen.hooks.onRefusal?.(xen.machine.nowNs, command.text, why);
  }

  #dispatch(command: Command): Refusal {
    const tools = this.#tools;
    switch (command.kind) {
      case 'create':
        return create(tools, command.dom);
      case 'sched-pool':
        return withPool(tools, command.cpupool, (pool) => adjustPool(pool, command));
      case 'cpupool-create':
        return createCpupool(tools, command);
      case 'cpupool-destroy':
        return withPool(tools, command.cpupool, (pool) => destroyCpupool(tools, pool));
      case 'cpupool-cpu-add':
        return withPool(tools, command.cpupool, (pool) => addPcpus(tools, pool, command.pcpus));
      case 'cpupool-cpu-remove':
        return withPool(tools, command.cpupool, (pool) => removePcpus(tools, pool, command.pcpus));
      default:
        return this.#dispatchDomain(command);
    }
  }

  #dispatchDomain(command: Extract<Command, { dom: number }>): Refusal {
    const tools = this.#tools;
    const { xen } = tools;
    const domain = xen.domains.find(({ id }) => id === command.dom);
    if (domain === undefined) return `there is no domain ${command.dom}`;
    switch (command.kind) {
      case 'sched-domain':
        return adjustDomain(xen, domain, command);
      case 'sched-domctl':
        return setByDomctl(xen, domain, command);
      case 'sched-server':
        return adjustServers(xen, domain, command);
      case 'sched-vcpu':
        return adjustVcpus(xen, domain, command);
      case 'sched-sedf':
        return adjustSedf(xen, domain, command);
      case 'vcpu-pin':
        return pinVcpus(xen, domain, command);
      case 'pause':
        return pause(xen, domain);
      case 'unpause':
        return unpause(xen, domain);
      case 'vcpu-set':
        return setVcpus(xen, domain, command.count);
      case 'destroy':
        return destroy(tools, domain);
      case 'cpupool-migrate':
        return withPool(tools, command.cpupool, (pool) => migrateDomain(xen, domain, pool));
      case 'nemesis':
        return nemesis(xen, domain, command);
      case 'create':
        return undefined;
    }
  }
}

function withPool({ xen }: Tools, name: string, what: (pool: Cpupool) => Refusal): Refusal {
  const pool = xen.pools.find((one) => one.name === name);
  return pool === undefined ? `there is no cpupool ${name}` : what(pool);
}
