/** A figure that people want to see first when they compare. */
export interface Headline {
  /** The result and the column that have it; a trace whose results lack them has no such figure. */
  readonly table: string;
  readonly column: string;
  /** Only rows with these cells. */
  readonly where?: Readonly<Record<string, string | number>>;
  /** What people read, after the name of the domain where the row is about one. */
  readonly words: string;
  /** All rows put together: one figure for the host. */
  readonly rows?: 'sum' | 'mean';
  /** Divided by the length of the trace. */
  readonly perSecond?: boolean;
  /** Without its sign: how far from 0. */
  readonly magnitude?: boolean;
  /** Where the column does not say. */
  readonly better?: 'lower' | 'higher';
}

const WAKE = { cause: 'wake' };

/** The figures that matter most, in the order in which people read them. */
export const headlines: readonly Headline[] = [
  { table: 'waits_by_domain', where: WAKE, column: 'wait_ns_p50', words: 'median wake wait', better: 'lower' },
  { table: 'waits_by_domain', where: WAKE, column: 'wait_ns_p99', words: 'p99 wake wait', better: 'lower' },
  { table: 'waits_by_domain', where: WAKE, column: 'wait_ns_max', words: 'longest wake wait', better: 'lower' },
  { table: 'deadlines_by_domain', column: 'miss_ratio', words: 'miss ratio', better: 'lower' },
  { table: 'deadlines_by_domain', column: 'response_ns_p99', words: 'p99 response time', better: 'lower' },
  { table: 'deadlines_by_domain', column: 'tardiness_ns_p99', words: 'p99 tardiness', better: 'lower' },
  { table: 'runstates_by_domain', column: 'pcpu_share', words: 'share of a pCPU' },
  { table: 'runstates_by_domain', column: 'throttled_ns', words: 'throttled time' },
  { table: 'fairness', column: 'share_error', words: 'share error', magnitude: true, better: 'lower' },
  { table: 'fairness_summary', column: 'jain_entitled', words: 'fairness (Jain)', better: 'higher' },
  {
    table: 'fairness_summary',
    column: 'jain_entitled_worst',
    words: 'fairness in the worst window (Jain)',
    better: 'higher',
  },
  { table: 'pcpus', column: 'utilisation', words: 'utilisation of the pCPUs', rows: 'mean' },
  { table: 'pcpus', column: 'switches', words: 'context switches', rows: 'sum', perSecond: true },
  { table: 'runstates_by_domain', column: 'migrations', words: 'migrations', rows: 'sum', perSecond: true },
];
