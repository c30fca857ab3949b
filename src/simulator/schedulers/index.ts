/**
 * The schedulers that can be simulated, in one table. A scheduler gets hooks from the hypervisor core and
 * knows its run queues; it does not know guests, traces' files, or other schedulers.
 * @module
 */
import { UserError } from '../../base/errors.ts';
import type { SchedulerName } from '../../scenario/scenario.ts';
import type { Hypervisor } from '../hypervisor.ts';
import type { Scheduler } from '../scheduler.ts';
import { CreditScheduler } from './credit.ts';
import { Credit2Scheduler } from './credit2.ts';
import { NullScheduler } from './null.ts';

export interface SchedulerEntry {
  readonly name: SchedulerName;
  /** What Xen calls it when it boots. */
  readonly title: string;
  create(xen: Hypervisor): Scheduler;
}

export const schedulers: readonly SchedulerEntry[] = [
  { name: 'credit', title: 'SMP Credit Scheduler', create: (xen) => new CreditScheduler(xen) },
  {
    name: 'credit2',
    title: 'SMP Credit Scheduler rev2',
    create: (xen) => new Credit2Scheduler(xen),
  },
  { name: 'null', title: 'null Scheduler', create: (xen) => new NullScheduler(xen) },
];

/** Throws UserError `unknown-scheduler` for one that is not in the table. */
export function createScheduler(name: string, xen: Hypervisor): Scheduler {
  const entry = schedulers.find((known) => known.name === name);
  if (entry === undefined) {
    throw new UserError('unknown-scheduler', `scheduler "${name}" is not simulated yet`, {
      hint: `there is ${schedulers.map((known) => known.name).join(', ')}`,
    });
  }
  return entry.create(xen);
}
