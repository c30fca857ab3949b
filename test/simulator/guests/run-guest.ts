import { parseScenario } from '../../../src/scenario/index.ts';
import { simulate } from '../../../src/simulator/index.ts';
import { MemorySink } from '../memory-sink.ts';

/** What became of a job. Times in ms. */
export interface SeenJob {
  readonly dom: number;
  readonly task: number;
  readonly job: number;
  readonly releaseMs: number;
  readonly deadlineMs: number;
  /** NaN: never. */
  doneMs: number;
}

const MS = 1_000_000;

/** Runs a scenario's text and tells what its jobs did, in the order of their release. */
export function runGuest(text: string) {
  const scenario = parseScenario(text, 'guest.yaml');
  const jobs: SeenJob[] = [];
  const open = new Map<string, SeenJob>();
  const switches: string[] = [];
  const simulation = simulate(scenario, new MemorySink(scenario.host.pcpus), {
    onJobRelease: (tNs, dom, task, job, deadlineNs) => {
      const seen = { dom, task, job, releaseMs: tNs / MS, deadlineMs: deadlineNs / MS, doneMs: Number.NaN };
      jobs.push(seen);
      open.set(`${dom}/${task}/${job}`, seen);
    },
    onJobComplete: (tNs, dom, task, job) => {
      open.get(`${dom}/${task}/${job}`)!.doneMs = tNs / MS;
    },
    onSwitch: (tNs, pcpu, dom, vcpu) => switches.push(`${tNs / MS} ${pcpu} d${dom}v${vcpu}`),
  });
  const of = (task: number, dom = 1) => jobs.filter((one) => one.task === task && one.dom === dom);
  return {
    scenario,
    jobs,
    of,
    switches,
    times: simulation.vcpuTimes(),
    /** Response times of a task's jobs, from the release. */
    responses: (task: number, dom = 1) =>
      of(task, dom).map(({ releaseMs, doneMs }) => Math.round((doneMs - releaseMs) * 1e6) / 1e6),
    missed: (task: number, dom = 1) => {
      return of(task, dom).filter(({ doneMs, deadlineMs }) => {
        return !(doneMs <= deadlineMs) && deadlineMs <= scenario.durationNs / MS;
      });
    },
  };
}

/** A guest alone, with a vCPU on a pCPU of its own for each. */
export function alone(guest: string, vcpus = 1, duration = '2s'): string {
  return `
scheduler: "null"
duration: ${duration}
host: {pcpus: ${vcpus}}
domains:
  - guest: ${guest}
    vcpus: [{count: ${vcpus}}]
`;
}
