/** Lines of ftrace, read as Perfetto and Trace Compass read them, against the timeline. */
import { describe, expect, test } from 'vitest';
import { openTrace } from '../../src/decoder/index.ts';
import { followTrace, RUNNING } from '../../src/timeline/index.ts';
import { TraceBuilder } from '../support/trace-builder.ts';
import { exportBytes } from './export-bytes.ts';
import { exportedTraces, SAMPLE_TRACE } from './exported-traces.ts';
import { type FtraceLine, readFtrace } from './read-ftrace.ts';

const T0 = 1000;

async function linesOf(input: Uint8Array | string, stretch = {}): Promise<FtraceLine[]> {
  return readFtrace(Buffer.from(await exportBytes('ftrace', input, { stretch })).toString());
}

/** `250 [1] d1v0 S > swapper/1` */
function short({ tNs, cpu, event, args, task }: FtraceLine): string {
  if (event === 'LOST') return `[${cpu}] LOST ${args.count}`;
  if (event === 'sched_waking')
    return `${tNs} [${cpu}] ${task} wakes ${args.comm}, ran on ${Number(args.target_cpu)}`;
  return `${tNs} [${cpu}] ${args.prev_comm} ${args.prev_state} > ${args.next_comm}`;
}

describe('a trace as ftrace', () => {
  test('has a switch for two records, and wake-ups by what ran there', async () => {
    const lines = await linesOf(
      new TraceBuilder()
        .window(0)
        .runstate(T0, 0, 0, 'blocked', 'runnable')
        .runstate(T0 + 100, 0, 0, 'runnable', 'running')
        .runstate(T0 + 200, 1, 0, 'blocked', 'runnable')
        .runstate(T0 + 300, 0, 0, 'running', 'blocked')
        .runstate(T0 + 340, 32767, 0, 'runnable', 'running')
        .runstate(T0 + 350, 0, 0, 'blocked', 'runnable')
        .window(1)
        .runstate(T0 + 250, 1, 0, 'runnable', 'running')
        .runstate(T0 + 320, 1, 0, 'running', 'runnable')
        .runstate(T0 + 330, 2, 1, 'runnable', 'running')
        .bytes(),
    );
    expect(lines.map(short)).toEqual([
      '0 [0] unknown wakes d0v0, ran on 0',
      '100 [0] unknown R > d0v0',
      '200 [0] d0v0 wakes d1v0, ran on 0',
      '250 [1] unknown R > d1v0',
      '330 [1] d1v0 R > d2v1',
      '340 [0] d0v0 S > swapper/0',
      '350 [0] <idle> wakes d0v0, ran on 0',
    ]);
  });

  test('tells that nobody knows who runs where nobody comes', async () => {
    const lines = await linesOf(
      new TraceBuilder()
        .window(0)
        .runstate(T0, 1, 0, 'runnable', 'running')
        .runstate(T0 + 1000, 1, 0, 'running', 'blocked')
        .lost(T0 + 200_000, { count: 7, firstTsc: T0 + 1010 })
        .runstate(T0 + 300_000, 2, 0, 'runnable', 'running')
        .window(1)
        .runstate(T0 + 100_000, 3, 0, 'running', 'offline')
        .runstate(T0 + 100_010, 32767, 1, 'runnable', 'running')
        .bytes(),
    );
    expect(lines.map(short)).toEqual([
      '0 [0] unknown R > d1v0',
      '1000 [0] d1v0 S > unknown',
      '100010 [1] d3v0 T > swapper/1',
      '[0] LOST 7',
      '300000 [0] unknown R > d2v0',
    ]);
  });
});

describe('every trace as ftrace', () => {
  test.each(exportedTraces())('%s', { timeout: 60_000 }, async (_, path) => {
    const lines = await linesOf(path);
    const reader = await openTrace(path);
    const begun: string[] = [];
    let wakeUps = 0;
    followTrace(reader, [
      {
        onTransitions({ count, tNs, dom, vcpu, to, pcpu, wakerPcpu }) {
          for (let row = 0; row < count; row++) {
            const pid = dom[row] === 0x7fff ? 0 : dom[row] * 0x10000 + vcpu[row] + 1;
            if (to[row] === RUNNING && pcpu[row] >= 0) begun.push(`${tNs[row]} ${pcpu[row]} ${pid}`);
            if (wakerPcpu[row] >= 0) wakeUps++;
          }
        },
      },
    ]);
    const { lostRecords } = reader.counts();
    reader.close();

    const switches = lines.filter(({ event }) => event === 'sched_switch');
    const unknown = String(0x7fffffff);
    const shown = switches.filter(({ args }) => args.next_pid !== unknown);
    expect(shown.map(({ tNs, cpu, args }) => `${tNs} ${cpu} ${args.next_pid}`)).toEqual(begun);
    expect(lines.filter(({ event }) => event === 'sched_waking')).toHaveLength(wakeUps);
    const lost = lines.filter(({ event }) => event === 'LOST');
    expect(lost.reduce((sum, { args }) => sum + Number(args.count), 0)).toBe(lostRecords);

    // Times ascend, and who leaves a CPU is who came to it, but where somebody came unseen.
    const runs = new Map<number, string>();
    let beforeNs = 0;
    for (const { event, tNs, cpu, args } of lines) {
      if (event === 'LOST') continue;
      if (tNs < beforeNs) expect.fail(`${tNs} comes after ${beforeNs}`);
      beforeNs = tNs;
      if (event !== 'sched_switch') continue;
      const pid = runs.get(cpu);
      if (pid !== undefined && pid !== args.prev_pid && lostRecords === 0)
        expect.fail(`${pid} left unseen at ${tNs}`);
      runs.set(cpu, args.next_pid as string);
    }
  });

  test('a stretch of it has the lines of that time', async () => {
    const all = (await linesOf(SAMPLE_TRACE)).filter(({ tNs }) => tNs >= 1e9 && tNs < 1.5e9);
    expect(all.length).toBeGreaterThan(10);
    expect(await linesOf(SAMPLE_TRACE, { fromNs: 1e9, toNs: 1.5e9 })).toEqual(all);
  });
});
