/**
 * The tables of what the vCPUs did, of traces made by hand.
 */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openTrace } from '../../src/decoder/index.ts';
import { writeTables } from '../../src/tables/index.ts';
import { TraceBuilder, u64, vcpuWord } from '../support/trace-builder.ts';
import { readRows } from './read-arrow.ts';
import { makeFolder, removeFolder } from './temporary-folder.ts';

let folder: string;
beforeEach(() => {
  folder = makeFolder();
});
afterEach(() => removeFolder(folder));

const file = (name: string) => join(folder, `${name}.arrow`);

describe('the tables of the timeline', () => {
  /**
   *     d1v0   runs from 100, preempted at 200, runs on from 350
   *     d2v0   wakes at 150, runs from 200 to 350, then blocks
   */
  const trace = () =>
    new TraceBuilder()
      .window(0)
      .runstate(100, 32767, 0, 'running', 'runnable')
      .runstate(100, 1, 0, 'runnable', 'running')
      .runstate(150, 2, 0, 'blocked', 'runnable')
      .runstate(200, 1, 0, 'running', 'runnable')
      .runstate(200, 2, 0, 'runnable', 'running')
      .runstate(350, 2, 0, 'running', 'blocked')
      .runstate(350, 1, 0, 'runnable', 'running')
      .runstate(400, 1, 0, 'running', 'runnable')
      .runstate(400, 32767, 0, 'runnable', 'running')
      .bytes();

  test('tell who waited for whom', async () => {
    const reader = await openTrace(trace(), { cpuHz: 1_000_000_000 });
    writeTables(reader, folder);
    const columns = [
      'label',
      'cause',
      'start_ns',
      'end_ns',
      'wait_ns',
      'to_pcpu',
      'ran_dom',
      'ran_vcpu',
      'ran_ns',
    ];
    expect(readRows(file('waits'), columns)).toEqual([
      {
        ...{ label: 'd2v0', cause: 'wake', start_ns: 50n, end_ns: 100n, wait_ns: 50n, to_pcpu: 0 },
        ...{ ran_dom: 1, ran_vcpu: 0, ran_ns: 50n },
      },
      {
        ...{ label: 'd1v0', cause: 'preempt', start_ns: 100n, end_ns: 250n, wait_ns: 150n, to_pcpu: 0 },
        ...{ ran_dom: 2, ran_vcpu: 0, ran_ns: 150n },
      },
    ]);
    const states = readRows(file('runstates')).filter(
      ({ label, state }) => label === 'd2v0' && state === 'running',
    );
    expect(states).toMatchObject([
      {
        dom: 2,
        vcpu: 0,
        previous: 'runnable',
        xen_state: 'running',
        start_ns: 100n,
        end_ns: 250n,
        dur_ns: 150n,
      },
    ]);
    expect(states).toMatchObject([{ pcpu: 0, start_seen: true, end_seen: true }]);
    const domains = readRows(file('domains'), [
      'dom',
      'label',
      'kind',
      'vcpus',
      'first_seen_ns',
      'last_seen_ns',
    ]);
    expect(domains).toEqual([
      { dom: 1, label: 'd1', kind: 'domain', vcpus: 1, first_seen_ns: 0n, last_seen_ns: 300n },
      { dom: 2, label: 'd2', kind: 'domain', vcpus: 1, first_seen_ns: 50n, last_seen_ns: 250n },
      { dom: 32767, label: 'd[IDLE]', kind: 'idle', vcpus: 1, first_seen_ns: 0n, last_seen_ns: 300n },
    ]);
  });

  test('tile the time of each vCPU', async () => {
    writeTables(await openTrace(trace(), { cpuHz: 1_000_000_000 }), folder, { tables: ['runstates'] });
    const ends = new Map<unknown, unknown>();
    for (const { label, start_ns, end_ns, dur_ns } of readRows(file('runstates'))) {
      expect(start_ns).toBe(ends.get(label) ?? 0n);
      expect(dur_ns).toBe((end_ns as bigint) - (start_ns as bigint));
      ends.set(label, end_ns);
    }
    expect([...ends.values()]).toEqual([300n, 300n, 300n]);
  });

  test('judge jobs: early, late, unfinished', async () => {
    const release = (tsc: number, job: number, deadline: number) =>
      [0x24001, tsc, [vcpuWord(1, 0), 2, job, ...u64(deadline), ...u64(0)]] as const;
    const job = (event: number, tsc: number, number: number) =>
      [event, tsc, [vcpuWord(1, 0), 2, number]] as const;
    const builder = new TraceBuilder().window(0).record(0x21002, 1000, [vcpuWord(1, 0)]);
    for (const [event, tsc, words] of [
      release(2000, 0, 500),
      job(0x24002, 2100, 0),
      job(0x24003, 2400, 0),
      release(3000, 1, 500),
      job(0x24002, 3300, 1),
      job(0x24003, 5700, 1),
      release(6000, 2, 500_000),
    ]) {
      builder.record(event, tsc, words);
    }
    writeTables(await openTrace(builder.bytes(), { cpuHz: 1_000_000_000 }), folder);
    expect(readRows(file('jobs'))).toEqual([
      {
        ...{ dom: 1, vcpu: 0, label: 'd1v0', task: 2, job: 0, release_ns: 1000n, start_ns: 1100n },
        ...{
          completion_ns: 1400n,
          deadline_ns: 1500n,
          response_ns: 400n,
          lateness_ns: -100n,
          tardiness_ns: 0n,
          missed: false,
        },
      },
      {
        ...{ dom: 1, vcpu: 0, label: 'd1v0', task: 2, job: 1, release_ns: 2000n, start_ns: 2300n },
        ...{
          completion_ns: 4700n,
          deadline_ns: 2500n,
          response_ns: 2700n,
          lateness_ns: 2200n,
          tardiness_ns: 2200n,
          missed: true,
        },
      },
      {
        ...{ dom: 1, vcpu: 0, label: 'd1v0', task: 2, job: 2, release_ns: 5000n, start_ns: null },
        ...{
          completion_ns: null,
          deadline_ns: 505_000n,
          response_ns: null,
          lateness_ns: null,
          tardiness_ns: null,
          missed: null,
        },
      },
    ]);
  });
});
