import { type Check, type Experiment, exactly } from './experiment.ts';
import { runsFor } from './runs-for.ts';

const KINDS = ['deferrable', 'sporadic', 'polling', 'periodic'] as const;
const JOBS = [
  { arrivalMs: 5, demandMs: 2, responses: { deferrable: 2, sporadic: 2, polling: 7, periodic: 7 } },
  { arrivalMs: 1, demandMs: 2, responses: { deferrable: 2, sporadic: 2, polling: 11, periodic: 10 } },
  { arrivalMs: 8, demandMs: 4, responses: { deferrable: 4, sporadic: 12, polling: 14, periodic: 14 } },
];

/** The job is that of domain 1. */
export const fourServers: Experiment = {
  id: 'E17',
  title: 'Four servers and one job',
  about:
    'A budget of 2 ms in every 10 ms at the highest priority, one aperiodic job, a hog below: by the ' +
    'definitions of the four servers of RT-Xen 1.0 the responses are exact.',
  runs: runsFor(KINDS, (kind) =>
    runsFor(JOBS, ({ arrivalMs, demandMs }) => ({
      [`${kind}, ${demandMs} at ${arrivalMs}`]: {
        scenario: 'four-servers-one-job.yaml',
        set: {
          'device.server.kind': kind,
          'device.workload': `{sporadic: {interarrival: 10s, burst: ${demandMs}ms, offset: ${arrivalMs}ms}}`,
        },
        passes: ['deadlines'],
      },
    })),
  ),
  checks: (runs) =>
    JOBS.flatMap(({ arrivalMs, demandMs, responses }) =>
      KINDS.map((kind): Check => {
        const run = runs[`${kind}, ${demandMs} at ${arrivalMs}`];
        return {
          what: `response of a job of ${demandMs} ms at ${arrivalMs} ms, ${kind}`,
          tag: 'D',
          unit: 'ms',
          // Records of one instant take a nanosecond each.
          got: Math.floor(run.value('deadlines', { dom: 1 }, 'response_ns_mean') / 1000) / 1000,
          expected: exactly(responses[kind]),
        };
      }),
    ),
};
