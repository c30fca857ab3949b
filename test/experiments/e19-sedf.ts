import { type Check, type Experiment, near } from './experiment.ts';
import type { Outcome } from './outcome.ts';

/** Whole periods. */
const PART = { fromNs: 1e9, toNs: 4.5e9, passes: ['runstates', 'pcpus'] };

/** Domains are numbered from 1 in the order of the weights. */
export const sedf: Experiment = {
  id: 'E19',
  title: 'SEDF: slices, and weights turned into slices',
  about:
    'The examples of docs/misc/sedf_scheduler_mini-HOWTO of Xen 4.4, with the rule of ' +
    'sedf_adjust_weights: weights share what slices leave of 95 ms in every 100 ms. All domains are ' +
    'hogs on one pCPU.',
  runs: {
    weights: { scenario: 'sedf-weights.yaml', ...PART },
    mixed: { scenario: 'sedf-slice-and-weights.yaml', ...PART },
    slice: { scenario: 'sedf-slice.yaml', ...PART },
  },
  checks: ({ weights, mixed, slice }) => [
    ...shares(weights, 'weights 2:3:4:2', [17.27, 25.91, 34.55, 17.27]),
    {
      what: 'idle, weights 2:3:4:2',
      tag: 'X',
      unit: '%',
      got: 100 - 100 * weights.value('pcpus', { pcpu: 0 }, 'utilisation'),
      expected: near(5, 0.1),
    },
    ...shares(mixed, '(10 ms, 3 ms) and weights 2:7:3', [30, 10.83, 37.92, 16.25]),
    ...shares(slice, '(20 ms, 5 ms) alone', [25]),
  ],
  notes: [
    'That SEDF does not balance is a law of its own in the contract suite (`test/contract/`): a vCPU ' +
      'never leaves its pCPU.',
    'There is no admission control in the hypervisor: 75 % for each of 12 vCPUs of dom0 (Xen commit ' +
      '4da8a5edbd) was a matter of the toolstack, and is not modelled.',
  ],
};

function shares(outcome: Outcome, name: string, expected: number[]): Check[] {
  return expected.map((share, index) => ({
    what: `share of domain ${index + 1}, ${name}`,
    tag: 'S',
    unit: '%',
    got: outcome.share(index + 1),
    expected: near(share, 0.1),
  }));
}
