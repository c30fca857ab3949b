import { openTrace } from '../../src/decoder/index.ts';
import {
  followTrace,
  JOB_MISSED,
  type JobBatch,
  RUNNING,
  RUNSTATE_NAMES,
  type RunstateBatch,
  UNKNOWN,
} from '../../src/timeline/index.ts';

/** A vCPU runs on a pCPU. */
export interface Run {
  readonly pcpu: number;
  readonly tid: number;
  readonly startNs: number;
  readonly endNs: number;
}

/** The letters of Perfetto for what is not running. */
const LETTERS: Record<string, string> = { runnable: 'R', blocked: 'S', offline: 'T', throttled: 'D' };

/** By where they begin. */
export const byStart = (a: { startNs: number; tid: number }, b: { startNs: number; tid: number }) =>
  a.startNs - b.startNs || a.tid - b.tid;

/**
 * What the timeline of a trace says, in Perfetto's words: runs; states that are not running, by thread and start, with
 * their ends; and how many jobs there were.
 */
export async function timelineOf(path: string) {
  const reader = await openTrace(path);
  const runs: Run[] = [];
  const intervals = new Map<string, [state: string, endNs: number]>();
  let jobs = 0;
  let missed = 0;
  const onRunstates = (batch: RunstateBatch) => {
    for (let row = 0; row < batch.count; row++) {
      const startNs = batch.startNs[row];
      const endNs = batch.endNs[row];
      const tid = batch.dom[row] * 0x10000 + batch.vcpu[row] + 1;
      const pcpu = batch.pcpu[row];
      if (batch.state[row] === RUNNING && pcpu >= 0) runs.push({ pcpu, tid, startNs, endNs });
      else if (batch.state[row] === RUNNING || startNs === endNs) continue;
      else if (batch.state[row] !== UNKNOWN) {
        intervals.set(`${tid} ${startNs}`, [LETTERS[RUNSTATE_NAMES[batch.state[row]]] as string, endNs]);
      }
    }
  };
  const onJobs = ({ count, completionNs, missed: judged }: JobBatch) => {
    for (let row = 0; row < count; row++) {
      if (!Number.isNaN(completionNs[row])) jobs++;
      if (judged[row] === JOB_MISSED) missed++;
    }
  };
  const { spanNs } = followTrace(reader, [{ onRunstates, onJobs }]);
  const { lostRecords } = reader.counts();
  reader.close();
  return { runs: runs.sort(byStart), intervals, jobs, missed, spanNs, lostRecords };
}
