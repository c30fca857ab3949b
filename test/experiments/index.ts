import { theftOfService } from './e01-theft-of-service.ts';
import { sliceLength } from './e03-slice-length.ts';
import { capBurstiness } from './e06-cap-burstiness.ts';
import { rtdsTimers } from './e13-rtds-timers.ts';
import { sedf } from './e19-sedf.ts';
import type { Experiment } from './experiment.ts';

/** All experiments, by their numbers. */
export const experiments: readonly Experiment[] = [
  theftOfService,
  sliceLength,
  capBurstiness,
  rtdsTimers,
  sedf,
];
