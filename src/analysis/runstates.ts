import type { RecordBatch } from '../decoder/record-batch.ts';
import {
  BLOCKED,
  DOM_IDLE,
  OFFLINE,
  RUNNABLE,
  RUNNING,
  type RunstateBatch,
  THROTTLED,
  UNKNOWN,
  VcpuTable,
} from '../timeline/index.ts';
import type { Analysis, AnalysisRun, Cell, Column, ResultTable } from './analysis.ts';
import { countColumn, DOM, nsColumn, ratioColumn, VCPU } from './columns.ts';
import { COVERAGE } from './coverage.ts';

const TRC_SCHED_YIELD = 0x28005;
const START_SEEN = 1;

const MEASURES: readonly Column[] = [
  ratioColumn(
    'pcpu_share',
    'Running time over known time: 1 is one whole pCPU. Of a domain: sum over its vCPUs.',
  ),
  nsColumn('running_ns', 'Time running.'),
  nsColumn('runnable_ns', 'Time waiting for a pCPU while its scheduler would let it run.'),
  nsColumn(
    'throttled_ns',
    'Time kept back by its own budget or cap, whether Xen calls that runnable or offline.',
  ),
  nsColumn('blocked_ns', 'Time blocked: the guest had nothing to do.'),
  nsColumn('offline_ns', 'Time paused, or not up, for other reasons than its cap.', { text: 'nonzero' }),
  nsColumn('unknown_ns', 'Time of which the trace does not tell the state; in none of the others.', {
    text: 'nonzero',
  }),
  nsColumn('throttled_runnable_ns', "The part of throttled_ns that Xen's runstates call runnable (RTDS).", {
    text: 'never',
  }),
  countColumn('switches_in', 'Times it began to run.'),
  countColumn('preemptions', 'Times it went from running to runnable; yields are among them.'),
  countColumn('blocks', 'Times it went from running to blocked.'),
  countColumn('wakes', 'Times it went from blocked to runnable.'),
  countColumn('yields', 'Yields by its guest (TRC_SCHED_YIELD).', { text: 'nonzero' }),
  countColumn('migrations', 'Times it began to run on another pCPU than before.', { text: 'nonzero' }),
  COVERAGE,
];

interface VcpuTimes {
  /** `dom * 0x10000 + vcpu` */
  readonly key: number;
  /** Time by state, 0 to THROTTLED. */
  readonly ns: Float64Array;
  throttledRunnableNs: number;
  switchesIn: number;
  preemptions: number;
  blocks: number;
  wakes: number;
  yields: number;
  migrations: number;
  /** Where it ran last; -1 where not known. */
  pcpu: number;
}

class RunstatesRun implements AnalysisRun {
  readonly listener = { onRunstates: (batch: RunstateBatch) => this.#onRunstates(batch) };
  /** By vCPU index. */
  readonly #times: (VcpuTimes | undefined)[] = [];
  /** Who yielded, and how often. Records come ahead of the intervals, and name vCPUs by their numbers. */
  readonly #yielders = new VcpuTable();
  readonly #yields: number[] = [];

  onRecords(batch: RecordBatch): void {
    const { event, wordsOffset, words } = batch;
    for (let row = 0; row < batch.count; row++) {
      if (event[row] !== TRC_SCHED_YIELD || wordsOffset[row + 1] - wordsOffset[row] < 2) continue;
      const at = wordsOffset[row];
      const index = this.#yielders.indexOf(((words[at] << 16) | (words[at + 1] & 0xffff)) >>> 0);
      if (index < 0) continue;
      this.#yields[index] = (this.#yields[index] ?? 0) + 1;
    }
  }

  finish(): ResultTable[] {
    const vcpus = this.#times
      .filter((times): times is VcpuTimes => times !== undefined && totalNs(times) > 0)
      .sort((a, b) => a.key - b.key);
    for (const times of vcpus) times.yields = this.#yields[this.#yielders.find(times.key)] ?? 0;
    const doms = [...new Set(vcpus.map(({ key }) => key >>> 16))];
    return [
      {
        name: 'runstates',
        title: 'Time in each state, by vCPU',
        doc: 'What each vCPU did with its time, and how often it changed.',
        columns: [DOM, VCPU, ...MEASURES],
        rows: vcpus.map((times) => [times.key >>> 16, times.key & 0xffff, ...measure([times])]),
      },
      {
        name: 'runstates_by_domain',
        title: 'Time in each state, by domain',
        doc: 'The sums over the vCPUs of each domain.',
        columns: [DOM, ...MEASURES],
        rows: doms.map((dom) => [dom, ...measure(vcpus.filter(({ key }) => key >>> 16 === dom))]),
      },
    ];
  }

  #onRunstates(batch: RunstateBatch): void {
    const { dom, vcpu, vcpuIndex, state: states, xenState: xenStates, previous, complete, pcpu } = batch;
    const { startNs, endNs } = batch;
    for (let row = 0; row < batch.count; row++) {
      if (dom[row] === DOM_IDLE) continue;
      const times = this.#times[vcpuIndex[row]] ?? this.#add(vcpuIndex[row], dom[row], vcpu[row]);
      const state = states[row];
      const ns = endNs[row] - startNs[row];
      times.ns[state] += ns;
      const xenState = xenStates[row];
      if (state === THROTTLED && xenState === RUNNABLE) times.throttledRunnableNs += ns;
      if ((complete[row] & START_SEEN) !== 0) this.#countChange(times, previous[row], xenState);
      if (state === RUNNING) this.#countMigration(times, pcpu[row]);
      // A part of a trace may begin while it waits: that has the pCPU where it last ran.
      else if (times.pcpu < 0) times.pcpu = pcpu[row];
    }
  }

