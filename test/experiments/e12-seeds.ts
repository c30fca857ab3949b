import { atLeast, type Check, type Experiment, exactly, near } from './experiment.ts';
import { runsFor } from './runs-for.ts';

/** By the number of boosted vCPUs on one pCPU: their slice in milliseconds. */
const SLICES_MS: Readonly<Record<number, number>> = { 2: 2, 3: 1, 4: 0.667, 5: 0.5, 8: 0.5 };
const COUNTS = [1, ...Object.keys(SLICES_MS).map(Number)];

/** The hogs, the client's guest and the master are domain 1, the member is domain 2. */
export const seeds: Experiment = {
  id: 'E12',
  title: 'Boost credit, and scheduling domains',
  about:
    "Nishiguchi's patch for client virtualisation (2008): the slice of boosted vCPUs is 2 ms divided " +
    'by one less than the vCPUs per pCPU, 0.5 ms at least, and 30 ms where all have a pCPU of their ' +
    "own. Day's scheduling domains: a master that is capped at 10 % and a member, both hogs, get 10 % " +
    'together.',
  runs: {
    ...runsFor(COUNTS, (count) => ({
      [`boosted, ${count}`]: {
        scenario: 'boosted-hogs.yaml',
        set: { 'hogs.count': count },
        fromNs: 3.1e9,
        toNs: 3.4e9,
      },
    })),
    client: { scenario: 'client.yaml', fromNs: 5e8 },
    // Whole periods of the cap.
    master: { scenario: 'capped-master.yaml', fromNs: 2e9, toNs: 1.94e10 },
  },
  checks: (runs) => [
    {
      what: 'switches per second, one boosted hog alone',
      tag: 'D',
      got: runs['boosted, 1'].rate('switches'),
      expected: exactly(0),
    },
    ...Object.entries(SLICES_MS).map(
      ([count, slice]): Check => ({
        what: `slice of ${count} boosted hogs`,
        tag: 'X',
        unit: 'ms',
        got: 1000 / runs[`boosted, ${count}`].rate('switches'),
        expected: near(slice, 0.005),
      }),
    ),
    {
      what: 'share of a guest with a ratio of 80 %, beside dom0 and two hogs',
      tag: 'D',
      unit: '%',
      got: runs.client.share(1),
      expected: atLeast(79),
    },
    {
      what: 'share of a master with a cap of 10 % and its member',
      tag: 'D',
      unit: '%',
      got: runs.master.share(1) + runs.master.share(2),
      expected: near(10, 0.2),
    },
    {
      what: 'share of their neighbour',
      tag: 'D',
      unit: '%',
      got: runs.master.share(3),
      expected: near(90, 0.2),
    },
  ],
  notes: [
    'What the patch refuses (a period below 30 ms, ratios beyond 100 % for each pCPU), and the weight ' +
      'that a ratio takes away, are tests of the scheduler: `test/simulator/bcredit.test.ts`.',
  ],
};
