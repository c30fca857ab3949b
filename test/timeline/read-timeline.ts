import {
  createRecordBatch,
  type OpenTraceOptions,
  openTrace,
  type TraceInput,
} from '../../src/decoder/index.ts';
import {
  BLAME_REASONS,
  RUNSTATE_NAMES,
  Timeline,
  type TimelineOptions,
  vcpuLabel,
  WAIT_CAUSES,
} from '../../src/timeline/index.ts';

const STATE_NAMES = [...RUNSTATE_NAMES, 'removed'];

/** One interval as an object: for tests only. */
export interface Interval {
  readonly vcpu: string;
  readonly state: string;
  readonly xenState: string;
  readonly previous: string;
  readonly startNs: number;
  readonly endNs: number;
  readonly pcpu: number;
  readonly complete: number;
}

export interface Wait {
  readonly vcpu: string;
  readonly cause: string;
  readonly startNs: number;
  readonly endNs: number;
  readonly fromPcpu: number;
  readonly toPcpu: number;
  /** `d1v0 for 300` */
  readonly ran: string;
  readonly throttledNs: number;
}

export interface JobRow {
  readonly vcpu: string;
  readonly task: number;
  readonly job: number;
  readonly releaseNs: number;
  readonly deadlineNs: number;
  readonly startNs: number;
  readonly completionNs: number;
  readonly executionNs: number;
  readonly missed: number;
}

export interface TimelineRows {
  readonly intervals: Interval[];
  readonly waits: Wait[];
  readonly jobs: JobRow[];
  /** `100 d1v0 blocked > runnable@0` */
  readonly transitions: string[];
  /** `d1v0 100-400: d2v0 turn 300` */
  readonly blames: string[];
  readonly timeline: Timeline;
  /** `d1v0` -> `running 0-100@0 blocked 100-250`, with `@pcpu` where it ran. */
  story(vcpu: string): string;
}

interface Options extends OpenTraceOptions, TimelineOptions {
  readonly endNs?: number;
  readonly batchRows?: number;
}

/** Decodes a trace (1 tick = 1 ns unless told otherwise) and gathers what its timeline says. */
export async function readTimeline(input: TraceInput, options: Options = {}): Promise<TimelineRows> {
  const { endNs, batchRows, lookahead, pcpus, ...open } = options;
  const reader = await openTrace(input, typeof input === 'string' ? open : { cpuHz: 1e9, ...open });
  const intervals: Interval[] = [];
  const waits: Wait[] = [];
  const jobs: JobRow[] = [];
  const transitions: string[] = [];
  const blames: string[] = [];
  const timeline = new Timeline(
    reader.catalog,
    [
      {
        onRunstates(batch) {
          for (let row = 0; row < batch.count; row++) {
            intervals.push({
              vcpu: vcpuLabel(batch.dom[row], batch.vcpu[row]),
              state: RUNSTATE_NAMES[batch.state[row]],
              xenState: RUNSTATE_NAMES[batch.xenState[row]],
              previous: RUNSTATE_NAMES[batch.previous[row]],
              startNs: batch.startNs[row],
              endNs: batch.endNs[row],
              pcpu: batch.pcpu[row],
              complete: batch.complete[row],
            });
          }
        },
        onWaits(batch) {
          for (let row = 0; row < batch.count; row++) {
            const known = batch.ranDom[row] >= 0;
            const who = known ? vcpuLabel(batch.ranDom[row], batch.ranVcpu[row]) : 'nobody';
            waits.push({
              vcpu: vcpuLabel(batch.dom[row], batch.vcpu[row]),
              cause: WAIT_CAUSES[batch.cause[row]],
              startNs: batch.startNs[row],
              endNs: batch.endNs[row],
              fromPcpu: batch.fromPcpu[row],
              toPcpu: batch.toPcpu[row],
              ran: `${who} for ${batch.ranNs[row]}`,
              throttledNs: batch.throttledNs[row],
            });
          }
        },
        onTransitions(batch) {
          for (let row = 0; row < batch.count; row++) {
            const states = [batch.from[row], batch.to[row]].map((state) => STATE_NAMES[state]).join(' > ');
            const vcpu = vcpuLabel(batch.dom[row], batch.vcpu[row]);
            transitions.push(`${batch.tNs[row]} ${vcpu} ${states}@${batch.pcpu[row]}`);
          }
        },
        onBlames(batch) {
          for (let row = 0; row < batch.count; row++) {
            const culprit = batch.culpritIndex[row] < 0 ? 'nobody' : keyLabel(batch.culpritKey[row]);
            const reason = BLAME_REASONS[batch.reason[row]];
            const wait = `${keyLabel(batch.vcpuKey[row])} ${batch.startNs[row]}-${batch.endNs[row]}`;
            blames.push(`${wait}: ${culprit} ${reason} ${batch.ns[row]}`);
          }
        },
        onJobs(batch) {
          for (let row = 0; row < batch.count; row++) {
            jobs.push({
              vcpu: vcpuLabel(batch.dom[row], batch.vcpu[row]),
              task: batch.task[row],
              job: batch.job[row],
              releaseNs: batch.releaseNs[row],
              deadlineNs: batch.deadlineNs[row],
              startNs: batch.startNs[row],
              completionNs: batch.completionNs[row],
              executionNs: batch.executionNs[row],
              missed: batch.missed[row],
            });
          }
        },
      },
    ],
    { ...(lookahead === undefined ? {} : { lookahead }), pcpus: pcpus ?? reader.pcpus },
  );
  const batch = createRecordBatch(batchRows);
  while (reader.readBatch(batch)) timeline.push(batch);
  timeline.finish(endNs ?? reader.counts().spanNs);
  reader.close();
  const story = (vcpu: string) =>
    intervals
      .filter((interval) => interval.vcpu === vcpu)
      .map(({ state, startNs, endNs, pcpu }) => {
        return `${state} ${startNs}-${endNs}${state === 'running' ? `@${pcpu}` : ''}`;
      })
      .join(', ');
  return { intervals, waits, jobs, transitions, blames, timeline, story };
}

function keyLabel(key: number): string {
  return vcpuLabel(key >>> 16, key & 0xffff);
}
