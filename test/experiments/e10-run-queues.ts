import { atLeast, atMost, between, type Experiment } from './experiment.ts';
import { runsFor } from './runs-for.ts';

const ARRANGEMENTS = ['core', 'socket'];

/** The build is domain 1. */
export const runQueues: Experiment = {
  id: 'E10',
  title: 'A run queue per core against one per socket',
  about:
    'Xen commit 3a782c7603 (2016, credit2): a build took 35.2 s with run queues per core and 33.4 s ' +
    'with one per socket, with noise 45.9 and 39.5 s. Here six vCPUs build on four cores with two ' +
    'threads, with and without bursts of eight others.',
  runs: runsFor(ARRANGEMENTS, (arrangement) => ({
    [arrangement]: {
      scenario: 'build-and-noise.yaml',
      set: { credit2_runqueue: arrangement },
      seeds: 5,
      passes: ['runstates', 'pcpus'],
    },
    [`${arrangement}, quiet`]: {
      scenario: 'build-and-noise.yaml',
      set: { credit2_runqueue: arrangement, 'noise.workload': 'idle' },
      seeds: 5,
      passes: ['runstates', 'pcpus'],
    },
  })),
  checks: (runs) => {
    const lost = (run: string) => 100 * runs[run].value('balance', {}, 'lost_ratio');
    return [
      {
        what: 'capacity that idles while a vCPU waits, per core, with noise',
        tag: 'X',
        unit: '%',
        got: lost('core'),
        expected: atLeast(1),
      },
      {
        what: 'the same per socket',
        tag: 'X',
        unit: '%',
        got: lost('socket'),
        expected: atMost(0.1),
      },
      {
        what: 'work done by the build, per socket over per core, with noise',
        tag: 'X',
        published: '1.16 (the time that it takes)',
        got: runs.socket.share(1) / runs.core.share(1),
        expected: between(1.03, 1.3),
      },
      {
        what: 'work done by the build, per socket over per core, without noise',
        tag: 'X',
        published: '1.05',
        got: runs['socket, quiet'].share(1) / runs['core, quiet'].share(1),
        expected: between(0.99, 1.1),
      },
      {
        what: 'capacity that idles while a vCPU waits, per socket, without noise',
        tag: 'D',
        unit: '%',
        got: lost('socket, quiet'),
        expected: atMost(0.001),
      },
    ];
  },
  notes: [
    'Threads of a core are as fast as whole cores here, so that what the build gains by placement ' +
      'without noise (5 %) does not show. The other commits of E10 are about costs of caches and locks, ' +
      'which are not modelled.',
  ],
};
