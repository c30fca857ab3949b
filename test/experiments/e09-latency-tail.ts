import { atLeast, between, type Check, type Experiment } from './experiment.ts';
import { runsFor } from './runs-for.ts';

const COUNTS = [1, 2, 3, 4];
const AS_MANY =
  'As many nearly-hogs as pCPUs are enough: when both are awake, both pCPUs are taken, for half of the ' +
  'time waited by a vCPU that woke with BOOST and that the probe, boosted as well, does not preempt. ' +
  'Only with a pCPU to spare is there no tail.';

const PURE_IS_CAUGHT =
  'Of 1000 requests of 75 us, 10 ms apart, some run when the tick comes. Then the pure VM, too, ' +
  'loses BOOST and waits behind the hogs, more than once in a hundred requests: the rare waits of ' +
  'both are alike, and it is the mean that tells them apart.';

/** The probe is domain 1. */
export const latencyTail: Experiment = {
  id: 'E9',
  title: 'The tail of a latency needs neighbours that sleep',
  about:
    'Xu, Musgrave, Noble and Bailey, "Bobtail" (NSDI 2013), as summarised by J. Zhi: long tails come ' +
    'where CPU-bound VMs outnumber the pCPUs and do not use them to 100 %. A probe with 100 requests ' +
    'per second on 2 pCPUs, beside 1 to 4 VMs that compute all or 90 % of the time.',
  runs: {
    mixed: { scenario: 'mixed-beside-hogs.yaml', fromNs: 1e9, passes: ['deadlines'] },
    ...runsFor(COUNTS, (count) => ({
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
  },
  checks: (runs) => {
    const mixedOverPure = (column: string) => {
      const response = (dom: number) => runs.mixed.value('deadlines', { dom, task: 0 }, column);
      return response(2) / response(1);
    };
    return [
      ...COUNTS.map((count): Check => {
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
      {
        what: 'mean response, a VM that also computes over one that does not, 2 hogs, 1 pCPU',
        tag: 'S',
        published: 'it waits for the cycle',
        got: mixedOverPure('response_ns_mean'),
        expected: atLeast(10),
      },
      {
        what: 'p99 of the same',
        tag: 'D',
        got: mixedOverPure('response_ns_p99'),
        expected: atLeast(10),
        instead: { expected: between(1, 5), why: PURE_IS_CAUGHT },
      },
    ];
  },
};
