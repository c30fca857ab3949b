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
   * The time slice ends when the credit of the vCPU that was just preempted is met, too. Before, that vCPU was
   * overlooked because it is queued only after the decision, so that two equals took turns of 10 ms instead
   * of 1 ms. Xen ae648e9f80 "credit2: factor in previous active unit's credit in csched2_runtime()".
   */
  readonly slicesSeePreempted: boolean;
  /**
   * The last half word of RUNQ_ASSIGN is 0. Before, it is what the stack held: on the reference machine's build
   * the number of the run queue again when the vCPU migrates, 0 when it is new. Xen 2992f4dcd5 "xen/credit2:
   * Remove tail padding from TRC_CSCHED2_* records".
   */
  readonly clearsAssignPadding: boolean;
}

/** A version of Xen: the switches by which the modelled versions differ, in one place. */
export interface XenVersion {
  readonly series: XenSeries;
  readonly credit: CreditVersion;
  readonly credit2: Credit2Version;
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
  };
}
