import { UserError } from '../base/errors.ts';
import { isSinceXen, XEN_SERIES_WORDS, type XenSeries, xenSeriesOf } from '../scenario/xen-versions.ts';
import { type CreditVersion, creditVersion } from './schedulers/credit/version.ts';

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
   * The least budget, RTDS_MIN_BUDGET: from 4.7. Before, Xen takes any of a microsecond or more, and it is libxl
   * that sees to it that a budget is at most the period. Xen f7b87b0745 "enable per-VCPU parameter for RTDS".
   */
  readonly budgetMinNs: number;
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
   * Nor does such a vCPU get any more budget until it wakes: from 4.17. From 4.13 to 4.16 it still does. Xen 73c62927f6
   * "xen/sched: fix race in RTDS scheduler".
   */
  readonly forgetsUnrunnable: boolean;
  /**
   * A depleted vCPU that is allowed extratime gets a budget at once: from 4.20.4. Xen 37b49cb48e "sched/rtds:
   * refill cur_budget when extratime is toggled on a depleted vCPU".
   */
  readonly refillsOnExtratime: boolean;
}

/** What the SEDF scheduler does differently from version to version. */
export interface SedfVersion {
  /**
   * A vCPU that is placed, as with a new affinity, goes to the first pCPU where it may be, whatever its number: until
   * 4.2. Xen e6a6fd6365 "SEDF: avoid gathering vCPU-s on pCPU0".
   */
  readonly placesOnFirst: boolean;
}

/** What the ARINC 653 scheduler does differently from version to version. */
export interface Arinc653Version {
  /**
   * All pools of the host share one position in the frame: until 4.17. Xen d0561ac8ab "xen/sched: fix
   * arinc653 to not use variables across cpupools".
   */
  readonly sharesPosition: boolean;
  /**
   * Frames begin at multiples of their length, counted from when the table was set. Before 4.19.3 each
   * begins when the pCPU comes to it, so that the lateness of timers adds up: drift. Xen f2927d8343
   * "xen/arinc653: fix delay in the start of major frame".
   */
  readonly anchorsFrames: boolean;
  /**
   * The table that dom0's vCPUs make by themselves has a slot too much at its end, in which the host idles:
   * from 4.19.3 to 4.19.6, and in early releases of 4.20 and 4.21. Xen 6d412c0599 "arinc653: remove idle period in
   * default schedule".
   */
  readonly countsFirstSlotTwice: boolean;
  /**
   * A slot that a vCPU of dom0 gets by itself is for whichever domain a table had in this place before: until
   * 4.20.3. It shows if dom0 is created after a longer table and a shorter one were set. Xen 2a0ee29f5e "arinc653:
   * overwrite entire .dom_handle[] for Dom0 slots".
   */
  readonly keepsOldHandles: boolean;
}

/** What the machine and the common part do differently. */
export interface CoreVersion {
  /**
   * vCPU 0 of a new domain starts on the pCPU with the fewest vCPUs, the highest of several, leaving out
   * first threads of cores and the core of pCPU 0 as long as there are others: until 4.7. Later on the first
   * pCPU. Xen d5438accce "xen: Remove buggy initial placement algorithm".
   */
  readonly placesByPopulation: boolean;
  /**
   * A timer that is set to the present or the past fires this much later. Code takes no time on this
   * machine, so that a scheduler which asks to be called at once, for ever, would stop the clock: RTDS
   * of 4.5 and 4.6 does so on an idle pCPU. On hardware each round costs what its code costs.
   */
  readonly timerMinNs: number;
  /**
   * Whoever reads or sets parameters of a domain first pauses all its vCPUs, and wakes them afterwards: until
   * 4.1. Xen a33389c34e "Rework locking for sched_adjust".
   */
  readonly pausesToAdjust: boolean;
  /**
   * The toolstack's pauses of a domain count, so that each needs an unpause: from 4.5. Before, one unpause ends them
   * all. Xen 3eb1c708ab "properly reference count DOMCTL_{,un}pausedomain hypercalls".
   */
  readonly countsPauses: boolean;
  /**
   * A new affinity moves a vCPU only if it is where it must not be any more: until 4.2. Later the scheduler
   * places it anew in any case. Xen 0f3b02d07e "sched: always ask the scheduler to re-place the vcpu when the
   * affinity changes".
   */
  readonly movesOnlyOutcasts: boolean;
  /**
   * A vCPU that is moved goes where the scheduler says, even if that is a pCPU on which it must not run: until 4.0.
   * Later the scheduler is asked once more in such a case. Xen 53582e3da0 "cpupool: Avoid race when moving cpu between
   * cpupools", 2e13a886e5 "Avoid possible live-lock in vcpu_migrate" and 72ec661949 "Avoid endless loop for vcpu
   * migration.".
   */
  readonly placesOnce: boolean;
  /**
   * A vCPU that is to be moved is placed even while it still runs, and again afterwards: from 4.1 to 4.10.
   * Xen 2e13a886e5 "Avoid possible live-lock in vcpu_migrate" and 9a36de177c "xen/schedule: Fix races in vcpu
   * migration".
   */
  readonly placesWhileRunning: boolean;
  /**
   * Whoever is to run next is asked whether it still may: from 4.13. Before, a vCPU that was paused in the same instant
   * runs until the next decision. Xen 7c7b407e77 "xen/sched: introduce unit_runnable_state()".
   */
  readonly asksNext: boolean;
  readonly records: CoreRecords;
}

