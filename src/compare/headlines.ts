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
  /** A row of fewer samples is no headline: two hogs wake twice, and how long that took says nothing. */
  readonly samplesMin?: number;
  /** People see it only where it is not 0 everywhere. */
  readonly nonzero?: boolean;
  /** Where the column does not say. */
  readonly better?: 'lower' | 'higher';
}

const WAKE_WAITS = {
  table: 'waits_by_domain',
  where: { cause: 'wake' },
  samplesMin: 20,
  better: 'lower',
} as const;
const JOBS = { table: 'deadlines_by_domain', better: 'lower' } as const;
const STATES = { table: 'runstates_by_domain' } as const;

/** The figures that matter most, in the order in which people read them. */
export const headlines: readonly Headline[] = [
  { ...WAKE_WAITS, column: 'wait_ns_p50', words: 'median wake wait' },
  { ...WAKE_WAITS, column: 'wait_ns_p99', words: 'p99 wake wait' },
  { ...WAKE_WAITS, column: 'wait_ns_max', words: 'longest wake wait' },
  { ...JOBS, column: 'miss_ratio', words: 'miss ratio' },
  { ...JOBS, column: 'response_ns_p99', words: 'p99 response time' },
  { ...JOBS, column: 'tardiness_ns_p99', words: 'p99 tardiness' },
  { table: 'steal_by_domain', column: 'ready_ratio', words: 'time ready', better: 'lower' },
  {
    table: 'servers',
    column: 'miss_ratio',
    words: 'missed periods of its server',
    nonzero: true,
    better: 'lower',
  },
  { ...STATES, column: 'pcpu_share', words: 'share of a pCPU' },
  { ...STATES, column: 'throttled_ns', words: 'throttled time', nonzero: true },
  { table: 'fairness', column: 'share_error', words: 'share error', magnitude: true, better: 'lower' },
  { table: 'fairness_summary', column: 'jain_entitled', words: 'fairness (Jain)', better: 'higher' },
  {
    table: 'fairness_windows',
    where: { window_ns: 100_000_000 },
    column: 'jain_entitled_worst',
    words: 'fairness in the worst 100 ms (Jain)',
    better: 'higher',
  },
  { table: 'pcpus', column: 'utilisation', words: 'utilisation of the pCPUs', rows: 'mean' },
  { table: 'pcpus', column: 'switches', words: 'rate of context switches', rows: 'sum', perSecond: true },
  { ...STATES, column: 'migrations', words: 'rate of migrations', rows: 'sum', perSecond: true },
];
