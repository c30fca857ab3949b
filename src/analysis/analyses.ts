import type { Analysis } from './analysis.ts';
import { blame } from './blame.ts';
import { deadlines } from './deadlines.ts';
import { domains } from './domains.ts';
import { fairness } from './fairness.ts';
import { frames } from './frames.ts';
import { pcpus } from './pcpus.ts';
import { power } from './power.ts';
import { runstates } from './runstates.ts';
import { scheduler } from './scheduler.ts';
import { servers } from './servers.ts';
import { steal } from './steal.ts';
import { waits } from './waits.ts';

/** Every pass, in the order of a report. Command line, reports and docs go through this list. */
export const analyses: readonly Analysis[] = [
  waits,
  steal,
  blame,
  runstates,
  fairness,
  deadlines,
  servers,
  frames,
  pcpus,
  scheduler,
  domains,
  power,
];
