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
import { RtGlobalScheduler } from './rtglobal.ts';
import { RtPartitionScheduler } from './rtpartition.ts';
import { RtXenScheduler } from './rtxen.ts';
import { SedfScheduler } from './sedf.ts';

/** A scheduler that can be simulated, and of which versions of Xen. */
export interface SchedulerEntry {
  /** As scenarios and `xl` call it. */
  readonly name: SchedulerName;
  /** What Xen calls it when it boots. */
  readonly title: string;
  /** The first version of it that is modelled. */
  readonly since: XenSeries;
  /** The last one; undefined: the newest. */
  readonly until?: XenSeries;
}

interface Model extends SchedulerEntry {
  create(xen: Hypervisor): Scheduler;
}

const models: readonly Model[] = [
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
  { name: 'rtds', title: 'SMP RTDS Scheduler', since: '4.5', create: createRtds },
  {
    name: 'arinc653',
    title: 'ARINC 653 Scheduler',
    since: '4.4',
    create: (xen) => new Arinc653Scheduler(xen),
  },
  {
    name: 'sedf',
    title: 'Simple EDF Scheduler',
    since: '4.2',
    until: '4.5',
    create: (xen) => new SedfScheduler(xen),
  },
  {
    name: 'rtxen',
    title: 'RT-Xen 1.0 Scheduler',
    since: '3.3',
    create: (xen) => new RtXenScheduler(xen),
  },
  {
    name: 'rtglobal',
    title: 'SMP RTGLOBAL Scheduler',
    since: 'rt-xen-2.0',
    until: 'rt-xen-2.0',
    create: (xen) => new RtGlobalScheduler(xen),
  },
  {
    name: 'rtpartition',
    title: 'SMP RTPARTITION Scheduler',
    since: 'rt-xen-2.0',
    until: 'rt-xen-2.0',
    create: (xen) => new RtPartitionScheduler(xen),
  },
  {
    name: 'bcredit',
    title: 'SMP Credit Scheduler for client side',
    since: '3.3',
    until: '3.3',
    create: (xen) => new BcreditScheduler(xen),
  },
];

/** Every scheduler that can be simulated, Xen's present ones first. */
export const schedulers: readonly SchedulerEntry[] = models;

/**
 * Throws UserError `unknown-scheduler` for one that is not in the table, `scheduler-too-old` or
 * `scheduler-too-new` for a version of it that is not modelled.
 */
export function createScheduler(name: string, xen: Hypervisor): Scheduler {
  const entry = models.find((known) => known.name === name);
  if (entry === undefined) {
    throw new UserError('unknown-scheduler', `scheduler "${name}" is not simulated yet`, {
      hint: `there is ${schedulers.map((known) => known.name).join(', ')}`,
    });
  }
  const { series } = xen.version;
  if (!isModelled(entry, series)) {
    const modelled = schedulers.filter((each) => isModelled(each, series)).map((each) => each.name);
    const sentence = `scheduler "${name}" of Xen ${series} is not modelled`;
    const hint = `it is ${versionsOf(entry)}; of ${series} there is ${modelled.join(', ')}`;
    const code = isSinceXen(series, entry.since) ? 'scheduler-too-new' : 'scheduler-too-old';
    throw new UserError(code, sentence, { hint });
  }
  return entry.create(xen);
}

/** Whether this version of the scheduler is modelled. */
export function isModelled({ since, until }: SchedulerEntry, series: XenSeries): boolean {
  return isSinceXen(series, since) && (until === undefined || isSinceXen(until, series));
}

function versionsOf({ since, until }: SchedulerEntry): string {
  if (until === undefined) return `from Xen ${since} on`;
  return since === until ? `of Xen ${since} only` : `from Xen ${since} to ${until}`;
}
