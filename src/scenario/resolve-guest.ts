import { GUEST_KEYS, SLICE_DEFAULT_NS, TASK_KEYS, TASKS_MAX } from './guest-keys.ts';
import type { GuestSpec, TaskSpec } from './guest-spec.ts';
import type { Located } from './located.ts';
import { firstFit } from './place-tasks.ts';
import type { Problems } from './problems.ts';
import { quote } from './quote.ts';
import { type Found, readKeys, Values, vocabulary } from './read-keys.ts';
import { itemsOf } from './resolve-arinc653.ts';
import { resolveArrivals } from './resolve-arrivals.ts';
import type { PendingRequest } from './resolve-requests.ts';
import { resolveSteps } from './resolve-steps.ts';
import type { VcpuSpec } from './scenario.ts';

const GUEST_WORDS = vocabulary(Object.values(GUEST_KEYS));
const TASK_WORDS = vocabulary(Object.values(TASK_KEYS));

/** A task as it was read, before it has a place. */
export interface ReadTask {
  readonly spec: TaskSpec;
  readonly vcpu: Found<number> | undefined;
}

/**
 * Reads the guest of a domain with these vCPUs. Requests that its tasks send are added to `requests`: whom
 * they name is known when all domains are. Undefined if there is none, or, after `problems` was told, if
 * something is wrong with it.
 */
export function resolveGuest(
  given: Found<Located> | undefined,
  vcpus: readonly VcpuSpec[],
  problems: Problems,
  requests: PendingRequest[],
): GuestSpec | undefined {
  if (given === undefined) return undefined;
  const countBefore = problems.count;
  const values = new Values();
  readKeys(given.value, 'a guest', GUEST_WORDS, values, problems);
  const list = values.get(GUEST_KEYS.tasks);
  if (!list) {
    if (given.value.kind === 'map' && !values.isBroken(GUEST_KEYS.tasks)) {
      const sentence = 'the guest lacks "tasks", expected a list such as [{period: 10ms, wcet: 2ms}]';
      problems.add('scenario-missing-key', given.at, sentence);
    }
    return undefined;
  }
  checkVcpus(given, vcpus, problems);
  const tasks: ReadTask[] = [];
  const names = new Map<string, number>();
  for (const item of itemsOf(list, 'tasks', problems) ?? []) {
    for (const task of readTask(item, tasks.length, problems, requests)) {
      const { name } = task.spec;
      const line = names.get(name);
      if (line !== undefined) {
        problems.add('scenario-conflict', item.at, `task ${quote(name)} is already in line ${line}`);
      }
      names.set(name, problems.positionAt(item.at).line);
      tasks.push(task);
    }
    if (tasks.length > TASKS_MAX) {
      problems.add('scenario-bad-value', item.at, `too many tasks, expected at most ${TASKS_MAX} in a guest`);
      break;
    }
  }
  if (tasks.length === 0 && problems.count === countBefore) {
    problems.add('scenario-bad-value', list.at, '"tasks" is an empty list, expected at least one task');
  }
  const placement = values.value(GUEST_KEYS.placement) ?? 'partitioned';
  const homes = placeTasks(tasks, vcpus, placement, problems);
  if (problems.count > countBefore) return undefined;
  return {
    scheduler: values.value(GUEST_KEYS.scheduler) ?? 'rm',
    placement,
    sliceNs: values.value(GUEST_KEYS.slice) ?? SLICE_DEFAULT_NS,
    tasks: tasks.map(({ spec }, index) => ({ ...spec, vcpu: homes[index] })),
  };
}

/** The guest needs a vCPU, and jobs of other workloads would have its tasks' numbers. */
function checkVcpus(given: Found<Located>, vcpus: readonly VcpuSpec[], problems: Problems): void {
  if (vcpus.length > 0 && !vcpus.some(({ workload }) => workload.kind === 'tasks')) {
    const sentence = 'the guest has no vCPU, expected at least one with the workload tasks';
    problems.add('scenario-conflict', given.keyAt, sentence);
  }
  const other = vcpus.find(({ workload }) => workload.kind === 'periodic' || workload.kind === 'sporadic');
  if (other === undefined) return;
  const sentence = 'a vCPU has jobs of its own beside the guest, expected them to be a task of the guest';
  problems.add('scenario-conflict', given.keyAt, sentence);
}

function readTask(item: Located, number: number, problems: Problems, requests: PendingRequest[]): ReadTask[] {
  const values = new Values();
  const countBefore = problems.count;
  readKeys(item, 'a task', TASK_WORDS, values, problems);
  if (item.kind !== 'map') return [];
  const arrivals = resolveArrivals(item, values, problems);
  const steps = resolveSteps(item, values, problems, requests);
  if (arrivals === undefined || steps === undefined || problems.count > countBefore) return [];
  const name = values.value(TASK_KEYS.name);
  const count = values.value(TASK_KEYS.count) ?? 1;
  return Array.from({ length: count }, (_, index) => {
    const own = name ?? `t${number + index}`;
    const spec: TaskSpec = {
      name: count > 1 && name !== undefined ? `${own}.${index}` : own,
      arrivals: arrivals.arrivals,
      steps,
      deadlineNs: values.value(TASK_KEYS.deadline) ?? arrivals.meanNs,
      priority: values.value(TASK_KEYS.priority) ?? 0,
      vcpu: undefined,
    };
    return { spec, vcpu: values.get(TASK_KEYS.vcpu) };
  });
}

/** The vCPU of each task, by its number; undefined everywhere in a global guest. */
function placeTasks(
  tasks: readonly ReadTask[],
  vcpus: readonly VcpuSpec[],
  placement: GuestSpec['placement'],
  problems: Problems,
): (number | undefined)[] {
  for (const { vcpu } of tasks) {
    if (vcpu === undefined) continue;
    if (placement === 'global') {
      problems.add('scenario-conflict', vcpu.keyAt, '"vcpu" is for a partitioned guest, but it is global');
    } else if (vcpus.length > 0 && vcpus[vcpu.value]?.workload.kind !== 'tasks') {
      const sentence = `"vcpu" is ${vcpu.value}, expected a vCPU of the domain with the workload tasks`;
      problems.add('scenario-conflict', vcpu.at, sentence);
    }
  }
  if (placement === 'global') return tasks.map(() => undefined);
  return firstFit(
    tasks.map(({ spec, vcpu }) => ({ spec, vcpu: vcpu?.value })),
    vcpus,
  );
}
