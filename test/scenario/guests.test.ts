import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { changeScenario } from '../../src/scenario/index.ts';
import { GENERATORS } from '../../src/tasksets/index.ts';
import { errorsOf, parse } from './errors-of.ts';

const MS = 1_000_000;
const fixed = (ms: number) => ({ kind: 'fixed', ns: ms * MS });

const guestOf = (guest: string, vcpus = '[tasks, tasks]') => {
  return parse(`domains: [{guest: ${guest}, vcpus: ${vcpus}}]`).domains[0]!;
};
const taskOf = (task: string) => guestOf(`{tasks: [${task}]}`).guest!.tasks[0]!;

/** Mistakes of one guest, each without its place. */
function errorsIn(guest: string, vcpus = '[tasks, tasks]'): string[] {
  return errorsOf(`domains: [{guest: ${guest}, vcpus: ${vcpus}}]`).map((one) =>
    one.replace(/^\d+:\d+: /, ''),
  );
}
const errorsInTask = (task: string) => errorsIn(`{tasks: [${task}]}`);
const errorsInStep = (step: string) => errorsInTask(`{think: 0s, steps: [{compute: 1ms}, ${step}]}`);

describe('guests', () => {
  it('have defaults: rate monotonic, partitioned, tasks with names, deadlines and vCPUs', () => {
    expect(guestOf('{tasks: [{period: 10ms, wcet: 2ms}]}').guest).toEqual({
      scheduler: 'rm',
      placement: 'partitioned',
      sliceNs: 10 * MS,
      tasks: [
        {
          name: 't0',
          arrivals: { kind: 'periodic', periodNs: 10 * MS, jitter: undefined, offsetNs: 0, batch: 1 },
          steps: [{ kind: 'compute', time: fixed(2) }],
          deadlineNs: 10 * MS,
          priority: 0,
          vcpu: 0,
        },
      ],
    });
  });

  it('run on the vCPUs that have no other workload', () => {
    const { vcpus, guest } = guestOf(
      '{tasks: [{period: 10ms, wcet: 2ms}]}',
      '[hog, {count: 2, affinity: 0}, idle]',
    );
    expect(vcpus.map(({ workload }) => workload.kind)).toEqual(['hog', 'tasks', 'tasks', 'idle']);
    expect(guest!.tasks[0]!.vcpu).toBe(1);
  });

  it('place tasks by first fit, around those that name their vCPU, servers to their bandwidth, then where most room is', () => {
    const tasks = '[{period: 10ms, wcet: 5ms}, {period: 10ms, wcet: 6ms}, {period: 10ms, wcet: 5ms}]';
    expect(guestOf(`{tasks: ${tasks}}`).guest!.tasks.map(({ vcpu }) => vcpu)).toEqual([0, 1, 0]);
    const named = tasks.replace('wcet: 6ms', 'wcet: 6ms, vcpu: 0');
    expect(guestOf(`{tasks: ${named}}`).guest!.tasks.map(({ vcpu }) => vcpu)).toEqual([1, 0, 1]);
    const served = '[{rtds: {period: 10ms, budget: 3ms}}, {}]';
    expect(guestOf(`{tasks: ${tasks}}`, served).guest!.tasks.map(({ vcpu }) => vcpu)).toEqual([1, 1, 0]);
  });

  it.each<[string, unknown]>([
    ['{interarrival: exponential(5ms), wcet: 1ms}', 5 * MS],
    ['{interarrival: uniform(4ms..8ms), wcet: 1ms}', 6 * MS],
    ['{interarrival: 5ms, wcet: 1ms, deadline: 2ms}', 2 * MS],
    ['{think: 0s, wcet: 1ms}', 0],
    ['{serves: true, wcet: 1ms}', 0],
    ['{phases: [{length: 5ms, interarrival: 1ms}], wcet: 1ms}', 0],
  ])('%s has a deadline of %d', (task, deadlineNs) => {
    expect(taskOf(task).deadlineNs).toBe(deadlineNs);
  });

  it('repeat a task by its count, and draw from truncated distributions', () => {
    const { tasks } = guestOf('{tasks: [{name: rank, count: 3, think: 0s, wcet: "exponential(1ms, 4ms)"}]}')
      .guest!;
    expect(tasks.map(({ name }) => name)).toEqual(['rank.0', 'rank.1', 'rank.2']);
    expect(tasks[0]!.steps).toEqual([
      { kind: 'compute', time: { kind: 'exponential', meanNs: MS, maxNs: 4 * MS } },
    ]);
  });

  it('send requests to tasks of any domain, by names and ids', () => {
    const { domains } = parse(`
domains:
  - name: client
    guest: {tasks: [{think: 0s, steps: [{compute: 1ms}, {io: driver.net}, {io: d7.disk}, {io: own}]}, {name: own, serves: 1, wcet: 1ms}]}
    vcpus: [tasks]
  - {name: driver, id: 7, guest: {tasks: [{name: disk, serves: 1, wcet: 1ms}, {name: net, serves: 1, wcet: 1ms}]}, vcpus: [tasks]}
`);
    expect(domains[0]!.guest!.tasks[0]!.steps.slice(1)).toEqual([
      { kind: 'request', dom: 7, task: 1 },
      { kind: 'request', dom: 7, task: 0 },
      { kind: 'request', dom: 1, task: 1 },
    ]);
  });

  it('can be changed by a path', () => {
    const text =
      'domains: [{name: a, guest: {sched: rm, tasks: [{period: 10ms, wcet: 2ms}]}, vcpus: [tasks]}]';
    const changed = changeScenario(text, 'a.yaml', [{ path: 'a.guest.scheduler', value: 'edf' }]);
    expect(parse(changed).domains[0]!.guest!.scheduler).toBe('edf');
  });
});

