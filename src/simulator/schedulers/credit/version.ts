import { isSinceXen, type XenSeries } from '../../../scenario/xen-versions.ts';

/**
 * What the credit scheduler did differently in the course of its history: one switch for each change of
 * behaviour, from Xen 3.3 on. The releases are those whose first version, x.y.0, has the change; some
 * changes also went into later versions of an older series.
 *
 * Source: common/sched_credit.c, later common/sched/credit.c, and the changes named here.
 */
export interface CreditVersion {
  // ---- Accounting

  /**
   * Whoever runs when its pCPU's tick comes pays for the whole tick, and nobody else pays: until 3.4. Xen
   * 78c9b2a64b "Accurate accounting for credit scheduler", which charges by timestamp.
   */
  readonly samplesUsage: boolean;
  /**
   * Accounting is every third tick of the first pCPU, between what that tick does for the vCPU that runs and
   * the sorting of its run queue: until 3.3. Later a timer of its own. Xen 964fae8ac2 "cpuidle:
   * suspend/resume scheduler tick timer during cpu idle state entry/exit".
   */
  readonly accountsAtTicks: boolean;
  /**
   * A charge leaves what is less than a credit for the next one: from 4.3. Before it is rounded to the
   * nearest, and time that was paid too early or too late is made up for by the next charge. Xen cf0c29d1a9
   * "credit1: track residual from divisions done during accounting".
   */
  readonly keepsResidual: boolean;
  /**
   * A domain's weight counts once, however many of its vCPUs are active: until 4.0. Xen 3a37d430ce "credit1:
   * Make weight per-vcpu".
   */
  readonly weighsDomains: boolean;
  /**
   * A vCPU that has earned more than one time slice's worth, and so leaves the active list, loses all of its
   * credit: until 4.0. Later half of it. Xen c92d5f4e0f "Credit1: Tweak reset condition".
   */
  readonly forfeitsSurplus: boolean;

  /**
   * A new time slice takes its ticks and what an accounting gives each vCPU with it: from 4.4. Before, both stay. Xen
   * 1320b8100c "credit: Update other parameters when setting tslice_ms".
   */
  readonly slicesTicks: boolean;
  /**
   * A new time slice changes what an accounting gives out: from 4.7. Before, that stays as it was until a pCPU comes or
   * goes. Xen ffc342fbb0 "credit: recalculate per-cpupool credits when updating timeslice".
   */
  readonly slicesCredit: boolean;

  // ---- Boost

  /**
   * A vCPU that was parked for its cap is boosted when its credit is positive again: from 4.3 to 4.12, by
   * mistake. Xen be65075094 "credit1: Use atomic bit operations for the flags structure" and 5c8c0ae7c4
   * "sched/credit: avoid priority boost for capped domains when unpark".
   */
  readonly boostsUnparked: boolean;
  /**
   * Being moved to another pCPU counts as waking up, and so deserves a boost: until 4.6. Xen 66c7449a4d
   * "credit1: avoid boosting vCPUs being "just" migrated".
   */
  readonly boostsMigrated: boolean;

  // ---- Decisions

  /** The idle vCPU has a time slice like any other: until 3.3. Xen c806877d1b. */
  readonly slicesIdle: boolean;
  /**
   * A vCPU that yields lets one of lower priority pass: from 4.1. Before it goes behind its equals. Xen
   * 5fc9f5ef6c "scheduler: Implement yield for credit1".
   */
  readonly passesOnYield: boolean;
  /**
   * A vCPU counts as yielding until it is taken off its run queue, and is not stolen while it does: from
   * 4.18. Before, only until the decision that follows the yield. Xen e282067cf2 "credit: Don't steal vcpus
   * which have yielded".
   */
  readonly yieldLastsWhileQueued: boolean;
  /** The boot parameter sched_credit_tslice_ms: from 4.2. Xen d0ac87b3c0 "Add variable timeslice". */
  readonly hasTimeSlice: boolean;
  /**
   * No preemption within sched_ratelimit_us: from 4.2. Xen 64908a0466 "sched_credit: Use delay to control
   * scheduling frequency".
   */
  readonly hasRatelimit: boolean;
  /** A sched_ratelimit_us of 0 switches it off: from 4.3. Xen 62bc54ce1d "scheduler: fix rate limit range checking". */
  readonly mayLackRatelimit: boolean;
  /**
   * A vCPU that goes on because of the rate limit gets a time slice of the whole limit, and even one that
   * yields goes on: until 4.7. Later it gets the rest of the limit. Xen 0053127890 "credit1: return the 'time
   * remaining to the limit' as next timeslice" and 9fdd2f3c9c "credit1: don't rate limit context switches in
   * case of yields".
   */
  readonly restartsRatelimit: boolean;
  /**
   * The tick of an idle pCPU stops, and comes back on the grid of ticks since boot: from 4.13. From 3.4 to
   * 4.12 it stopped only in deep sleep states, which this machine does not have. Xen 969f58bde2 "xen/sched:
   * let credit scheduler control its timer all alone".
   */
  readonly stopsIdleTicks: boolean;

