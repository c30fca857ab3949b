import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { WINDOW_HEADER } from '../../src/format/record.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';
import { DOMID_IDLE, Simulation, type SimulationHooks, type VcpuTimes } from '../../src/simulator/index.ts';
import { compareRecords, compareSwitches } from '../fidelity/compare.ts';
import { MemorySink } from './memory-sink.ts';
import { readReferenceScenario } from './reference-scenario.ts';

/** Our version names and the folders of reference results that they are held against. */
export const REFERENCE_VERSIONS = { '4.17': 'xen-4.17.7', head: 'xen-head' } as const;
export type ReferenceVersion = keyof typeof REFERENCE_VERSIONS;

/** What a run left behind, in the form of the reference results. */
export interface RunResult {
  readonly scenario: Scenario;
  /** The text of the switches csv. */
  readonly switches: string;
  /** The bytes of the trace file. */
  readonly trace: Uint8Array;
  readonly scheduleCalls: number;
  readonly contextSwitches: number;
  readonly jobs: JobCounts;
  readonly times: readonly VcpuTimes[];
  readonly events: number;
}

/** Runs a scenario and writes down its switches and its trace as the reference machine does. */
export function runScenario(scenario: Scenario, moreHooks: SimulationHooks = {}): RunResult {
  const { pcpus } = scenario.host;
  const sink = new MemorySink(pcpus, scenario.trace.eventMask);
  const rows: string[] = ['t_ns,pcpu,next'];
  let scheduleCalls = 0;
  const jobs = new JobCounter(scenario.durationNs);
  const hooks: SimulationHooks = {
    ...moreHooks,
    onSwitch(tNs, pcpu, dom, vcpu) {
      rows.push(`${tNs},${pcpu},${dom === DOMID_IDLE ? 'idle' : `d${dom}v${vcpu}`}`);
      moreHooks.onSwitch?.(tNs, pcpu, dom, vcpu);
    },
    onSchedule() {
      scheduleCalls += 1;
    },
    onJobRelease(_tNs, dom, vcpu, job, deadlineNs) {
      jobs.released(`d${dom}v${vcpu}.${job}`, deadlineNs);
    },
    onJobComplete(tNs, dom, vcpu, job) {
      jobs.completed(`d${dom}v${vcpu}.${job}`, tNs);
    },
  };
  const simulation = new Simulation(scenario, sink, { hooks, jobRecords: false });
  const windows: Uint8Array[] = [];
  const flush = () => {
    for (let pcpu = 0; pcpu < pcpus; pcpu += 1) {
      const words = sink.drain(pcpu);
      if (words.length === 0) continue;
      windows.push(bytesOf(Uint32Array.of(WINDOW_HEADER, pcpu, words.byteLength)), bytesOf(words));
    }
  };
  for (let t = scenario.trace.flushNs; t < scenario.trace.endNs; t += scenario.trace.flushNs) {
    simulation.runUntil(t);
    flush();
  }
  simulation.runUntil(scenario.trace.endNs);
  flush();
  sink.enabled = false;
  simulation.runUntil(scenario.durationNs);
  return {
    scenario,
    switches: `${rows.join('\n')}\n`,
    trace: Buffer.concat(windows),
    scheduleCalls,
    contextSwitches: rows.length - 1,
    jobs: jobs.counts(),
    times: simulation.vcpuTimes(),
    events: simulation.events,
  };
}

export interface JobCounts {
  readonly released: number;
  readonly completed: number;
  /** Completed after the deadline, or not at all by a deadline within the run. */
  readonly missed: number;
}

class JobCounter {
  readonly #durationNs: number;
  readonly #open = new Map<string, number>();
  #released = 0;
  #completed = 0;
  #late = 0;

  constructor(durationNs: number) {
    this.#durationNs = durationNs;
  }

  released(job: string, deadlineNs: number): void {
    this.#released += 1;
    this.#open.set(job, deadlineNs);
  }

  completed(job: string, tNs: number): void {
    this.#completed += 1;
    if (tNs > this.#open.get(job)!) this.#late += 1;
    this.#open.delete(job);
  }

  counts(): JobCounts {
    const unfinished = [...this.#open.values()].filter((deadlineNs) => deadlineNs <= this.#durationNs);
    return {
      released: this.#released,
      completed: this.#completed,
      missed: this.#late + unfinished.length,
    };
  }
}

/** The reference results of one scenario and version; the trace is left out of the larger ones. */
export interface Reference {
  readonly scenario: Scenario;
  readonly switches: string;
  readonly trace: Uint8Array | undefined;
  readonly figures: ReferenceFigures;
}

export interface ReferenceFigures {
  readonly totals: {
    readonly schedule_calls: number;
    readonly context_switches: number;
    readonly jobs_released: number;
    readonly jobs_completed: number;
    readonly deadline_misses: number;
  };
  readonly vcpus: readonly {
    readonly dom: number;
    readonly vcpu: number;
    readonly run_ns: number;
    readonly runnable_ns: number;
    readonly blocked_ns: number;
    readonly offline_ns: number;
    readonly guest_ns: number;
  }[];
}

/** Reads them from `root`, the folder that holds scenarios/ and the folders of the versions. */
export function readReference(root: string, name: string, version: ReferenceVersion): Reference {
  const base = join(root, REFERENCE_VERSIONS[version], name);
  const trace = `${base}.trace.gz`;
  return {
    scenario: readReferenceScenario(join(root, 'scenarios', `${name}.json`), version),
    switches: gunzipSync(readFileSync(`${base}.switches.csv.gz`)).toString(),
    trace: existsSync(trace) ? gunzipSync(readFileSync(trace)) : undefined,
    figures: JSON.parse(readFileSync(`${base}.json`, 'utf8')) as ReferenceFigures,
  };
}

/** The first difference between a run and its reference, in words; undefined if there is none. */
export function firstDifference(run: RunResult, reference: Reference): string | undefined {
  return (
    compareSwitches(run.switches, reference.switches).difference ??
    (reference.trace === undefined ? undefined : compareRecords(run.trace, reference.trace).difference) ??
    firstFigureDifference(run, reference.figures)
  );
}

/** The same of the figures only. */
export function firstFigureDifference(run: RunResult, figures: ReferenceFigures): string | undefined {
  const { totals } = figures;
  const counts = [
    ['runs of schedule()', run.scheduleCalls, totals.schedule_calls],
    ['context switches', run.contextSwitches, totals.context_switches],
    ['jobs released', run.jobs.released, totals.jobs_released],
    ['jobs completed', run.jobs.completed, totals.jobs_completed],
    ['deadlines missed', run.jobs.missed, totals.deadline_misses],
  ] as const;
  const off = counts.find(([, mine, other]) => mine !== other);
  if (off) return `${off[0]}: ours ${off[1]}, the reference ${off[2]}`;
  for (const their of figures.vcpus) {
    const our = run.times.find(({ dom, vcpu }) => dom === their.dom && vcpu === their.vcpu)!;
    const pairs = [
      ['run', our.runNs, their.run_ns],
      ['runnable', our.runnableNs, their.runnable_ns],
      ['blocked', our.blockedNs, their.blocked_ns],
      ['offline', our.offlineNs, their.offline_ns],
      ['guest', our.guestNs, their.guest_ns],
    ] as const;
    const wrong = pairs.find(([, mine, other]) => mine !== other);
    if (wrong)
      return `${wrong[0]} time of d${their.dom}v${their.vcpu}: ours ${wrong[1]}, the reference ${wrong[2]} ns`;
  }
  return undefined;
}

function bytesOf(words: Uint32Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
}
