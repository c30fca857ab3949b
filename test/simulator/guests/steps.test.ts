/** Barriers, locks, and requests to a driver domain, against times that are worked out by hand. Times in ms. */
import { describe, expect, test } from 'vitest';
import { alone, runGuest } from './run-guest.ts';

const done = (jobs: readonly { doneMs: number }[]) => jobs.map(({ doneMs }) => doneMs);

describe('barriers', () => {
  const rank = (ms: number, wait: string) =>
    `{think: 0s, steps: [{compute: ${ms}ms}, {barrier: round, wait: ${wait}}]}`;

  test.each(['spin', 'block'])('a round takes as long as its longest part (%s)', (wait) => {
    const run = runGuest(alone(`{tasks: [${rank(2, wait)}, ${rank(5, wait)}, ${rank(3, wait)}]}`, 3, '51ms'));
    for (const task of [0, 1, 2]) {
      expect(done(run.of(task)).slice(0, 10)).toEqual([5, 10, 15, 20, 25, 30, 35, 40, 45, 50]);
    }
    // Who spins burns its vCPU, who blocks does not; of the last round 1 ms is seen.
    const runMs = run.times.map(({ runNs }) => runNs / 1e6);
    expect(runMs).toEqual(wait === 'spin' ? [51, 51, 51] : [21, 51, 31]);
  });

  test('tasks of several domains meet at one', () => {
    const domain = (ms: number) => `
  - guest: {tasks: [${rank(ms, 'block')}]}
    vcpus: [tasks]`;
    const run = runGuest(`
scheduler: "null"
host: {pcpus: 2}
duration: 30ms
domains:${domain(3)}${domain(4)}
`);
    expect(done(run.of(0, 1)).slice(0, 3)).toEqual([4, 8, 12]);
    expect(done(run.of(0, 2)).slice(0, 3)).toEqual([4, 8, 12]);
  });

  test('who spins yields its vCPU after as much CPU time as it says', () => {
    const waits =
      '{period: 100ms, vcpu: 0, steps: [{compute: 1ms}, {barrier: b, wait: spin, yield_after: 500us}]}';
    const run = runGuest(`
scheduler: credit
host: {pcpus: 1}
duration: 50ms
domains:
  - guest: {tasks: [${waits}, {period: 100ms, vcpu: 1, steps: [{compute: 2ms}, {barrier: b, wait: spin}]}]}
    vcpus: [tasks, tasks]
`);
    // Both on one pCPU: v0 computes 1 ms and yields after 0.5 ms to v1, which ends the wait at 3.5 ms.
    expect(run.of(1)[0]!.doneMs).toBe(3.5);
  });
});