  // ---- Placement

  /**
   * A new vCPU is placed by the scheduler: from 4.8. Xen 9f358ddd69 "xen: Have schedulers revise initial
   * placement".
   */
  readonly placesAtInsertion: boolean;
  /**
   * In the choice of a pCPU, of idle neighbours that are equally good, none: always the one that was looked
   * at, until 3.4. unmasked: they take turns, and one that the vCPU must not run on may be chosen: 4.0. stepwise: only
   * those that it may run on, but each step of the search counts as a turn: 4.1. masked: from 4.2 on only its result
   * does. Xen de349fe6b0 "small csched_cpu_pick() adjustments", 2b254451a7 and 58a83b75d1 "_csched_cpu_pick(): don't
   * return CPUs outside vCPU's affinity mask" and 32084d0016 "_csched_cpu_pick(): don't write idle bias more than
   * once".
   */
  readonly neighbourTurns: 'none' | 'unmasked' | 'stepwise' | 'masked';
  /**
   * A vCPU moves to another socket only if that has more than twice as many idle pCPUs: from 4.1. Xen
   * 6d6b9b99aa "sched_credit: Raise bar for inter-socket migrations on mostly-idle systems".
   */
  readonly sparesSockets: boolean;
  /**
   * The choice begins at an idle pCPU, and where the vCPU is counts as idle only if nobody else wants to run
   * there: from 4.3. Xen 750ec2271d "improve picking up the idle CPU for a VCPU" and ebb064aa22 "when
   * picking, make sure we get an idle one, if any".
   */
  readonly picksIdle: boolean;
  /** Soft affinity: from 4.5. Xen db6b221591. The node affinity of domains in 4.3 and 4.4 is not modelled. */
  readonly hasSoftAffinity: boolean;
  /**
   * It makes a difference only if it leaves out some of a vCPU's pCPUs: from 4.6. In 4.5 it is looked at even if it
   * has all of them, unless it has all of the host. Xen 3582093e01 "credit: generalize __vcpu_has_soft_affinity()".
   */
  readonly skipsUselessSoftAffinity: boolean;

  // ---- Who is told of a wake-up

  /**
   * own-and-all: the vCPU's pCPU if it is better than who runs there, and all idle pCPUs on which it may run
   * unless its own is idle, until 4.0. own-and-one: one of those, from 4.1. idle-first: from 4.3 its own only
   * if that is idle, or if no other idle one suits. Xen e4434634c4 "CSCHED: Optimize __runq_tickle to reduce
   * IPIs" and ebce2d836c "xen: sched_credit: improve tickling of idle CPUs".
   */
  readonly tickling: 'own-and-all' | 'own-and-one' | 'idle-first';
  /**
   * Whether a vCPU that is preempted because no idle pCPU suits the one that wakes is sent to look for
   * another pCPU at once. always: from 4.3 to 4.6, even if it cannot go anywhere, so that it comes back
   * boosted. if-useful: from 4.7 only if it may run on an idle one. never: from 4.13, where the affinity of
   * the one that wakes is looked at by mistake. Xen f02a5760c7 "credit1: on vCPU wakeup, kick away current
   * only if makes sense" and 98fcb63804 "xen/sched: make credit scheduler vcpu agnostic".
   */
  readonly kicksAway: 'always' | 'if-useful' | 'never';
  /**
   * Idle pCPUs are told on which the vCPU may not run: 4.6 and 4.7, by mistake. Xen 02ea503182 "credit1:
   * properly deal with pCPUs not in any cpupool" and f83fc393b2 "credit1: fix mask to be used for tickling in
   * Credit1".
   */
  readonly ticklesUnsuited: boolean;
  /**
   * A pCPU that has been told is not idle any more: from 4.9. Xen 47d5292995 "xen: credit: consider tickled
   * pCPUs as busy".
   */
  readonly marksTickled: boolean;
  /**
   * A vCPU that may run on one pCPU only has that one told if it is idle, and nothing else is looked at: from
   * 4.11. Xen b37b61d178 "xen: sched: optimize exclusive pinning case".
   */
  readonly knowsPinned: boolean;

