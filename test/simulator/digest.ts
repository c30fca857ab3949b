import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Reference, RunResult } from './fidelity.ts';
import { REFERENCE_PART } from './reference-folder.ts';

/**
 * What identifies a result: short hashes, so that the whole collection of reference results can be held
 * against where only they are at hand.
 */
export interface Digest {
  readonly switchCount: number;
  readonly switches: string;
  readonly figures: string;
  /** Absent for those whose trace the collection leaves out. */
  readonly traceBytes?: number;
  readonly trace?: string;
}

export function digestOfReference({ switches, trace, figures }: Reference): Digest {
  const { totals, vcpus } = figures;
  return {
    switchCount: switchesIn(switches),
    switches: hash(switches),
    figures: hash(
      JSON.stringify([
        totals.schedule_calls,
        totals.context_switches,
        totals.jobs_released,
        totals.jobs_completed,
        totals.deadline_misses,
        ...vcpus.map((v) => [v.dom, v.vcpu, v.run_ns, v.runnable_ns, v.blocked_ns, v.offline_ns, v.guest_ns]),
      ]),
    ),
    ...(trace === undefined ? {} : { traceBytes: trace.length, trace: hash(trace) }),
  };
}

/** `withTrace`: whether the reference has one. */
export function digestOfRun(run: RunResult, withTrace: boolean): Digest {
  const { jobs, switches, trace } = run;
  return {
    switchCount: switchesIn(switches),
    switches: hash(switches),
    figures: hash(
      JSON.stringify([
        run.scheduleCalls,
        run.contextSwitches,
        jobs.released,
        jobs.completed,
        jobs.missed,
        ...run.times.map((v) => [v.dom, v.vcpu, v.runNs, v.runnableNs, v.blockedNs, v.offlineNs, v.guestNs]),
      ]),
    ),
    ...(withTrace ? { traceBytes: trace.length, trace: hash(trace) } : {}),
  };
}

/** The lines of a file of scenarios with digests of what the C code did. */
export function readDigests<T>(file: string): T[] {
  const lines = readFileSync(join(REFERENCE_PART, file), 'utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as T);
}

function switchesIn(csv: string): number {
  return csv.split('\n').length - 2;
}

export function hash(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex').slice(0, 16);
}
