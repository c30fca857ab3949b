import { drawnDuration } from './drawn-duration.ts';
import { nested, VCPUS_PER_DOMAIN_MAX } from './keys.ts';
import { key } from './read-keys.ts';
import { duration, oneOf, shortText, wholeNumber, yesOrNo } from './value-types.ts';

/* The keys of a domain's guest and its tasks, in the manner of keys.ts. */

/** Tasks of one guest. */
export const TASKS_MAX = 10_000;
export const SLICE_DEFAULT_NS = 10_000_000;

export const GUEST_KEYS = {
  scheduler: key({
    name: 'scheduler',
    type: oneOf(['rm', 'dm', 'fp', 'edf', 'rr']),
    default: 'rm',
    doc:
      'Who goes first: rate monotonic, deadline monotonic, fixed priorities as given, earliest deadline, ' +
      'or round robin.',
    aliases: ['sched'],
  }),
  placement: key({
    name: 'placement',
    type: oneOf(['partitioned', 'global']),
    default: 'partitioned',
    doc: 'Each task has a vCPU of its own, or every vCPU serves every task.',
  }),
  slice: key({
    name: 'slice',
    type: duration(1),
    default: '10ms',
    doc: 'Longest turn of a task under `rr`, in CPU time.',
  }),
  tasks: key({
    name: 'tasks',
    type: nested('list'),
    default: 'required',
    doc: 'The tasks, numbered from 0 in this order (see below).',
  }),
};

export const TASK_KEYS = {
  name: key({
    name: 'name',
    type: shortText(100),
    default: 't and the number',
    doc: 'Unique in its guest. Random draws follow the name, so that other tasks leave them as they are.',
  }),
  count: key({
    name: 'count',
    type: wholeNumber(1, TASKS_MAX),
    default: '1',
    doc: 'So many tasks of this description; a number is added to the name of each.',
  }),
  period: key({
    name: 'period',
    type: duration(1),
    default: 'none',
    doc: 'A periodic task: distance from one arrival to the next.',
  }),
  jitter: key({
    name: 'jitter',
    type: drawnDuration(0),
    default: 'none',
    doc:
      'Of a periodic task: its jobs are released up to so much after they arrive, uniformly or as drawn. ' +
      'At most the period.',
  }),
  interarrival: key({
    name: 'interarrival',
    type: drawnDuration(),
    default: 'none',
    doc: 'A sporadic or aperiodic task: distance to the next arrival; `exponential(5ms)` is Poisson.',
  }),
  phases: key({
    name: 'phases',
    type: nested('list'),
    default: 'none',
    doc: 'Arrivals that come and go: on-off, bursts, a Markov-modulated Poisson process (see below).',
  }),
  think: key({
    name: 'think',
    type: drawnDuration(0),
    default: 'none',
    doc: 'A closed loop: the next job arrives so long after the last one is complete; 0s is at once.',
  }),
  serves: key({
    name: 'serves',
    type: yesOrNo,
    default: 'false',
    doc: 'The task has a job for each request that another task sends it.',
  }),
  wcet: key({
    name: 'wcet',
    type: drawnDuration(),
    default: 'required, or steps',
    doc: 'CPU time of one job.',
    aliases: ['execution', 'burst'],
  }),
  steps: key({
    name: 'steps',
    type: nested('list'),
    default: 'the wcet',
    doc: 'What a job does, one after the other, if it does more than compute (see below).',
  }),
  deadline: key({
    name: 'deadline',
    type: duration(1),
    default: 'the period, the mean interarrival, else none',
    doc: 'Latest completion, counted from the arrival.',
  }),
  offset: key({
    name: 'offset',
    type: duration(),
    default: '0s',
    doc: "When the first job arrives, after the domain's creation.",
  }),
  batch: key({
    name: 'batch',
    type: wholeNumber(1, 10_000),
    default: '1',
    doc: 'Jobs at each arrival.',
  }),
  priority: key({
    name: 'priority',
    type: wholeNumber(0, 1_000_000),
    default: '0',
    doc: 'Under `fp`: the larger goes first; among equals the first that is ready.',
  }),
  vcpu: key({
    name: 'vcpu',
    type: wholeNumber(0, VCPUS_PER_DOMAIN_MAX - 1),
    default: 'first fit',
    doc: "Of a partitioned guest: where it runs. First fit: the first vCPU that has room for the task's utilisation.",
  }),
};

export const PHASE_KEYS = {
  length: key({
    name: 'length',
    type: drawnDuration(),
    default: 'required',
    doc: 'How long the phase lasts.',
  }),
  interarrival: key({
    name: 'interarrival',
    type: drawnDuration(),
    default: 'none',
    doc: 'Distance from the start of the phase to the first arrival, and from one to the next; none: silence.',
  }),
};

export const STEP_KEYS = {
  compute: key({ name: 'compute', type: drawnDuration(), default: 'none', doc: 'CPU time.' }),
  sleep: key({
    name: 'sleep',
    type: drawnDuration(),
    default: 'none',
    doc: 'A pause of the task, by the clock.',
  }),
  lock: key({
    name: 'lock',
    type: shortText(100),
    default: 'none',
    doc: 'Takes this lock of the guest, first come, first served, for as long as `hold` says.',
  }),
  hold: key({
    name: 'hold',
    type: drawnDuration(),
    default: 'required with lock',
    doc: 'CPU time of the critical section.',
  }),
  barrier: key({
    name: 'barrier',
    type: shortText(100),
    default: 'none',
    doc: 'Waits until all tasks that name this barrier have come to it, those of other domains too.',
  }),
  request: key({
    name: 'request',
    type: shortText(250),
    default: 'none',
    doc: 'Sends a job to a task that `serves`, as `domain.task` or `task`, and waits until it is complete.',
    aliases: ['io'],
  }),
  device: key({
    name: 'device',
    type: drawnDuration(),
    default: 'none',
    doc:
      "The job waits for a device that serves the task's jobs one after the other, by the clock; the task " +
      'goes on with its next job.',
  }),
  wait: key({
    name: 'wait',
    type: oneOf(['spin', 'block']),
    default: 'spin for locks, block for barriers',
    doc: 'How it waits for a lock or a barrier: on its vCPU, or leaving it to others.',
  }),
  yieldAfter: key({
    name: 'yield_after',
    type: duration(1),
    default: 'never',
    doc: 'A task that spins lets its vCPU yield after each so much CPU time.',
  }),
};
