import { between, type Check, type Expectation, type Experiment, near } from './experiment.ts';
import { runsFor } from './runs-for.ts';

/** By cap: the longest gap that the rules give, in milliseconds. */
const CREDIT_GAPS: Readonly<Record<number, Expectation>> = {
  5: near(570, 1),
  10: near(270, 1),
  20: between(119.9, 150.1),
  25: near(90, 1),
  50: near(60, 1),
  80: near(60, 1),
};
const CREDIT2_GAPS: Readonly<Record<number, Expectation>> = { 10: near(9, 0.1), 50: near(5, 0.1) };
const CAPS = Object.keys(CREDIT_GAPS).map(Number);
const CREDIT2_CAPS = Object.keys(CREDIT2_GAPS).map(Number);
const PARKED = { dom: 1, state: 'blocked' };

/** A capped hog is told as throttled while it is parked, whatever runstate Xen has for that. */
export const capBurstiness: Experiment = {
  id: 'E6',
  title: 'Caps in lumps: credit against credit2',
  about:
    'One hog with a cap, alone on one pCPU. Credit parks it when accounting, every 30 ms, finds it ' +
    'below its cap in debt, and unparks it when the debt is paid; credit2 gives it cap x 10 ms in ' +
    'every 10 ms (Xen commit ad4b3e1e9d). The gaps are derived from these rules.',
  runs: {
    ...runsFor(CAPS, (cap) => ({
      [`credit, ${cap} %`]: {
        scenario: 'capped-hog.yaml',
        set: { 'hog.cap': cap },
        fromNs: 2e9,
        passes: ['waits', 'runstates', 'domains'],
      },
    })),
    ...runsFor(CREDIT2_CAPS, (cap) => ({
      [`credit2, ${cap} %`]: {
        scenario: 'capped-hog.yaml',
        scheduler: 'credit2',
        set: { 'hog.cap': cap },
        fromNs: 2e9,
        passes: ['waits', 'runstates', 'domains'],
      },
    })),
  },
  checks: (runs) => {
    const gap = (run: string) => runs[run].max('domain_states', PARKED, 'stay_ns_max') / 1e6;
    return [
      ...CAPS.flatMap((cap): Check[] => checksOf('credit', cap, CREDIT_GAPS[cap])),
      ...CREDIT2_CAPS.flatMap((cap): Check[] => checksOf('credit2', cap, CREDIT2_GAPS[cap])),
    ];
    function checksOf(scheduler: string, cap: number, expected: Expectation): Check[] {
      const run = `${scheduler}, ${cap} %`;
      return [
        {
          what: `share, ${scheduler}, cap ${cap} %`,
          tag: 'D',
          unit: '%',
          got: runs[run].share(1),
          expected: near(cap, 0.5),
        },
        { what: `longest gap, ${scheduler}, cap ${cap} %`, tag: 'D', unit: 'ms', got: gap(run), expected },
      ];
    }
  },
};
