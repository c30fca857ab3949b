import { UserError } from '../base/errors.ts';
import { isSinceXen, XEN_SERIES, type XenSeries, xenSeriesOf } from '../scenario/xen-versions.ts';

/** What the credit scheduler does differently from version to version. */
export interface CreditVersion {
  /**
   * A pCPU looks for work to steal at most once per `load-balance-ratelimit` (1 ms). Before, at every
   * decision that finds nothing better than OVER. Xen 58feb9e0ac "credit: Limit load balancing to once per
   * millisecond".
   */
  readonly limitsLoadBalancing: boolean;
  /**
   * A vCPU counts as yielding until it is taken off its run queue, and is not stolen while it does. Before,
   * only until the decision that follows the yield. Xen e282067cf2 "credit: Don't steal vcpus which have
   * yielded".
   */
  readonly yieldLastsWhileQueued: boolean;
}

/** What the credit2 scheduler does differently from version to version. */
export interface Credit2Version {
  /**
   * The time slice ends when the credit of the vCPU that was just preempted is met, too. Before, that vCPU
   * was overlooked because it is queued only after the decision, so that two equals took turns of 10 ms
   * instead of 1 ms. Xen ae648e9f80 "credit2: factor in previous active unit's credit in
   * csched2_runtime()", which later went into 4.19.3 and 4.20.2, too; those series are modelled as they
   * were first released.
   */
  readonly slicesSeePreempted: boolean;
  /**
   * The last half word of RUNQ_ASSIGN is 0. Before, it is what the stack held: on the reference machine's
   * build the number of the run queue again when the vCPU migrates, 0 when it is new. Xen 2992f4dcd5
   * "xen/credit2: Remove tail padding from TRC_CSCHED2_* records".
   */
  readonly clearsAssignPadding: boolean;
}

/** What the RTDS scheduler does differently from version to version. */
export interface RtdsVersion {
  /**
   * Until 4.6 it looks at deadlines and budgets when it decides, on a busy pCPU at least every millisecond:
   * polling. first-timer: a first attempt at a timer for replenishments, not merged. undefined: the timer.
   * Xen 0709d59545 "sched: convert RTDS from time to event driven model".
   */
  readonly timeDriven: 'polling' | 'first-timer' | undefined;
  /**
   * A renewal counts from when it happens: what a vCPU has run before is not charged to its new budget.
   * Before 4.8 it is, so that a vCPU that runs at its deadline loses as much of the new period as it ran in
   * the old one. Xen 514e5eb015 "xen:rtds: Fix bug in budget accounting" and a418ec07cf.
   */
  readonly chargesFromRenewal: boolean;
  /** Decisions leave a record of their own, TRC_RTDS_SCHEDULE: from 4.8. */
  readonly recordsDecisions: boolean;
  /** A new vCPU is placed where its affinity allows: from 4.8. */
  readonly placesAtInsertion: boolean;
  /**
   * A depleted vCPU that is in no queue when its budget comes stays marked as depleted: until 4.7. Xen
   * 1b843b2097 "xen: rtds: always clear the flag when replenishing a depleted vcpu".
   */
  readonly tellsDepletedLate: boolean;
  /**
   * Extratime and its priority levels: from 4.10. Xen 463b958317 "xen:rtds: towards work conserving RTDS".
   * Before, a depleted vCPU always waits for its next period.
   */
  readonly hasExtratime: boolean;
  /**
   * Of equal deadlines the one queued last comes first, but who runs goes on: until 4.9. From 4.10 on the one
   * queued first comes first, and who runs loses.
   */
  readonly equalsGoFirst: boolean;
  /**
   * A vCPU wakes its previous pCPU if that is idle, even where its affinity does not allow it or another vCPU
   * has just been sent there: until 4.9. Xen de8b2f49d7 "xen: rtds: only tickle non-already tickled CPUs".
   */
  readonly ticklesHomeUnasked: boolean;
  /**
   * A decision that meets a vCPU in the run queue that may not run after all goes on to the next. Before
   * 4.18 the pCPU idles. Xen 0f1dec89d3 "xen/sched: try harder to find a runnable unit in rt_schedule()".
   */
  readonly picksAgain: boolean;
  /**
   * A depleted vCPU that is allowed extratime gets a budget at once: from 4.20.4. Xen 37b49cb48e "sched/rtds:
   * refill cur_budget when extratime is toggled on a depleted vCPU".
   */
  readonly refillsOnExtratime: boolean;
}

