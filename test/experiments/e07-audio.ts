import { atLeast, atMost, type Check, type Experiment } from './experiment.ts';
import { runsFor } from './runs-for.ts';

const PCPUS = [1, 2];
const SCHEDULERS = ['credit', 'credit2'];

/** Audio is domain 1. It runs for a fifth of the time if it never waits. */
export const audio: Experiment = {
  id: 'E7',
  title: 'Audio beside four greedy VMs',
  about:
    "The workload N2s2a1 of George Dunlap's gwd/sched-sim, with which he designed credit2: audio wants " +
    '20 % in bits of 500 us. His prototypes gave it 18.2 and 19.2 % of one pCPU, 19.5 and 19.7 % of ' +
    'two, a round robin 0.7 and 2.3 %.',
  runs: runsFor(PCPUS, (pcpus) =>
    runsFor(SCHEDULERS, (scheduler) => ({
      [`${scheduler}, ${pcpus}`]: {
        scenario: 'audio.yaml',
        scheduler,
        set: { pcpus },
        seeds: 3,
        fromNs: 1e9,
      },
    })),
  ),
  checks: (runs) =>
    PCPUS.flatMap((pcpus): Check[] => {
      const served = (scheduler: string) => runs[`${scheduler}, ${pcpus}`].share(1) / 20;
      const wait = (scheduler: string) => runs[`${scheduler}, ${pcpus}`].meanWait({ dom: 1, cause: 'wake' });
      return [
        {
          what: `audio served, of what it wants, credit2, pCPUs: ${pcpus}`,
          tag: 'S',
          published: pcpus === 1 ? '0.96 by the last prototype' : '0.98 by the last prototype',
          got: served('credit2'),
          expected: atLeast(0.9),
        },
        {
          what: `audio served, credit over credit2, pCPUs: ${pcpus}`,
          tag: 'D',
          got: served('credit') / served('credit2'),
          expected: atMost(1),
        },
        {
          what: `mean wait after waking, credit2 over credit, pCPUs: ${pcpus}`,
          tag: 'D',
          got: wait('credit2') / wait('credit'),
          expected: atMost(1),
        },
      ];
    }),
  notes: [
    'A unit of time of his simulator is taken for 100 us. No scheduler of Xen is a plain round robin: ' +
      'its 0.7 % is not rebuilt; nor are weights by his third prototype.',
  ],
};
