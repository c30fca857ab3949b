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

/** A version of Xen: the switches by which the modelled versions differ, in one place. */
export interface XenVersion {
  readonly series: XenSeries;
  readonly credit: CreditVersion;
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
  };
}
