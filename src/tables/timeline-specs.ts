import { RUNSTATE_NAMES, WAIT_CAUSES } from '../timeline/index.ts';
import { ns, pcpu } from './common-columns.ts';
import type { ColumnSpec, TableSpec } from './table-spec.ts';

const VCPU: readonly ColumnSpec[] = [
  {
    name: 'dom',
    type: 'uint16',
    unit: 'dom',
    nullable: false,
    doc: "Domain of the vCPU; 32767 is Xen's idle domain, whose vCPU n is pCPU n's idle loop.",
  },
  {
    name: 'vcpu',
    type: 'uint16',
    unit: 'vcpu',
    nullable: false,
    doc: 'Number of the vCPU within its domain.',
  },
  { name: 'label', type: 'utf8', nullable: false, doc: 'The vCPU as text: `d0v5`, or `d[IDLE]v3`.' },
];

/** What the vCPUs did, as the timeline reconstructs it. */
export const TIMELINE_SPECS: readonly TableSpec[] = [
  {
    name: 'runstates',
    kind: 'timeline',
    doc: 'What each vCPU did: a row for each interval in one runstate. Those of a vCPU tile its time.',
    columns: [
      ...VCPU,
      {
        name: 'state',
        type: 'dictionary',
        nullable: false,
        values: RUNSTATE_NAMES,
        doc: '`unknown`: nobody can tell (the start, lost records). `throttled`: kept back by a budget or cap.',
      },
      {
        name: 'xen_state',
        type: 'dictionary',
        nullable: false,
        values: RUNSTATE_NAMES,
        doc: "The same by Xen's own records, which call a throttled vCPU runnable or offline.",
      },
      {
        name: 'previous',
        type: 'dictionary',
        nullable: false,
        values: RUNSTATE_NAMES,
        doc: 'The state before this one; `unknown` for the first.',
      },
      ns('start_ns', 'When it began, since the start of the trace.'),
      ns('end_ns', 'When it ended.'),
      ns('dur_ns', 'How long it was: end_ns - start_ns.'),
      pcpu('pcpu', 'Where it ran (state running), else where it had run last. Null where not known.'),
      {
        name: 'start_seen',
        type: 'bool',
        nullable: false,
        doc: 'Whether the trace shows its start; false where it begins with the trace or with a loss.',
      },
      { name: 'end_seen', type: 'bool', nullable: false, doc: 'Whether the trace shows its end.' },
    ],
  },
  {
    name: 'waits',
    kind: 'timeline',
    doc: 'Every completed wait for a pCPU: the time runnable before running, ordered by its end.',
    columns: [
      ...VCPU,
      {
        name: 'cause',
        type: 'dictionary',
        nullable: false,
        values: WAIT_CAUSES,
        doc: 'Why it began: a wake-up, a preemption (or yield), or being let run again after a pause.',
      },
      ns('start_ns', 'When it became runnable, since the start of the trace.'),
      ns('end_ns', 'When it got to run.'),
      ns('wait_ns', 'How long it waited: end_ns - start_ns.'),
      pcpu('from_pcpu', 'Where it had run last. Null where not known.'),
      pcpu('to_pcpu', 'Where it got to run.'),
      {
        name: 'ran_dom',
        type: 'uint16',
        unit: 'dom',
        nullable: true,
        doc: 'Domain of the vCPU that ran longest on to_pcpu meanwhile. Null where none is known.',
      },
      { name: 'ran_vcpu', type: 'uint16', unit: 'vcpu', nullable: true, doc: 'The number of that vCPU.' },
      ns('ran_ns', 'How long that vCPU ran on to_pcpu during the wait.', true),
      ns('throttled_ns', 'The part of the wait in which the vCPU was kept back by its own budget or cap.'),
    ],
  },
  {
    name: 'jobs',
    kind: 'timeline',
    doc: "The guests' jobs: a row for each release of a task, from the TRC_TASK_* records.",
    columns: [
      ...VCPU,
      {
        name: 'task',
        type: 'uint32',
        unit: 'task',
        nullable: false,
        doc: 'Number of the task within its domain.',
      },
      {
        name: 'job',
        type: 'uint32',
        unit: 'job',
        nullable: false,
        doc: 'Number of the job within its task, from 0.',
      },
      ns('release_ns', 'When it was released, since the start of the trace.', true),
      ns('start_ns', 'When it first ran. Null where not seen.', true),
      ns('completion_ns', 'When it was complete. Null where that was not seen.', true),
      ns(
        'deadline_ns',
        'By when it had to be complete, since the start of the trace. Null where it has none.',
        true,
      ),
      ns('response_ns', 'From release to completion.', true),
      ns('lateness_ns', 'Completion minus deadline: negative where it was early.', true),
      ns('tardiness_ns', 'Lateness, or 0 where it was early.', true),
      {
        name: 'missed',
        type: 'bool',
        nullable: true,
        doc: 'Whether it was more than 1 µs late, complete or not. Null where nobody can tell.',
      },
    ],
  },
];