/** What the ARINC 653 scheduler does differently from version to version. */
export interface Arinc653Version {
  /**
   * All pools of the host share one position in the frame: until 4.17. Xen d0561ac8ab "xen/sched: fix
   * arinc653 to not use variables across cpupools".
   */
  readonly sharesPosition: boolean;
  /**
   * Frames begin at multiples of their length, counted from when the table was set. Before 4.19.6 each
   * begins when the pCPU comes to it, so that the lateness of timers adds up: drift. Xen f2927d8343
   * "xen/arinc653: fix delay in the start of major frame".
   */
  readonly anchorsFrames: boolean;
  /**
   * The table that dom0's vCPUs make by themselves has a slot too much at its end, in which the host idles:
   * 4.19.6, and 4.21.0. Xen 6d412c0599 "arinc653: remove idle period in default schedule".
   */
  readonly countsFirstSlotTwice: boolean;
}

/** What the machine and the common part do differently. */
export interface CoreVersion {
  /**
   * vCPU 0 of a new domain starts on the pCPU with the fewest vCPUs, the highest of several, leaving out
   * first threads of cores and the core of pCPU 0 as long as there are others: until 4.8 here. Later on the
   * first pCPU.
   */
  readonly placesByPopulation: boolean;
  /**
   * A timer that is set to the present or the past fires this much later. Code takes no time on this
   * machine, so that a scheduler which asks to be called at once, for ever, would stop the clock: RTDS
   * until 4.6 does so on an idle pCPU. On hardware each round costs what its code costs.
   */
  readonly timerMinNs: number;
}

/** A version of Xen: the switches by which the modelled versions differ, in one place. */
export interface XenVersion {
  readonly series: XenSeries;
  readonly credit: CreditVersion;
  readonly credit2: Credit2Version;
  readonly rtds: RtdsVersion;
  readonly arinc653: Arinc653Version;
  readonly core: CoreVersion;
}

/**
 * The version that a scenario names: the last release of a series, or 'head', which is c447b7308b of August
 * 2026.
 *
 * core.c decides alike in all of them. Throws UserError `unknown-xen-version`.
 */
export function xenVersion(name: string): XenVersion {
  const series = xenSeriesOf(name);
  if (series === undefined) {
    throw new UserError('unknown-xen-version', `Xen "${name}" is not modelled`, {
      hint: `known are ${XEN_SERIES.join(', ')}`,
    });
  }
  return {
    series,
    credit: {
      limitsLoadBalancing: isSinceXen(series, '4.18'),
      yieldLastsWhileQueued: isSinceXen(series, '4.18'),
    },
    credit2: {
      slicesSeePreempted: isSinceXen(series, '4.21'),
      clearsAssignPadding: isSinceXen(series, '4.18'),
    },
    rtds: rtdsVersion(series),
    arinc653: {
      sharesPosition: !isSinceXen(series, '4.18'),
      anchorsFrames: isSinceXen(series, '4.19'),
      countsFirstSlotTwice: series === '4.19',
    },
    core: {
      placesByPopulation: !isSinceXen(series, '4.17'),
      timerMinNs: isSinceXen(series, '4.7') ? 0 : 1000,
    },
  };
}

function rtdsVersion(series: XenSeries): RtdsVersion {
  const since48 = isSinceXen(series, '4.8');
  const since410 = isSinceXen(series, '4.17');
  const first = series === '4.6-rfc' ? 'first-timer' : 'polling';
  return {
    timeDriven: isSinceXen(series, '4.7') ? undefined : first,
    chargesFromRenewal: since48,
    recordsDecisions: since48,
    placesAtInsertion: since48,
    tellsDepletedLate: !since48,
    hasExtratime: since410,
    equalsGoFirst: !since410,
    ticklesHomeUnasked: !since410,
    picksAgain: isSinceXen(series, '4.18'),
    refillsOnExtratime: isSinceXen(series, '4.20'),
  };
}
