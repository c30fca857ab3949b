import { describe, expect, it } from 'vitest';
import type { Workload } from '../../src/scenario/index.ts';
import { errorsOf, parse } from './errors-of.ts';

const MS = 1_000_000;
const fixed = (ms: number) => ({ kind: 'fixed', ns: ms * MS });

function workloadOf(written: string): Workload {
  return parse(`domains: [{vcpus: [{workload: ${written}}]}]`).domains[0]!.vcpus[0]!.workload;
}

/** Mistakes of one workload, their columns counted from where the workload begins. */
function errorsIn(written: string): string[] {
  const lead = 'domains:\n  - vcpus:\n      - workload: ';
  const column = 'workload: '.length + 9;
  return errorsOf(lead + written).map((message) =>
    message.replace(/^3:(\d+): /, (_, found) => `${Number(found) - column + 1}: `),
  );
}

describe('workloads', () => {
  it.each<[string, unknown]>([
    ['hog', { kind: 'hog', offsetNs: 0 }],
    ['hog 5ms', { kind: 'hog', offsetNs: 5 * MS }],
    ['{hog: {offset: 5ms}}', { kind: 'hog', offsetNs: 5 * MS }],
    ['{hog: }', { kind: 'hog', offsetNs: 0 }],
    ['idle', { kind: 'idle' }],
    ['duty 1ms 9 ms', { kind: 'duty', run: fixed(1), sleep: fixed(9), offsetNs: 0 }],
    ['duty 1000000 9000000 3', { kind: 'duty', run: fixed(1), sleep: fixed(9), offsetNs: 3 }],
    ['{duty: {sleep: 9ms, run: 1ms}}', { kind: 'duty', run: fixed(1), sleep: fixed(9), offsetNs: 0 }],
    ['once 7ms', { kind: 'once', run: fixed(7), offsetNs: 0 }],
    ['dodge 10ms 100us', { kind: 'dodge', periodNs: 10 * MS, guardNs: 100_000, offsetNs: 0 }],
    [
      'periodic 10ms 2ms',
      { kind: 'periodic', periodNs: 10 * MS, burst: fixed(2), deadlineNs: 10 * MS, offsetNs: 0 },
    ],
    [
      '{periodic: {period: 10ms, burst: 2ms, deadline: 8ms, offset: 5ms}}',
      { kind: 'periodic', periodNs: 10 * MS, burst: fixed(2), deadlineNs: 8 * MS, offsetNs: 5 * MS },
    ],
    [
      '{periodic: {period_ns: 10000000, burst_ns: 2000000}}',
      { kind: 'periodic', periodNs: 10 * MS, burst: fixed(2), deadlineNs: 10 * MS, offsetNs: 0 },
    ],
    [
      'poisson 10ms exponential(2ms)',
      {
        kind: 'sporadic',
        interarrival: { kind: 'exponential', meanNs: 10 * MS },
        burst: { kind: 'exponential', meanNs: 2 * MS },
        deadlineNs: 10 * MS,
        offsetNs: 0,
      },
    ],
    [
      '{sporadic: {interarrival: uniform(5ms..16ms), burst: 1ms}}',
      {
        kind: 'sporadic',
        interarrival: { kind: 'uniform', minNs: 5 * MS, maxNs: 16 * MS },
        burst: fixed(1),
        deadlineNs: 10.5 * MS,
        offsetNs: 0,
      },
    ],
    [
      'duty uniform(1 ms .. 3 ms) exponential(2ms) 5 ms',
      {
        kind: 'duty',
        run: { kind: 'uniform', minNs: MS, maxNs: 3 * MS },
        sleep: { kind: 'exponential', meanNs: 2 * MS },
        offsetNs: 5 * MS,
      },
    ],
    [
      '{duty: {run: {uniform: [1ms, 2ms]}, sleep: {exponential: 2ms}}}',
      {
        kind: 'duty',
        run: { kind: 'uniform', minNs: MS, maxNs: 2 * MS },
        sleep: { kind: 'exponential', meanNs: 2 * MS },
        offsetNs: 0,
      },
    ],
  ])('reads %s', (written, workload) => {
    expect(workloadOf(written)).toEqual(workload);
  });

  it.each([
    ['periodc 1ms', ['1: unknown workload "periodc", did you mean "periodic"?']],
    ['periodic 1ms', ['1: workload "periodic" lacks its burst, expected period, burst, offset']],
    ['hog 1 2', ['1: workload "hog 1 2" has too many parts, hog takes at most offset']],
    ['idle 1', ['1: workload "idle 1" has too many parts, idle takes nothing more']],
    [
      'duty 1ms 9msec',
      ['10: "sleep": "9msec" has an unknown unit "msec", known are ns, us, ms, s, min and h'],
    ],
    ['"duty 0 5"', ['7: "run" is 0, expected a duration of at least 1 ns']],
    ['duty 5 -5ms', ['8: "sleep": "-5ms" is negative, a duration is not']],
    ['dodge 10ms 10ms', ['12: the guard of "dodge" is not shorter than its period']],
    [
      '5',
      [
        '1: "workload" is 5, expected a workload such as hog, "duty 1ms 9ms" or {periodic: {period: 10ms, burst: 2ms}}',
      ],
    ],
    [
      '{hog: {}, idle: {}}',
      ['1: "workload" has 2 keys, expected one kind of workload and its parts below it'],
    ],
    ['{hog: 5}', ['7: "hog" is 5, expected a map of offset']],
    [
      '{once: {runs: 5}}',
      [
        '2: workload "once" lacks its run, expected run, offset',
        '9: unknown key "runs", did you mean "run"?',
      ],
    ],
    [
      '{once: {run: 5, run_ns: 5}}',
      ['17: "run_ns" sets what another spelling of "run" sets, expected only one of them'],
    ],
    ['once uniform(3ms..1ms)', ['6: "run" is "uniform(3ms..1ms)", expected the least duration first']],
    [
      'once gauss(1ms)',
      ['6: "run" is "gauss(1ms)", expected a duration such as 10ms, uniform(5ms..15ms) or exponential(10ms)'],
    ],
    [
      'periodic exponential(1ms) 1ms',
      ['10: "period" is "exponential(1ms)", expected a duration that is not drawn'],
    ],
    ['once 3000h', ['6: "run": "3000h" is too long, at most 2^53 - 1 ns (104 days) can be counted']],
  ])('refuses %s', (written, messages) => {
    expect(errorsIn(written)).toEqual(messages);
  });
});