describe('locks', () => {
  test('are granted in the order of asking, and who spins burns CPU time', () => {
    const task = (name: string, offset: number) =>
      `{name: ${name}, period: 100ms, offset: ${offset}ms, steps: [{lock: l, hold: 4ms}, {compute: 1ms}]}`;
    const run = runGuest(
      alone(`{tasks: [${task('a', 0)}, ${task('b', 1)}, ${task('c', 2)}]}`, 3, '50ms').replace(
        'tasks: [',
        'placement: global, tasks: [',
      ),
    );
    expect([0, 1, 2].map((i) => run.of(i)[0]!.doneMs)).toEqual([5, 9, 13]);
    const runMs = run.times.map(({ runNs }) => runNs / 1e6);
    expect(runMs).toEqual([5, 8, 11]);
  });

  test('a mutex leaves the vCPU to others meanwhile', () => {
    const run = runGuest(
      alone(
        '{scheduler: fp, tasks: [' +
          '{period: 100ms, offset: 1ms, priority: 3, steps: [{lock: l, hold: 1ms, wait: block}]}, ' +
          '{period: 100ms, priority: 1, steps: [{lock: l, hold: 4ms, wait: block}]}, ' +
          '{period: 100ms, offset: 2ms, priority: 2, wcet: 3ms}]}',
        1,
        '50ms',
      ),
    );
    // Unbounded priority inversion: the middle task delays the holder, and so the first one.
    expect([0, 1, 2].map((i) => run.of(i)[0]!.doneMs)).toEqual([8, 7, 5]);
  });

  test('a spin lock is not preempted by the guest, so no task spins for one below it for ever', () => {
    const run = runGuest(
      alone(
        '{scheduler: fp, tasks: [{period: 100ms, offset: 1ms, priority: 2, steps: [{lock: l, hold: 1ms}]}, ' +
          '{period: 100ms, priority: 1, steps: [{lock: l, hold: 4ms}, {compute: 1ms}]}]}',
        1,
        '50ms',
      ),
    );
    expect([0, 1].map((i) => run.of(i)[0]!.doneMs)).toEqual([5, 6]);
  });

  test("a holder that Xen preempts lets the others spin until it is back: a hog's slice of 30 ms longer", () => {
    // v0 holds the lock on pCPU 0 from 29 ms on, beside a hog; its slice ends at 30 ms. v1 is alone on pCPU 1.
    const scenario = (hog: string) => `
scheduler: credit
host: {pcpus: 2}
duration: 100ms
domains:
  - guest:
      tasks:
        - {period: 200ms, vcpu: 0, steps: [{compute: 29ms}, {lock: l, hold: 3ms}]}
        - {period: 200ms, vcpu: 1, offset: 29500us, steps: [{lock: l, hold: 1ms}]}
    vcpus: [{affinity: 0}, {affinity: 1}]
  - affinity: 0
    vcpus: [${hog}]
`;
    const alone = runGuest(scenario('idle'));
    expect(alone.of(1)[0]!.doneMs).toBe(33);
    const beside = runGuest(scenario('hog 1ms'));
    expect(beside.of(1)[0]!.doneMs).toBe(63);
    // All that time v1 burns its pCPU.
    expect(beside.times[1]!.runNs / 1e6).toBe(33.5);
    expect(alone.times[1]!.runNs / 1e6).toBe(3.5);
  });
});

describe('requests through a driver domain', () => {
  const scenario = (clients: string, pcpus = 3) => `
scheduler: "null"
host: {pcpus: ${pcpus}}
duration: 100ms
domains:
  - id: 0
    guest: {tasks: [{name: disk, serves: true, steps: [{compute: 1ms}, {device: 5ms}, {compute: 500us}]}]}
    vcpus: [tasks]
${clients}
`;
  const client = (offset: number) => `
  - guest: {tasks: [{period: 50ms, offset: ${offset}ms, steps: [{compute: 2ms}, {io: d0.disk}, {compute: 1ms}]}]}
    vcpus: [tasks]`;

  test('a round trip is the driver, the device, and the driver again', () => {
    const run = runGuest(scenario(client(0)));
    expect(run.responses(0, 1)).toEqual([2 + 1 + 5 + 0.5 + 1, 9.5]);
    // The driver's own job is as long as the guest waits.
    expect(run.responses(0, 0)).toEqual([6.5, 6.5]);
    // The guest's vCPU is blocked meanwhile.
    expect(run.times[1]!.runNs / 1e6).toBe(6);
  });

  test("two guests queue for the device, and the driver's vCPU goes on with the next request meanwhile", () => {
    const run = runGuest(scenario(client(0) + client(1)));
    // Requests at 2 and 3; the driver has them at the device at 3 and 4; the device is through at 8 and 13.
    expect(run.of(0, 1)[0]!.doneMs).toBe(8 + 0.5 + 1);
    expect(run.of(0, 2)[0]!.doneMs).toBe(13 + 0.5 + 1);
    expect(
      run
        .of(0, 0)
        .map(({ doneMs }) => doneMs)
        .slice(0, 2),
    ).toEqual([8.5, 13.5]);
  });

  test("a driver that shares the guest's pCPU answers when Xen lets it", () => {
    const text = scenario(client(0), 1).replace('"null"', 'credit');
    const run = runGuest(text);
    expect(run.responses(0, 1)).toEqual([9.5, 9.5]);
  });

  test('a pause is a pause of the task by the clock', () => {
    const run = runGuest(
      alone('{tasks: [{period: 50ms, steps: [{compute: 1ms}, {sleep: 7ms}, {compute: 1ms}]}]}', 1, '40ms'),
    );
    expect(run.responses(0)).toEqual([9]);
    expect(run.times[0]!.runNs / 1e6).toBe(2);
  });
});
