import { createRecordBatch, openTrace } from '../../src/decoder/index.ts';
import { type RunstateBatch, Timeline } from '../../src/timeline/index.ts';
import { mortalDomains, type ObservedRun, RUNNABLE, RUNNING } from './observe.ts';

/** A record's TSC is ahead of its instant by as many ticks as records share that instant, at most. */
const AHEAD_NS = 5_000;
const IDLE_DOM = 0x7fff;

interface Interval {
  readonly dom: number;
  readonly vcpu: number;
  readonly state: number;
  readonly startNs: number;
  readonly endNs: number;
  readonly pcpu: number;
  readonly startSeen: boolean;
}

/** Decodes the trace of a run and holds it against what was seen; answers with what is wrong, if anything is. */
export async function traceProblem(run: ObservedRun): Promise<string | undefined> {
  const intervals: Interval[] = [];
  const reader = await openTrace(run.trace, { cpuHz: run.scenario.host.tscHz });
  const onRunstates = (batch: RunstateBatch) => {
    for (let row = 0; row < batch.count; row += 1) {
      intervals.push({
        dom: batch.dom[row]!,
        vcpu: batch.vcpu[row]!,
        state: batch.xenState[row]!,
        startNs: batch.startNs[row]!,
        endNs: batch.endNs[row]!,
        pcpu: batch.pcpu[row]!,
        startSeen: (batch.complete[row]! & 1) !== 0,
      });
    }
  };
  const timeline = new Timeline(reader.catalog, [{ onRunstates }], { pcpus: reader.pcpus });
  const batch = createRecordBatch();
  while (reader.readBatch(batch)) timeline.push(batch);
  const endNs = Math.max(reader.counts().spanNs, run.scenario.durationNs);
  timeline.finish(endNs);
  intervals.sort((a, b) => a.startNs - b.startNs || a.endNs - b.endNs);
  const diagnostics = reader.diagnostics();
  const { unknown } = reader.counts();
  reader.close();
  if (diagnostics.length > 0) return `the decoder says ${diagnostics[0]!.code}: ${diagnostics[0]!.message}`;
  if (unknown.size > 0) return `the decoder does not know ${[...unknown.keys()]}`;
  const pcpuProblem = pcpuTilingProblem(intervals, endNs);
  if (pcpuProblem !== undefined) return pcpuProblem;
  // Of a domain that comes and goes there are gaps, and who comes has not the state of who went.
  const mortal = mortalDomains(run.scenario);
  const lasting = intervals.filter(({ dom }) => !mortal.has(dom));
  const problem = tilingProblem(lasting, endNs) ?? storyProblem(run, joined(lasting), mortal);
  return problem ?? (mortal.size > 0 ? undefined : littleProblem(run, joined(lasting)));
}

const keyOf = ({ dom, vcpu }: { dom: number; vcpu: number }) => dom * 65_536 + vcpu;

/** Runstates of a vCPU follow each other without a gap. */
function tilingProblem(intervals: readonly Interval[], endNs: number): string | undefined {
  const byVcpu = groupBy(intervals, keyOf);
  for (const list of byVcpu.values()) {
    for (const [i, { dom, vcpu, endNs: leaveNs }] of list.entries()) {
      const nextNs = list[i + 1]?.startNs ?? endNs;
      if (leaveNs !== nextNs)
        return `in the trace d${dom}v${vcpu} leaves at ${leaveNs} and enters at ${nextNs}`;
    }
  }
  return undefined;
}

/** So does what runs on a pCPU. */
function pcpuTilingProblem(intervals: readonly Interval[], endNs: number): string | undefined {
  const running = intervals.filter(({ state, pcpu }) => state === RUNNING && pcpu >= 0);
  for (const [pcpu, list] of groupBy(running, (interval) => interval.pcpu)) {
    const ranNs = list.reduce((sum, one) => sum + one.endNs - one.startNs, 0);
    const firstNs = list[0]!.startNs;
    const gapNs = endNs - firstNs - ranNs;
    // Between the old one's record and the new one's there are a few ticks.
    if (Math.abs(gapNs) > list.length * AHEAD_NS)
      return `in the trace pCPU ${pcpu} runs nobody for ${gapNs} ns`;
    const overlap = list.find((one, i) => i > 0 && one.startNs < list[i - 1]!.endNs);
    if (overlap) return `in the trace pCPU ${pcpu} runs two at ${overlap.startNs}`;
  }
  return undefined;
}

/** The intervals of Xen's runstates: the timeline divides them where a vCPU runs out of budget. */
function joined(intervals: readonly Interval[]): Interval[] {
  return [...groupBy(intervals, keyOf).values()].flatMap((list) => {
    const whole: Interval[] = [];
    for (const next of list) {
      const last = whole.at(-1);
      if (last?.state === next.state) whole[whole.length - 1] = { ...last, endNs: next.endNs };
      else whole.push(next);
    }
    return whole;
  });
}

/** Every change of runstate that was seen is in the trace, in its place. */
function storyProblem(
  { host }: ObservedRun,
  intervals: readonly Interval[],
  mortal: ReadonlySet<number>,
): string | undefined {
  const seen = intervals.filter(({ startSeen, dom }) => startSeen && dom !== IDLE_DOM);
  const byVcpu = groupBy(seen, keyOf);
  for (const vcpu of host.vcpus) {
    const { name, history, dom } = vcpu;
    if (mortal.has(dom)) continue;
    const told = byVcpu.get(keyOf(vcpu)) ?? [];
    if (told.length !== history.length)
      return `${told.length} of ${history.length} changes of ${name} are traced`;
    for (const [i, { tNs, to }] of history.entries()) {
      const { startNs, state } = told[i]!;
      const aheadNs = startNs - tNs;
      if (state !== to || aheadNs < -10 || aheadNs > AHEAD_NS)
        return `${name} enters ${to} at ${tNs}, in the trace ${state} at ${startNs}`;
    }
  }
  return undefined;
}

/** Little's law: vCPUs that wait on average = how many begin to wait in a ns x how long they do on average. */
function littleProblem({ times, scenario }: ObservedRun, intervals: readonly Interval[]): string | undefined {
  const { durationNs } = scenario;
  const inQueue = times.reduce((sum, { runnableNs }) => sum + runnableNs, 0) / durationNs;
  const waits = intervals.filter(({ state, dom }) => state === RUNNABLE && dom !== IDLE_DOM);
  if (waits.length === 0) return inQueue === 0 ? undefined : `${inQueue} wait, and the trace has no wait`;
  const rate = waits.length / durationNs;
  const meanNs = waits.reduce((sum, { startNs, endNs }) => sum + endNs - startNs, 0) / waits.length;
  const offNs = Math.abs(inQueue - rate * meanNs) * durationNs;
  return offNs <= waits.length * AHEAD_NS ? undefined : `${inQueue} wait on average, not ${rate * meanNs}`;
}

function groupBy<T>(items: readonly T[], key: (item: T) => number): Map<number, T[]> {
  const groups = new Map<number, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return groups;
}
