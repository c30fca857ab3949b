import { atLeast, atMost, between, type Check, type Experiment } from './experiment.ts';
import { runsFor } from './runs-for.ts';

const SERVERS_US = [
  [10000, 4000],
  [1000, 400],
  [300, 120],
  [100, 40],
  [50, 20],
  [30, 15],
];
const PERIODS_US = SERVERS_US.map(([period]) => period);

/** The guest is domain 1. */
export const serverPeriod: Experiment = {
  id: 'E14',
  title: 'The period of a server against the latency of its guest',
  about:
    'Babchuk and Faggioli on xen-devel (January 2021): beside a dom0 that burns CPU a Zephyr guest had ' +
    'latencies up to 600 us with periods of 10 ms, up to 30 us with 100 us, and up to 60 us with 30 ' +
    'us. Faggioli: the worst case is about two periods by design. Here a switch costs 5 us and an ' +
    'interrupt means 20 us of work.',
  runs: runsFor(SERVERS_US, ([period, budget]) => ({
    [period]: {
      scenario: 'server-period.yaml',
      set: {
        'dom0.rtds.period': `${period}us`,
        'dom0.rtds.budget': `${budget}us`,
        'guest.rtds.period': `${period}us`,
        'guest.rtds.budget': `${budget}us`,
      },
      fromNs: 2e8,
      passes: ['waits', 'deadlines'],
    },
  })),
  checks: (runs) => {
    const latency = (period: number) =>
      runs[period].max('job_timing', { dom: 1 }, 'start_latency_ns_max') / 1e3;
    const response = (period: number) => runs[period].max('deadlines', { dom: 1 }, 'response_ns_max') / 1e3;
    return [
      ...SERVERS_US.map(
        ([period, budget]): Check => ({
          what: `longest wait, period ${period} us: at most 2 (P - B)`,
          tag: 'D',
          unit: 'us',
          got: runs[period].maxWait({ dom: 1 }) * 1000,
          expected: atMost(2 * (period - budget)),
        }),
      ),
      ...PERIODS_US.slice(1, 4).map(
        (period, index): Check => ({
          what: `longest response, period ${period} us over ${PERIODS_US[index]} us`,
          tag: 'D',
          got: response(period) / response(PERIODS_US[index]),
          expected: atMost(1),
        }),
      ),
      {
        what: 'longest latency, period 10 ms over 100 us',
        tag: 'S',
        published: '600 us over 30 us',
        got: latency(10000) / latency(100),
        expected: atLeast(5),
      },
      {
        what: 'longest latency, period 100 us',
        tag: 'S',
        published: 'about 30 us',
        unit: 'us',
        got: latency(100),
        expected: between(10, 60),
      },
      {
        what: 'longest response, period 30 us over 100 us: switching takes the budget',
        tag: 'S',
        published: '60 us over 30 us',
        got: response(30) / response(100),
        expected: atLeast(1.2),
      },
    ];
  },
};
