import type { Scenario } from '../../scenario/scenario.ts';
import type { Guests } from '../guests/guests.ts';
import type { Hypervisor } from '../hypervisor.ts';
import type { Domain } from '../vcpu.ts';

/** Why something was not done, in words; undefined: it was. */
export type Refusal = string | undefined;

/** What an action may reach. */
export interface Tools {
  readonly xen: Hypervisor;
  readonly scenario: Scenario;
  readonly guests: Guests;
}

/** What a vCPU option names: all of the domain's unless given. */
export function vcpusOf({ vcpus }: Domain, id: number | undefined): Domain['vcpus'] {
  return id === undefined ? vcpus : vcpus.filter((vcpu) => vcpu.id === id);
}
