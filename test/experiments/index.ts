import { theftOfService } from './e01-theft-of-service.ts';
import { spuriousBoost } from './e02-spurious-boost.ts';
import { sliceLength } from './e03-slice-length.ts';
import { parallelPrograms } from './e04-parallel-programs.ts';
import { ratelimit } from './e05-ratelimit.ts';
import { capBurstiness } from './e06-cap-burstiness.ts';
import { audio } from './e07-audio.ts';
import { latencyTail } from './e09-latency-tail.ts';
import { runQueues } from './e10-run-queues.ts';
import { credit2Resets } from './e11-credit2-resets.ts';
import { seeds } from './e12-seeds.ts';
import { rtdsTimers } from './e13-rtds-timers.ts';
import { serverPeriod } from './e14-server-period.ts';
import { schedulableFraction } from './e15-schedulable-fraction.ts';
import { fourServers } from './e17-four-servers.ts';
import { mixedCriticality } from './e18-mixed-criticality.ts';
import { sedf } from './e19-sedf.ts';
import type { Experiment } from './experiment.ts';

/** All experiments, by their numbers. */
export const experiments: readonly Experiment[] = [
  theftOfService,
  spuriousBoost,
  sliceLength,
  parallelPrograms,
  ratelimit,
  capBurstiness,
  audio,
  latencyTail,
  runQueues,
  credit2Resets,
  seeds,
  rtdsTimers,
  serverPeriod,
  schedulableFraction,
  fourServers,
  mixedCriticality,
  sedf,
];
