/** What holds of guests' tasks whatever they do, under every scheduler; and what their jobs leave in the trace. */
import { describe, expect, test } from 'vitest';
import { Prng } from '../../../src/base/prng.ts';
import { createRecordBatch, openTrace } from '../../../src/decoder/index.ts';
import {
  createTraceRings,
  parseRecorderOptions,
  planRecording,
  record,
  MemorySink as TraceFileSink,
} from '../../../src/recorder/index.ts';
import { DumpFormatter } from '../../../src/report/index.ts';
import { parseScenario } from '../../../src/scenario/index.ts';
import { Simulation, schedulers } from '../../../src/simulator/index.ts';
import { MemorySink } from '../memory-sink.ts';
import { runGuest } from './run-guest.ts';

/** Guests drawn at random, all of whose times are fixed and none of whose tasks spins; and what each job computes. */
function drawScenario(scheduler: string, xen: string, seed: number) {
  const prng = Prng.fromSeed(seed).fork(scheduler);
  const pick = <T>(choices: readonly T[]): T => choices[prng.below(choices.length)]!;
  const ms = (most: number) => `${1 + prng.below(most * 1000)}us`;
  const needUs = new Map<string, number>();
  const task = (dom: number, number: number) => {
    let us = 0;
    const cpu = (most: number) => {
      const one = 1 + prng.below(most * 1000);
      us += one;
      return `${one}us`;
    };
    const arrivals = pick([
      () => `period: ${ms(40)}`,
      () => `interarrival: exponential(${ms(30)})`,
      () => `think: ${ms(10)}`,
      () => `phases: [{length: 20ms, interarrival: ${ms(15)}}, {length: ${ms(30)}}], batch: 2`,
    ])();
    const steps = [`{compute: ${cpu(5)}}`];
    for (let left = prng.below(4); left > 0; left -= 1) {
      steps.push(
        pick([
          () => `{compute: ${cpu(3)}}`,
          () => `{sleep: ${ms(5)}}`,
          () => `{lock: ${pick(['a', 'b'])}, hold: ${cpu(1)}, wait: block}`,
          () => '{io: d1.server}',
          () => `{device: ${ms(3)}}`,
        ])(),
      );
    }
    needUs.set(`${dom}/${number}`, us);
    return `{${arrivals}, priority: ${prng.below(4)}, steps: [${steps.join(', ')}]}`;
  };
  const domain = (dom: number) => {
    const tasks = Array.from({ length: 1 + prng.below(5) }, (_, i) => task(dom, i));
    const server = dom === 1 ? [`{name: server, serves: true, wcet: 300us}`] : [];
    if (dom === 1) needUs.set(`1/${tasks.length}`, 300);
    return `
  - id: ${dom}
    guest:
      scheduler: ${pick(['rm', 'dm', 'fp', 'edf', 'rr'])}
      placement: ${pick(['partitioned', 'global'])}
      slice: ${ms(10)}
      tasks: [${[...tasks, ...server].join(', ')}]
    vcpus: [{count: ${1 + prng.below(3)}, yield_every: ${pick(['0', '3ms'])}}${pick(['', ', hog', ', duty 1ms 3ms'])}]`;
  };
  const text = `
scheduler: "${scheduler}"
xen: "${xen}"
duration: 300ms
seed: ${seed}
host: {pcpus: ${1 + prng.below(4)}, context_switch: ${pick(['0', '0', '20us'])}}
domains:${[1, 2, 3].map(domain).join('')}
`;
  return { text, needUs };
}

// Under ARINC653 nobody but dom0 runs without a table.
const entries = schedulers.filter(({ name }) => name !== 'arinc653');

describe.each(entries)('under $name', ({ name, since, until }) => {
  test("the CPU time of a guest's vCPUs is that of its jobs", () => {
    let completed = 0;
    for (let seed = 1; seed <= 12; seed += 1) {
      const { text, needUs } = drawScenario(name, until === undefined ? 'head' : since, seed);
      const run = runGuest(text);
      for (const { id, vcpus } of run.scenario.domains) {
        let doneNs = 0;
        let openNs = 0;
        for (const { task, releaseMs, doneMs } of run.jobs.filter(({ dom }) => dom === id)) {
          const needNs = needUs.get(`${id}/${task}`)! * 1000;
          if (Number.isNaN(doneMs)) openNs += needNs;
          else {
            doneNs += needNs;
            completed += 1;
            expect(Math.round((doneMs - releaseMs) * 1e6)).toBeGreaterThanOrEqual(needNs);
          }
        }
        const tasks = run.times.filter(
          ({ dom, vcpu }) => dom === id && vcpus[vcpu]!.workload.kind === 'tasks',
        );
        const gotNs = tasks.reduce((sum, { guestNs }) => sum + guestNs, 0);
        expect(gotNs, text).toBeGreaterThanOrEqual(doneNs);
        expect(gotNs, text).toBeLessThanOrEqual(doneNs + openNs);
      }
    }
    expect(completed).toBeGreaterThan(250);
  });
});

