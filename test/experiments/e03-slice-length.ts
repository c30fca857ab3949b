import { atMost, between, type Check, type Experiment, near } from './experiment.ts';
import type { Outcome } from './outcome.ts';
import { runsFor } from './runs-for.ts';

const COUNTS = [2, 3, 4, 8];
const SLICES_MS = [30, 10, 5, 2, 1];
const RATELIMITS_US = [1000, 0];

const TICK_OF_A_SLICE =
  'With a slice below 3 ms a tick is as long as the slice, so that the queue is sorted a whole slice ' +
  'after accounting. Of n - 1 turns one is then a double one, as in the degenerate phase of the ' +
  'derivation, which gives n slices. With 1 ms the mean is that of the rule again.';

const RUNS_TWICE =
  'UNDER and OVER change at accounting only, so that one of the two before it may run twice: 60 ms ' +
  'is the mean, and the derivation has 60 to 90 ms for the longest.';

/** Hogs are domain 1; what the n vCPUs of one domain do is what n domains of equal weight would. */
export const sliceLength: Experiment = {
  id: 'E3',
  title: 'Slice length and waits: "behind one or two VMs means up to 60 ms"',
  about:
    'n hogs of equal weight on one pCPU. Xen commit 348dee3b8a (2014) shortened the slice of credit to ' +
    '5 ms because of waits up to 60 ms behind one or two VMs, and was reverted the same day. The mean ' +
    'and the longest waits of every n were derived from the rules.',
  runs: {
    ...runsFor(COUNTS, (n) => ({
      [`credit, ${n}`]: { scenario: 'hogs.yaml', scheduler: 'credit', set: setOf(n), fromNs: 1e9 },
    })),
    ...runsFor(SLICES_MS, (ms) => ({
      [`credit, 4, ${ms} ms`]: {
        scenario: 'hogs.yaml',
        scheduler: 'credit',
        set: { ...setOf(4), sched_credit_tslice_ms: ms },
        fromNs: 1e9,
      },
    })),
    ...runsFor(COUNTS, (n) =>
      runsFor(RATELIMITS_US, (us) => ({
        [`credit2, ${n}, ${us} us`]: {
          scenario: 'hogs.yaml',
          scheduler: 'credit2',
          set: { ...setOf(n), sched_ratelimit_us: us, duration: '3s' },
          fromNs: 1e9,
        },
      })),
    ),
    'credit2, 1:2': {
      scenario: 'hogs-by-weight.yaml',
      scheduler: 'credit2',
      set: { 'c.workload': 'idle' },
      fromNs: 1e9,
    },
    'credit2, 1:2:4': { scenario: 'hogs-by-weight.yaml', scheduler: 'credit2', fromNs: 1e9 },
  },
  checks: (runs) => [
    ...COUNTS.flatMap((n): Check[] => [
      {
        what: `mean wait, credit, ${n} hogs`,
        tag: 'D',
        unit: 'ms',
        got: runs[`credit, ${n}`].meanWait({}),
        expected: near((n - 1) * 30, (n - 1) * 0.3),
      },
      {
        what: `longest wait, credit, ${n} hogs`,
        tag: 'D',
        unit: 'ms',
        got: runs[`credit, ${n}`].maxWait({}),
        expected: atMost(Math.max(2 * n - 3, 1) * 30 + 0.1),
      },
    ]),
    {
      what: 'longest wait, credit, 3 hogs: behind two of them',
      tag: 'X',
      published: 'up to 60 ms',
      unit: 'ms',
      got: runs['credit, 3'].maxWait({}),
      expected: near(60, 1),
      instead: { expected: between(60, 90.1), why: RUNS_TWICE },
    },
    ...SLICES_MS.map(
      (ms): Check => ({
        what: `mean wait, credit, 4 hogs, slice of ${ms} ms`,
        tag: 'D',
        unit: 'ms',
        got: runs[`credit, 4, ${ms} ms`].meanWait({}),
        expected: near(3 * ms, 0.03 * ms),
        ...(ms === 2 ? { instead: { expected: near(4 * ms, 0.04 * ms), why: TICK_OF_A_SLICE } } : {}),
      }),
    ),
    ...COUNTS.flatMap((n): Check[] => [
      {
        what: `longest wait, credit2, ${n} hogs`,
        tag: 'D',
        unit: 'ms',
        got: runs[`credit2, ${n}, 1000 us`].maxWait({}),
        expected: near(n - 1, 0.5),
      },
      {
        what: `longest wait, credit2 without rate limit, ${n} hogs`,
        tag: 'D',
        unit: 'ms',
        got: runs[`credit2, ${n}, 0 us`].maxWait({}),
        expected: near(n * 0.5, 0.05),
      },
      {
        what: `mean waits, credit over credit2, ${n} hogs`,
        tag: 'D',
        got: runs[`credit, ${n}`].meanWait({}) / runs[`credit2, ${n}, 1000 us`].meanWait({}),
        expected: near(30, 0.5),
      },
    ]),
    {
      what: 'schedule() calls per second, credit2, 4 hogs',
      tag: 'D',
      got: runs['credit2, 4, 1000 us'].rate('schedule_calls'),
      expected: near(1000, 20),
    },
    {
      what: 'schedule() calls per second, credit2 without rate limit, 4 hogs',
      tag: 'D',
      got: runs['credit2, 4, 0 us'].rate('schedule_calls'),
      expected: near(2000, 40),
    },
    ...weighted(runs['credit2, 1:2'], '1:2', [33.33, 66.67], [2, 1]),
    ...weighted(runs['credit2, 1:2:4'], '1:2:4', [14.29, 28.57, 57.14], [6, 3, 2]),
  ],
};

function setOf(n: number): Record<string, number> {
  return { 'hogs.count': n };
}

/** Share and longest wait of each of the hogs, in the order of the domains. */
function weighted(outcome: Outcome, weights: string, shares: number[], waitsMs: number[]): Check[] {
  return shares.flatMap((share, index): Check[] => [
    {
      what: `share of hog ${index + 1}, credit2, weights ${weights}`,
      tag: 'D',
      unit: '%',
      got: outcome.share(index + 1),
      expected: near(share, 0.1),
    },
    {
      what: `longest wait of hog ${index + 1}, credit2, weights ${weights}`,
      tag: 'D',
      unit: 'ms',
      got: outcome.maxWait({ dom: index + 1 }),
      expected: near(waitsMs[index], 0.1),
    },
  ]);
}