/** Which records the common part makes, and when. */
export interface CoreRecords {
  /** SLEEP and WAKE come after what they lead to: until 4.6. Xen 5da5a383a0. */
  readonly wakeComesLast: boolean;
  /** A vCPU that is to move because of a new affinity leaves a SLEEP, too: until 4.10. Xen 9a36de177c. */
  readonly sleepsToMove: boolean;
  /** DOM_ADD is made for each vCPU and says which: until 4.6. Xen 7d42c76150. */
  readonly addsVcpus: boolean;
  /** DOM_REM is made: from 4.7. Xen 7d42c76150. */
  readonly removesDomains: boolean;
  /** SWITCH comes after the runstates of the two have changed: until 4.0. Xen 741bcc86e2. */
  readonly switchComesLast: boolean;
  /** SWITCH_INFPREV and SWITCH_INFNEXT name the vCPU: from 4.8. Xen acdedf455c. */
  readonly switchNamesVcpus: boolean;
  /**
   * SWITCH_INFPREV and SWITCH_INFNEXT count from when the vCPU came to its runstate: until 4.12. Later from
   * when it last began or ceased to run, or was woken. Xen 0566fbf52e.
   */
  readonly timesRunstates: boolean;
  /** CONTINUE_RUNNING is made: from 3.4. Xen 9c3f0a9659. */
  readonly continues: boolean;
  /** SWITCH_INFCONT is made: from 4.9. Xen f462a9b3f1. */
  readonly continuesWithSlice: boolean;
}

/** A version of Xen: the switches by which the modelled versions differ, in one place. */
export interface XenVersion {
  readonly series: XenSeries;
  readonly credit: CreditVersion;
  readonly credit2: Credit2Version;
  readonly rtds: RtdsVersion;
  readonly sedf: SedfVersion;
  readonly arinc653: Arinc653Version;
  readonly core: CoreVersion;
}

/**
 * The version that a scenario names: from 4.17 on the last release of a series, before 4.17 the first one,
 * since later ones took over some changes and not others; 3.3 is fd3c09b029 of November 2008; 'head' is
 * c447b7308b of August 2026.
 *
 * From 4.17 on core.c decides alike in all of them. Throws UserError `unknown-xen-version`.
 */
export function xenVersion(name: string): XenVersion {
  const series = xenSeriesOf(name);
  if (series === undefined) {
    throw new UserError('unknown-xen-version', `Xen "${name}" is not modelled`, {
      hint: `known are ${XEN_SERIES_WORDS}`,
    });
  }
  return {
    series,
    credit: creditVersion(series),
    credit2: {
      slicesSeePreempted: isSinceXen(series, '4.21'),
      clearsAssignPadding: isSinceXen(series, '4.18'),
    },
    rtds: rtdsVersion(series),
    sedf: { placesOnFirst: !isSinceXen(series, '4.3') },
    arinc653: {
      sharesPosition: !isSinceXen(series, '4.18'),
      anchorsFrames: isSinceXen(series, '4.19'),
      countsFirstSlotTwice: series === '4.19',
      keepsOldHandles: !isSinceXen(series, '4.20'),
    },
    core: coreVersion(series),
  };
}

function coreVersion(series: XenSeries): CoreVersion {
  const since = (first: XenSeries) => isSinceXen(series, first);
  return {
    placesByPopulation: !since('4.8'),
    timerMinNs: since('4.5') && !since('4.7') ? 1000 : 0,
    pausesToAdjust: !since('4.2'),
    countsPauses: since('4.5'),
    movesOnlyOutcasts: !since('4.3'),
    placesOnce: !since('4.1'),
    placesWhileRunning: since('4.1') && !since('4.11'),
    asksNext: since('4.13'),
    records: {
      wakeComesLast: !since('4.7'),
      sleepsToMove: !since('4.11'),
      addsVcpus: !since('4.7'),
      removesDomains: since('4.7'),
      switchComesLast: !since('4.1'),
      switchNamesVcpus: since('4.8'),
      timesRunstates: !since('4.13'),
      continues: since('3.4'),
      continuesWithSlice: since('4.9'),
    },
  };
}

function rtdsVersion(series: XenSeries): RtdsVersion {
  const since48 = isSinceXen(series, '4.8');
  const since410 = isSinceXen(series, '4.10');
  const first = series === '4.6-rfc' ? 'first-timer' : 'polling';
  return {
    timeDriven: isSinceXen(series, '4.7') ? undefined : first,
    budgetMinNs: isSinceXen(series, '4.7') ? 10_000 : 1_000,
    chargesFromRenewal: since48,
    recordsDecisions: since48,
    placesAtInsertion: since48,
    tellsDepletedLate: !since48,
    hasExtratime: since410,
    equalsGoFirst: !since410,
    ticklesHomeUnasked: !since410,
    picksAgain: isSinceXen(series, '4.18'),
    forgetsUnrunnable: isSinceXen(series, '4.17'),
    refillsOnExtratime: isSinceXen(series, '4.20'),
  };
}
