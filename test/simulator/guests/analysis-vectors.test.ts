/**
 * Guests alone on a dedicated pCPU against the theory of uniprocessor scheduling: at the synchronous release, and under
 * EDF in the worst job of the busy period, responses are what the analyses say, to the nanosecond.
 */
import { describe, expect, test } from 'vitest';
import { alone, runGuest } from './run-guest.ts';

/** (C, T) in ms, in the order of priority. */
function fixedPriorities(tasks: readonly (readonly number[])[], duration: string) {
  const list = tasks.map(([c, t], i) => `{period: ${t}ms, wcet: ${c}ms, priority: ${tasks.length - i}}`);
  return runGuest(alone(`{scheduler: fp, tasks: [${list.join(', ')}]}`, 1, duration));
}

describe('response times under fixed priorities (reference: experiments.md 2.2)', () => {
  test.each([
    [
      [
        [1, 4],
        [1, 5],
        [3, 9],
        [3, 18],
      ],
      [1, 2, 7, 18],
    ],
    [
      [
        [5995, 43000],
        [2497, 44000],
        [18376, 52000],
        [7724, 55000],
      ],
      [5995, 8492, 26868, 34592],
    ],
  ])('%j answer in at most %j', (tasks, worst) => {
    const run = fixedPriorities(tasks, tasks[0]![1]! > 1000 ? '1000s' : '1s');
    for (const [task, responseMs] of worst.entries()) {
      const responses = run.responses(task).filter((ms) => !Number.isNaN(ms));
      expect(responses[0]).toBe(responseMs);
      expect(Math.max(...responses)).toBe(responseMs);
    }
  });

  test.each([
    // Lehoczky 1990: deadlines beyond the period.
    [
      [
        [52, 100],
        [52, 140],
      ],
      [52, 156],
    ],
    [
      [
        [52, 140],
        [52, 100],
      ],
      [52, 108],
    ],
    [
      [
        [26, 70],
        [62, 100],
      ],
      [26, 118],
    ],
  ])('jobs that queue: %j', (tasks, worst) => {
    const run = fixedPriorities(tasks, '4s');
    expect(Math.max(...run.responses(0).filter((ms) => !Number.isNaN(ms)))).toBe(worst[0]);
    expect(Math.max(...run.responses(1).filter((ms) => !Number.isNaN(ms)))).toBe(worst[1]);
  });
});
