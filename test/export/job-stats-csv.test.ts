/** Jobs in the words of LITMUS^RT's st-job-stats: its columns and their widths, and figures worked out on paper. */
import { expect, test } from 'vitest';
import { jobStatsCsv } from '../../src/export/index.ts';
import { analyze } from '../analysis/analyze-bytes.ts';
import { TraceBuilder, u64, vcpuWord } from '../support/trace-builder.ts';

const MS = 1_000_000;

async function jobStats(bytes: Uint8Array, endNs: number): Promise<string> {
  let text = '';
  const writer = jobStatsCsv((more) => {
    text += more;
  });
  const { analysis } = await analyze(bytes, { analyses: [writer], endNs });
  expect(analysis.tables).toEqual([]);
  return text;
}

const at = (ms: number) => 1000 + ms * MS;
const release = (task: number, job: number, deadlineMs: number) => {
  return [vcpuWord(2, 1), task, job, ...u64(deadlineMs * MS), ...u64(0)];
};
const job = (task: number, number: number) => [vcpuWord(2, 1), task, number];

/**
 *          0    1    2    3    4    5    6    7 ms
 *     d2v1 .....RRRRRrrrrrRRRRRRRRRR.....RRRRR     job 0 from 1 to 5, job 1 from 6 to 7; both due 3 ms after release
 */
test('a line for each job, with the period from releases and the time that its vCPU ran', async () => {
  const bytes = new TraceBuilder()
    .window(0)
    .record(0x24001, at(0), release(7, 0, 3))
    .runstate(at(1), 2, 1, 'runnable', 'running')
    .record(0x24002, at(1), job(7, 0))
    .runstate(at(2), 2, 1, 'running', 'runnable')
    .runstate(at(3), 2, 1, 'runnable', 'running')
    .record(0x24003, at(5), job(7, 0))
    .runstate(at(5), 2, 1, 'running', 'blocked')
    .record(0x24001, at(6), release(7, 1, 3))
    .runstate(at(6), 2, 1, 'blocked', 'running')
    .record(0x24002, at(6), job(7, 1))
    .record(0x24003, at(7), job(7, 1))
    .record(0x24001, at(7), release(7, 2, 3))
    .bytes();
  expect(await jobStats(bytes, 8 * MS)).toBe(
    `# Task,   Job,     Period,   Response, DL Miss?,   Lateness,  Tardiness, Forced?,       ACET
# task NAME=d2v1/7 PID=1
     1,     0,    6000000,    5000000,        1,    2000000,    2000000,       0,    3000000
     1,     1,    6000000,    1000000,        0,   -2000000,          0,       0,    1000000
`,
  );
});

test('what the trace does not tell is an empty cell', async () => {
  const bytes = new TraceBuilder()
    .window(0)
    .record(0x24001, at(0), release(0, 4, 0))
    .record(0x24003, at(2), job(0, 4))
    .record(0x24001, at(3), release(1, 0, 5))
    .record(0x24003, at(9), job(1, 8))
    .bytes();
  expect((await jobStats(bytes, 10 * MS)).split('\n').slice(1)).toEqual([
    '# task NAME=d2v1/0 PID=1',
    '# task NAME=d2v1/1 PID=2',
    '     1,     4,           ,    2000000,         ,           ,           ,       0,           ',
    '',
  ]);
});