/** A guest with one vCPU beside a hog, which keeps it from noticing releases. */
const LATE = `
scheduler: credit
host: {pcpus: 1}
duration: 100ms
domains:
  - guest: {scheduler: fp, tasks: [{period: 10ms, wcet: 1ms}, {period: 50ms, wcet: 45ms, priority: 1, offset: 5ms}]}
    vcpus: [tasks]
  - vcpus: [hog 1ms]
`;

async function dump(text: string, jobRecords: boolean): Promise<string[]> {
  const scenario = parseScenario(text, 'late.yaml');
  const plan = planRecording(parseRecorderOptions(), scenario);
  const rings = createTraceRings(plan);
  const sink = new TraceFileSink();
  record(new Simulation(scenario, rings, { jobRecords }), rings, plan, sink);
  const reader = await openTrace(sink.bytes(), { cpuHz: 1e9 });
  const formatter = new DumpFormatter(reader.catalog);
  const batch = createRecordBatch();
  const lines: string[] = [];
  while (reader.readBatch(batch)) {
    for (let row = 0; row < batch.count; row += 1) lines.push(formatter.textLine(batch, row));
  }
  expect(reader.diagnostics()).toEqual([]);
  return lines;
}

describe('the records of jobs', () => {
  test('are made where the guest is, and a timer wakes a vCPU where it was last', () => {
    const text = `
scheduler: "null"
host: {pcpus: 2}
duration: 8ms
domains:
  - guest:
      scheduler: fp
      tasks:
        - {period: 100ms, wcet: 5ms, vcpu: 0}
        - {period: 100ms, wcet: 1ms, vcpu: 1}
        - {period: 100ms, wcet: 4ms, vcpu: 1, offset: 2ms}
        - {period: 100ms, wcet: 1ms, vcpu: 0, offset: 3ms, priority: 1}
        - {period: 100ms, wcet: 1ms, vcpu: 1, offset: 4ms, priority: 1}
    vcpus: [tasks, tasks]
`;
    const seen: string[] = [];
    const scenario = parseScenario(text, 'places.yaml');
    const simulation = new Simulation(scenario, {
      wants: () => true,
      emit: (pcpu, event, tscLow, _tscHigh, words) => {
        const ms = Math.floor((tscLow - 1e9) / 1e6);
        if (event === 0x28004) seen.push(`${ms}: wake v${words[1]} on ${pcpu}`);
        if (event === 0x24001) seen.push(`${ms}: release ${words[1]} on ${pcpu}`);
      },
    });
    simulation.runUntil(scenario.durationNs);
    expect(seen.filter((line) => !line.startsWith('0'))).toEqual([
      '2: wake v1 on 1',
      '2: release 2 on 1',
      '3: release 3 on 0',
      '4: release 4 on 1',
    ]);
    expect(seen).toContain('0: wake v1 on 1');
  });

  test('say how late a guest noticed a release, and name the task', async () => {
    const releases = (await dump(LATE, true)).filter((line) => line.includes('TRC_TASK_RELEASE'));
    const late = releases.map((line) => Number(/late_ns=(\d+)/.exec(line)![1]));
    // The hog has its 30 ms from 36 ms on: what is released meanwhile is noticed when the guest is back.
    expect(late.filter((ns) => ns === 0).length).toBeGreaterThan(2);
    expect(Math.max(...late)).toBeGreaterThan(15_000_000);
    const tasks = new Set(releases.map((line) => /\btask=(\d+)/.exec(line)![1]));
    expect([...tasks].sort()).toEqual(['0', '1']);
  });

  test('change no other record', async () => {
    const others = (await dump(LATE, true)).filter((line) => !line.includes('TRC_TASK_'));
    expect(others).toEqual(await dump(LATE, false));
  });

  test('a run is the same however it is cut', () => {
    const words = (cuts: number) => {
      const scenario = parseScenario(LATE, 'late.yaml');
      const sink = new MemorySink(1);
      const simulation = new Simulation(scenario, sink);
      for (let i = 1; i <= cuts; i += 1) simulation.runUntil((scenario.durationNs / cuts) * i);
      return sink.drain(0);
    };
    expect(words(50)).toEqual(words(1));
  });
});