describe('docs/guests.md', () => {
  const text = readFileSync(new URL('../../docs/guests.md', import.meta.url), 'utf8');

  it('opens with an example that is a scenario', () => {
    const { domains } = parse(/```yaml\n([\s\S]*?)```/.exec(text)![1]!);
    expect(domains.map(({ guest }) => guest!.tasks.length)).toEqual([3, 1]);
  });

  it('names every generator', () => {
    for (const name of Object.keys(GENERATORS)) {
      expect(text, name).toContain(name.replace(/^(uniform|bimodal)-(?!light)/, '-'));
    }
  });
});

describe('mistakes in guests', () => {
  const good = '{period: 10ms, wcet: 2ms}';

  it.each([
    ['{}', '"tasks"'],
    ['{tasks: []}', 'empty list'],
    ['{tasks: 5}', 'expected a list'],
    [`{scheduler: rms, tasks: [${good}]}`, 'expected one of rm, dm, fp, edf, rr'],
    [`{placement: global, tasks: [{period: 10ms, wcet: 2ms, vcpu: 0}]}`, 'but it is global'],
    [`{tasks: [{period: 10ms, wcet: 2ms, vcpu: 2}]}`, 'expected a vCPU of the domain'],
    [`{tasks: [{name: a, period: 10ms, wcet: 2ms}, {name: a, period: 10ms, wcet: 2ms}]}`, 'already in line'],
  ])('%s', (guest, words) => {
    expect(errorsIn(guest).join('\n')).toContain(words);
  });

  it.each([
    ['{wcet: 2ms}', 'has no arrivals, expected one of period, interarrival, phases, think, serves'],
    ['{period: 10ms, think: 1ms, wcet: 2ms}', 'has 2 kinds of arrivals'],
    ['{period: 10ms}', 'lacks "wcet" and "steps"'],
    ['{period: 10ms, wcet: 2ms, steps: [{compute: 1ms}]}', 'has both "wcet" and "steps"'],
    ['{think: 10ms, jitter: 1ms, wcet: 2ms}', '"jitter" means nothing beside "think"'],
    ['{serves: true, offset: 1ms, wcet: 2ms}', '"offset" means nothing beside "serves"'],
    ['{period: 10ms, jitter: 11ms, wcet: 2ms}', 'longer than the period'],
    ['{period: 10ms, jitter: exponential(1ms), wcet: 2ms}', 'longer than the period'],
    ['{period: 10ms, wcet: "exponential(2ms, 1ms)"}', 'a most that is not below it'],
    ['{period: 10ms, wcet: 0}', 'at least 1 ns'],
    ['{phases: [{length: 5ms}], wcet: 1ms}', 'next to nothing arrives'],
    ['{phases: [{length: 5ms, interarrival: 9ms}], wcet: 1ms}', 'next to nothing arrives'],
    ['{phases: [{interarrival: 9ms}], wcet: 1ms}', 'a phase lacks "length"'],
    ['{perod: 10ms, wcet: 1ms}', 'did you mean "period"?'],
  ])('%s', (task, words) => {
    expect(errorsInTask(task).join('\n')).toContain(words);
  });

  it.each([
    ['{lock: l}', 'lacks "hold"'],
    ['{compute: 1ms, sleep: 1ms}', 'does 2 things'],
    ['{hold: 1ms}', 'does 0 things'],
    ['{barrier: b, hold: 1ms}', '"hold" means nothing beside "barrier"'],
    ['{sleep: 1ms, wait: spin}', '"wait" means nothing beside "sleep"'],
    ['{io: d0.disk}', 'no task "d0.disk" serves requests, expected a task that has "serves: true"'],
  ])('%s', (step, words) => {
    expect(errorsInStep(step).join('\n')).toContain(words);
  });

  it('need CPU time, so that no closed loop stands still', () => {
    expect(errorsInTask('{think: 0s, steps: [{barrier: b}]}').join('\n')).toContain('take no CPU time');
  });

  it('are told where tasks and vCPUs do not fit each other', () => {
    expect(errorsIn(`{tasks: [${good}]}`, '[hog]').join('\n')).toContain('the guest has no vCPU');
    expect(errorsIn(`{tasks: [${good}]}`, '[tasks, periodic 10ms 1ms]').join('\n')).toContain(
      'jobs of its own',
    );
    expect(errorsOf('domains: [{vcpus: [tasks]}]').join('\n')).toContain('there are no tasks');
  });
});