  // ---- Stealing

  /**
   * Where a pCPU looks for work to steal. cycle: at all others, beginning with the next, until 4.2. nodes:
   * node by node, from 4.3, the lowest pCPU first. counted: from 4.9 only where more than one vCPU is
   * runnable, beginning behind where something was found last. Xen cfcc144ff1, 341450eaf7 "credit1: increase
   * efficiency and scalability of load balancing" and 89216c7999 "credit1: treat pCPUs more evenly during
   * balancing".
   */
  readonly stealing: 'cycle' | 'nodes' | 'counted';
  /**
   * A pCPU looks for work to steal at most once per `load-balance-ratelimit` (1 ms): from 4.18. Before, at
   * every decision that finds nothing better than OVER. Xen 58feb9e0ac "credit: Limit load balancing to once
   * per millisecond".
   */
  readonly limitsLoadBalancing: boolean;

  // ---- The end of a vCPU

  /** A vCPU that is parked for its cap is unpaused first: from 4.4. Xen d38a668b6e. */
  readonly unparksRemoved: boolean;

  // ---- Boot parameters and records

  /** The boot parameters vcpu_migration_delay and sched_smt_power_savings: from 3.4. */
  readonly hasDelayAndSavings: boolean;
  /** Records of its own: from 4.3. Xen cbcbe82fb3 "xen: sched_credit: add some tracing". */
  readonly records: boolean;
  /** Records of boosts: from 4.7. Xen 3c7d1da274. */
  readonly recordsBoosts: boolean;
  /** Records of decisions and of the rate limit: from 4.8. Xen c540b09cec. */
  readonly recordsDecisions: boolean;
}

/** The switches of one version. */
export function creditVersion(series: XenSeries): CreditVersion {
  const since = (first: XenSeries) => isSinceXen(series, first);
  return {
    samplesUsage: !since('4.0'),
    accountsAtTicks: !since('3.4'),
    keepsResidual: since('4.3'),
    weighsDomains: !since('4.1'),
    forfeitsSurplus: !since('4.1'),
    slicesTicks: since('4.4'),
    slicesCredit: since('4.7'),

    boostsUnparked: since('4.3') && !since('4.13'),
    boostsMigrated: !since('4.7'),

    slicesIdle: !since('3.4'),
    passesOnYield: since('4.1'),
    yieldLastsWhileQueued: since('4.18'),
    hasTimeSlice: since('4.2'),
    hasRatelimit: since('4.2'),
    mayLackRatelimit: since('4.3'),
    restartsRatelimit: !since('4.8'),
    stopsIdleTicks: since('4.13'),

    placesAtInsertion: since('4.8'),
    neighbourTurns: neighbourTurns(series),
    sparesSockets: since('4.1'),
    picksIdle: since('4.3'),
    hasSoftAffinity: since('4.5'),
    skipsUselessSoftAffinity: since('4.6'),

    tickling: since('4.3') ? 'idle-first' : since('4.1') ? 'own-and-one' : 'own-and-all',
    kicksAway: since('4.13') ? 'never' : since('4.7') ? 'if-useful' : 'always',
    ticklesUnsuited: since('4.6') && !since('4.8'),
    marksTickled: since('4.9'),
    knowsPinned: since('4.11'),

    stealing: since('4.9') ? 'counted' : since('4.3') ? 'nodes' : 'cycle',
    limitsLoadBalancing: since('4.18'),

    unparksRemoved: since('4.4'),

    hasDelayAndSavings: since('3.4'),
    records: since('4.3'),
    recordsBoosts: since('4.7'),
    recordsDecisions: since('4.8'),
  };
}

function neighbourTurns(series: XenSeries): CreditVersion['neighbourTurns'] {
  if (isSinceXen(series, '4.2')) return 'masked';
  if (isSinceXen(series, '4.1')) return 'stepwise';
  return isSinceXen(series, '4.0') ? 'unmasked' : 'none';
}
