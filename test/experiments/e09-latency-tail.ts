import { atLeast, between, type Check, type Experiment } from './experiment.ts';
import { runsFor } from './runs-for.ts';

const COUNTS = [1, 2, 3, 4];
const AS_MANY =
  'As many nearly-hogs as pCPUs are enough: when both are awake both pCPUs are taken, by vCPUs that woke with BOOST, and the probe, boosted as well, ' +
  'does not preempt an equal. Only with a pCPU to spare is there no tail.';

/** The probe is domain 1. */
export const latencyTail: Experiment = {
  id: 'E9',
  title: 'The tail of a latency needs neighbours that sleep',
  about:
    'Xu, Musgrave, Noble and Bailey, "Bobtail" (NSDI 2013), as summarised by J. Zhi: long tails come where CPU-bound VMs outnumber the pCPUs and do not use them ' +
    'to 100 %. A probe with 100 requests per second on 2 pCPUs, beside 1 to 4 VMs that compute all or 90 % of the time.',
  runs: runsFor(COUNTS, (count) => ({
    [`hogs, ${count}`]: {
      scenario: 'nearly-hogs.yaml',
      set: { 'cpu.count': count, 'cpu.weight': 256 * count, 'cpu.workload': 'hog' },
      fromNs: 1e9,
      passes: ['waits'],
    },
    [`nearly, ${count}`]: {
      scenario: 'nearly-hogs.yaml',
      set: { 'cpu.count': count, 'cpu.weight': 256 * count },
      fromNs: 1e9,
      passes: ['waits'],
    },
  })),
  checks: (runs) =>
    COUNTS.map((count): Check => {
      const tail = (kind: string) =>
        runs[`${kind}, ${count}`].value('waits', { dom: 1, cause: 'wake' }, 'wait_ns_p999');
      const check = {
        what: `p99.9 of the waits, ${count} of 90 % over ${count} of 100 %`,
        tag: 'S' as const,
        published: count > 2 ? '2 to 4 times' : 'no difference',
        got: tail('nearly') / tail('hogs'),
        expected: count > 2 ? atLeast(2) : between(0.8, 1.25),
      };
      return count === 2 ? { ...check, instead: { expected: atLeast(2), why: AS_MANY } } : check;
    }),
};
