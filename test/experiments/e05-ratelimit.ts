import { atLeast, atMost, between, type Experiment } from './experiment.ts';
import { runsFor } from './runs-for.ts';

const LOADS = { 30: 5200, 95: 1642 };
const LIMITS_US = [0, 1000, 10000];

export const ratelimit: Experiment = {
  id: 'E5',
  title: 'What the rate limit saves at peak load',
  about:
    'Xen commit 494939f0b0 (Hui Lv, 2012): a rate limit of 1 ms cuts the context switches of SPECvirt ' +
    'at peak load by 30 %, and 10 ms makes no big difference to 1 ms. Here 24 vCPUs on 4 pCPUs are ' +
    'woken at random for bursts of 20 to 500 us.',
  runs: runsFor(Object.entries(LOADS), ([load, interarrivalUs]) =>
    runsFor(LIMITS_US, (us) => ({
      [`${load} %, ${us} us`]: {
        scenario: 'short-bursts.yaml',
        set: {
          sched_ratelimit_us: us,
          'bursts.workload': `{poisson: {interarrival: ${interarrivalUs}us, burst: uniform(20us..500us)}}`,
        },
        seeds: 3,
        fromNs: 5e8,
      },
    })),
  ),
  checks: (runs) => {
    const switches = (run: string) => runs[run].rate('switches');
    const wait = (run: string) => runs[run].meanWait({ cause: 'wake' });
    return [
      {
        what: 'context switches at 95 % load, 1 ms over none',
        tag: 'X',
        published: '0.70 at peak load',
        got: switches('95 %, 1000 us') / switches('95 %, 0 us'),
        expected: between(0.5, 0.85),
      },
      {
        what: 'context switches at 30 % load, 1 ms over none',
        tag: 'D',
        got: switches('30 %, 1000 us') / switches('30 %, 0 us'),
        expected: atLeast(0.9),
      },
      {
        what: 'context switches at 95 % load, 10 ms over 1 ms',
        tag: 'X',
        published: 'no big difference',
        got: switches('95 %, 10000 us') / switches('95 %, 1000 us'),
        expected: between(0.8, 1.1),
      },
      {
        what: 'how much longer waits after waking are with 1 ms, at 95 % load',
        tag: 'D',
        published: 'little added response time',
        unit: 'ms',
        got: wait('95 %, 1000 us') - wait('95 %, 0 us'),
        expected: atMost(1),
      },
    ];
  },
  notes: [
    'The score of SPECvirt (+11 %) needs a cost of switching that is not published, and is not rebuilt.',
  ],
};
