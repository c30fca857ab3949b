import { type Experiment, near } from './experiment.ts';

const PART = { fromNs: 1e9, toNs: 2.75e9 };

export const credit2Resets: Experiment = {
  id: 'E11',
  title: "Credit2's credits, as far as a trace tells them",
  about:
    'Credits of 10 ms (CSCHED2_CREDIT_INIT) for everybody in the run queue when the best has none ' +
    'left; the greatest weight burns one for each nanosecond, the others in proportion more. From this ' +
    'the length of an epoch between resets follows: 10 ms for each of n equal hogs, and 10 + 5 + 2.5 ' +
    'ms for weights 4:2:1.',
  runs: {
    equal: { scenario: 'hogs.yaml', scheduler: 'credit2', set: { 'hogs.count': 4 }, ...PART },
    weighted: { scenario: 'hogs-by-weight.yaml', scheduler: 'credit2', ...PART },
  },
  checks: (runs) => [
    {
      what: 'epoch of 4 equal hogs',
      tag: 'X',
      unit: 'ms',
      got: 1000 / runs.equal.rate('credit_resets'),
      expected: near(40, 0.5),
    },
    {
      what: 'epoch of hogs with weights 1:2:4',
      tag: 'X',
      unit: 'ms',
      got: 1000 / runs.weighted.rate('credit_resets'),
      expected: near(17.5, 0.2),
    },
  ],
  notes: [
    "The numbers in Xen's commits (4fa4f8a3cd: 201805 becomes 10201805, not 10500000) are credits at " +
      'one instant on two pCPUs: a test of the scheduler itself, ' +
      '`test/simulator/credit2-behaviour.test.ts`. The budget of a cap (ad4b3e1e9d) is in E6.',
  ],
};