  #countChange(vcpu: VcpuTimes, from: number, to: number): void {
    if (to === RUNNING) vcpu.switchesIn++;
    else if (from === RUNNING && to === RUNNABLE) vcpu.preemptions++;
    else if (from === RUNNING && to === BLOCKED) vcpu.blocks++;
    else if (from === BLOCKED && to === RUNNABLE) vcpu.wakes++;
  }

  #countMigration(vcpu: VcpuTimes, pcpu: number): void {
    if (pcpu < 0) return;
    if (vcpu.pcpu >= 0 && vcpu.pcpu !== pcpu) vcpu.migrations++;
    vcpu.pcpu = pcpu;
  }

  #add(index: number, dom: number, vcpu: number): VcpuTimes {
    const times = {
      key: dom * 0x10000 + vcpu,
      ns: new Float64Array(THROTTLED + 1),
      throttledRunnableNs: 0,
      switchesIn: 0,
      preemptions: 0,
      blocks: 0,
      wakes: 0,
      yields: 0,
      migrations: 0,
      pcpu: -1,
    };
    this.#times[index] = times;
    return times;
  }
}

function totalNs({ ns }: VcpuTimes): number {
  return ns.reduce((sum, value) => sum + value, 0);
}

function measure(vcpus: readonly VcpuTimes[]): Cell[] {
  const total = (of: (vcpu: VcpuTimes) => number) => vcpus.reduce((sum, vcpu) => sum + of(vcpu), 0);
  const inState = (state: number) => total(({ ns }) => ns[state]);
  const shares = vcpus.map((vcpu) => [vcpu.ns[RUNNING], totalNs(vcpu) - vcpu.ns[UNKNOWN]]);
  const known = shares.filter(([, knownNs]) => knownNs > 0);
  return [
    known.length === 0 ? null : known.reduce((sum, [runningNs, knownNs]) => sum + runningNs / knownNs, 0),
    inState(RUNNING),
    inState(RUNNABLE),
    inState(THROTTLED),
    inState(BLOCKED),
    inState(OFFLINE),
    inState(UNKNOWN),
    total((vcpu) => vcpu.throttledRunnableNs),
    total((vcpu) => vcpu.switchesIn),
    total((vcpu) => vcpu.preemptions),
    total((vcpu) => vcpu.blocks),
    total((vcpu) => vcpu.wakes),
    total((vcpu) => vcpu.yields),
    total((vcpu) => vcpu.migrations),
    1 - inState(UNKNOWN) / total(totalNs),
  ];
}

/** What each vCPU did with its time. Definitions: docs/metrics.md. */
export const runstates: Analysis = {
  name: 'runstates',
  title: 'What each vCPU did with its time',
  doc: 'Time per runstate with throttled and unknown time apart, switches, preemptions, wakes, yields, migrations.',
  create: () => new RunstatesRun(),
};
