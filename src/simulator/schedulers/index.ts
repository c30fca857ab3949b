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
import { BcreditScheduler } from './bcredit.ts';
import { CreditScheduler } from './credit.ts';
import { Credit2Scheduler } from './credit2.ts';
import { NullScheduler } from './null.ts';
import { createRtds } from './rtds.ts';
import { SedfScheduler } from './sedf.ts';

export interface SchedulerEntry {
  readonly name: SchedulerName;
  /** What Xen calls it when it boots. */
  readonly title: string;
  /** The first version of it that is modelled. */
  readonly since: XenSeries;
  /** The last that has it; undefined: it is still there. */
  readonly until?: XenSeries;
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
  {
    name: 'sedf',
    title: 'Simple EDF Scheduler',
    since: '4.3',
    until: '4.5',
    create: (xen) => new SedfScheduler(xen),
  },
  {
    name: 'bcredit',
    title: 'SMP Credit Scheduler for client side',
    since: '3.3',
    until: '3.3',
    create: (xen) => new BcreditScheduler(xen),
  },
];

/** Whether it is modelled in a version of Xen. */
export function isModelled({ since, until }: SchedulerEntry, series: XenSeries): boolean {
  return isSinceXen(series, since) && (until === undefined || isSinceXen(until, series));
}

/**
 * Throws UserError `unknown-scheduler` for one that is not in the table, `scheduler-too-old` for a version of
 * Xen in which it is not modelled, or does not exist any more.
 */
export function createScheduler(name: string, xen: Hypervisor): Scheduler {
  const entry = schedulers.find((known) => known.name === name);
  if (entry === undefined) {
    throw new UserError('unknown-scheduler', `scheduler "${name}" is not simulated yet`, {
      hint: `there is ${schedulers.map((known) => known.name).join(', ')}`,
    });
  }
  const { series } = xen.version;
  if (!isModelled(entry, series)) {
    const { since, until } = entry;
    const modelled = schedulers.filter((known) => isModelled(known, series)).map((each) => each.name);
    const sentence = `scheduler "${name}" of Xen ${series} is not modelled`;
    const last = since === until ? 'only' : `to ${until}`;
    const when = until === undefined ? `from Xen ${since} on` : `of Xen ${since} ${last}`;
    throw new UserError('scheduler-too-old', sentence, {
      hint: `it is ${when}; of ${series} there is ${modelled.join(', ')}`,
    });
  }
  return entry.create(xen);
}
