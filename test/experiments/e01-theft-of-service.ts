import { atMost, between, type Check, type Expectation, type Experiment, near } from './experiment.ts';
import { runsFor } from './runs-for.ts';

const ERAS = ['3.3', '4.0', '4.1', '4.2', '4.7', '4.8', 'head'];
/** With three victims it takes the thief two rounds of theirs until it gets to run for the first time. */
const SETTLED_NS = 5e8;
const VARIANTS = {
  '250 us, 1 victim': {},
  '250 us, 3 victims': { 'b.workload': 'hog', 'c.workload': 'hog' },
  '100 us, 1 victim': { 'thief.workload': 'dodge 10ms 100us' },
};

const RATELIMIT =
  'Until 4.7 a vCPU under the rate limit is given the whole limit again (1 ms), from 4.8 on what is ' +
  'left of it. The victim runs for the two guards while the thief sleeps, and then for 1 ms more: ' +
  '1.5 ms of 10, or 1.2 ms with guards of 100 us. The derivation knew the newer rule only.';

function isLimited(xen: string): boolean {
  return ['4.2', '4.7', '4.8', 'head'].includes(xen);
}

function unlimitedShare(variant: string): number {
  return variant.startsWith('100') ? 98 : 95;
}

/** The share that the model of the collection derives, in percent. */
function derived(xen: string, variant: string): Expectation {
  return near(isLimited(xen) ? 90 : unlimitedShare(variant), 0.5);
}

/** The thief is domain 1. */
export const theftOfService: Experiment = {
  id: 'E1',
  title: 'Theft of service by sleeping across ticks, by era',
  about:
    'One pCPU; a thief that runs from 250 us (100 us) after a tick to as long before the next, and ' +
    'hogs of the same weight. Xen commit 78c9b2a64b (2009) tells of 95 % with 9.5 ms of 10; Zhou, ' +
    'Goel, Desnoyers and Sundaram (2011) of up to 98 %; Time-Stealer (2013) of 96.6 % on XenServer ' +
    '6.0.2, Xen 4.1, after exact charging had come.',
  runs: {
    ...runsFor(Object.keys(VARIANTS), (variant) =>
      runsFor(ERAS, (xen) => ({
        [`${xen}, ${variant}`]: {
          scenario: 'theft-of-service.yaml',
          xen,
          fromNs: SETTLED_NS,
          set: VARIANTS[variant as keyof typeof VARIANTS],
        },
      })),
    ),
    ...runsFor(Object.keys(VARIANTS), (variant) => ({
      [`credit2, ${variant}`]: {
        scenario: 'theft-of-service.yaml',
        scheduler: 'credit2',
        fromNs: SETTLED_NS,
        set: VARIANTS[variant as keyof typeof VARIANTS],
      },
    })),
  },
  checks: (runs) => [
    ...Object.keys(VARIANTS).flatMap((variant) =>
      ERAS.map((xen): Check => {
        const check = {
          what: `share of the thief, credit of ${xen}, ${variant}`,
          tag: 'D' as const,
          unit: '%',
          got: runs[`${xen}, ${variant}`].share(1),
          expected: derived(xen, variant),
        };
        if (xen !== '4.2' && xen !== '4.7') return check;
        const shorter = unlimitedShare(variant) - 10;
        return { ...check, instead: { expected: near(shorter, 0.5), why: RATELIMIT } };
      }),
    ),
    {
      what: 'share of the thief, credit of 4.1, 100 us, 1 victim',
      tag: 'S',
      published: 'up to 98 % (2011), 96.6 % (2013)',
      unit: '%',
      got: runs['4.1, 100 us, 1 victim'].share(1),
      expected: between(96, 98.5),
    },
    {
      what: 'share of the thief, credit2, 1 victim',
      tag: 'D',
      unit: '%',
      got: runs['credit2, 250 us, 1 victim'].share(1),
      expected: atMost(55),
    },
    {
      what: 'share of the thief, credit2, 3 victims',
      tag: 'D',
      unit: '%',
      got: runs['credit2, 250 us, 3 victims'].share(1),
      expected: near(25, 1),
    },
  ],
};
