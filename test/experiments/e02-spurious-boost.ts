import { atLeast, atMost, between, type Experiment, exactly } from './experiment.ts';
import { runsFor } from './runs-for.ts';

const ERAS = ['4.2', '4.6', '4.7', 'head'];
const PASSES = ['waits', 'runstates', 'deadlines'];

/** The I/O is domain 1, the hog domain 2. */
export const spuriousBoost: Experiment = {
  id: 'E2',
  title: 'I/O beside a hog that is boosted for nothing',
  about:
    'Xen commit f02a5760c7 (Suo and Faggioli, 2015, in 4.7): netperf on the pCPU of a hog got 166.5 ' +
    'Mbit/s of the 806.6 it gets alone, and 731.7 of 807.2 with the fix. Here packets arrive at ' +
    'random, 60 us of work each, 30 % of the pCPU; one that takes longer than 5 ms counts as lost.',
  runs: runsFor(ERAS, (xen) => ({
    [xen]: { scenario: 'io-beside-hog.yaml', xen, fromNs: 5e8, seeds: 3, passes: PASSES },
    [`${xen}, alone`]: {
      scenario: 'io-beside-hog.yaml',
      xen,
      set: { 'cpu.workload': 'idle' },
      fromNs: 5e8,
      passes: PASSES,
    },
  })),
  checks: (runs) => {
    const served = (run: string) => 1 - runs[run].value('deadlines_by_domain', { dom: 1 }, 'miss_ratio');
    const ratio = (xen: string) => served(xen) / served(`${xen}, alone`);
    const kicks = (xen: string) => runs[xen].sum('waits', { dom: 2, cause: 'resume' }, 'count');
    const wait = (xen: string) => runs[xen].meanWait({ dom: 1, cause: 'wake' });
    return [
      {
        what: 'I/O served, of that alone, 4.6',
        tag: 'X',
        published: '0.21',
        got: ratio('4.6'),
        expected: between(0.1, 0.4),
      },
      ...['4.7', 'head'].map((xen) => ({
        what: `I/O served, of that alone, ${xen}`,
        tag: 'X' as const,
        published: '0.91',
        got: ratio(xen),
        expected: atLeast(0.85),
      })),
      {
        what: 'I/O served, of that alone, 4.2, which does not kick yet',
        tag: 'X',
        got: ratio('4.2'),
        expected: atLeast(0.85),
      },
      {
        what: 'times that the hog was sent to look for another pCPU, 4.6',
        tag: 'X',
        got: kicks('4.6'),
        expected: atLeast(1),
      },
      ...['4.2', '4.7', 'head'].map((xen) => ({
        what: `times that the hog was sent to look for another pCPU, ${xen}`,
        tag: 'X' as const,
        got: kicks(xen),
        expected: exactly(0),
      })),
      {
        what: 'mean wait of the I/O after waking, 4.6 over 4.7',
        tag: 'D',
        got: wait('4.6') / wait('4.7'),
        expected: atLeast(5),
      },
      {
        what: 'mean wait of the I/O after waking, head',
        tag: 'D',
        unit: 'ms',
        got: wait('head'),
        expected: atMost(1),
      },
    ];
  },
  notes: ['The other pCPU must idle: only then does a wake-up look for someone to send away.'],
};
