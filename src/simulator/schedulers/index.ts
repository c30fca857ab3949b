/**
 * The schedulers that can be simulated, in one table. A scheduler gets hooks from the hypervisor core and
 * knows its run queues; it does not know guests, traces' files, or other schedulers.
 * @module
 */
import { UserError } from '../../base/errors.ts';
import type { SchedulerName } from '../../scenario/scenario.ts';
import { isSinceXen, type XenSeries } from '../../scenario/xen-versions.ts';
import type { Hypervisor } from '../hypervisor.ts';
import type { Scheduler } from '../scheduler.ts';
import { Arinc653Scheduler } from './arinc653.ts';
import { CreditScheduler } from './credit.ts';
import { Credit2Scheduler } from './credit2.ts';
import { NullScheduler } from './null.ts';
import { createRtds } from './rtds.ts';

export interface SchedulerEntry {
  readonly name: SchedulerName;
  /** What Xen calls it when it boots. */
  readonly title: string;
  /** The first version of it that is modelled. */
  readonly since: XenSeries;
  create(xen: Hypervisor): Scheduler;
}

export const schedulers: readonly SchedulerEntry[] = [
  {
    name: 'credit',
    title: 'SMP Credit Scheduler',
    since: '3.3',
    create: (xen) => new CreditScheduler(xen),
  },
  {
    name: 'credit2',
    title: 'SMP Credit Scheduler rev2',
    since: '4.17',
    create: (xen) => new Credit2Scheduler(xen),
  },
  { name: 'null', title: 'null Scheduler', since: '4.17', create: (xen) => new NullScheduler(xen) },
  { name: 'rtds', title: 'SMP RTDS Scheduler', since: '4.6', create: createRtds },
  {
    name: 'arinc653',
    title: 'ARINC 653 Scheduler',
    since: '4.6',
    create: (xen) => new Arinc653Scheduler(xen),
  },
];

/**
 * Throws UserError `unknown-scheduler` for one that is not in the table, `scheduler-too-old` for a version of it
 * that is not modelled.
 */
export function createScheduler(name: string, xen: Hypervisor): Scheduler {
  const entry = schedulers.find((known) => known.name === name);
  if (entry === undefined) {
    throw new UserError('unknown-scheduler', `scheduler "${name}" is not simulated yet`, {
      hint: `there is ${schedulers.map((known) => known.name).join(', ')}`,
    });
  }
  const { series } = xen.version;
  if (!isSinceXen(series, entry.since)) {
    const modelled = schedulers.filter(({ since }) => isSinceXen(series, since)).map((each) => each.name);
    const sentence = `scheduler "${name}" of Xen ${series} is not modelled`;
    const hint = `it is from Xen ${entry.since} on; of ${series} there is ${modelled.join(', ')}`;
    throw new UserError('scheduler-too-old', sentence, { hint });
  }
  return entry.create(xen);
}
