import { STEP_KEYS, TASK_KEYS } from './guest-keys.ts';
import type { TaskStep, Waiting } from './guest-spec.ts';
import type { Located } from './located.ts';
import type { Problems } from './problems.ts';
import { type Key, readKeys, Values, vocabulary } from './read-keys.ts';
import { itemsOf } from './resolve-arinc653.ts';
import type { PendingRequest } from './resolve-requests.ts';

const STEP_WORDS = vocabulary(Object.values(STEP_KEYS));

/** Of these a step has exactly one. */
const KINDS = [
  STEP_KEYS.compute,
  STEP_KEYS.sleep,
  STEP_KEYS.lock,
  STEP_KEYS.barrier,
  STEP_KEYS.request,
  STEP_KEYS.device,
];

/** Which of a step's other keys mean something beside which kind. */
const BESIDE: readonly (readonly [Key<unknown>, readonly unknown[]])[] = [
  [STEP_KEYS.hold as Key<unknown>, [STEP_KEYS.lock]],
  [STEP_KEYS.wait as Key<unknown>, [STEP_KEYS.lock, STEP_KEYS.barrier]],
  [STEP_KEYS.yieldAfter as Key<unknown>, [STEP_KEYS.lock, STEP_KEYS.barrier]],
];

/** What a task's jobs do: the steps that are listed, or the WCET alone; undefined after a mistake. */
export function resolveSteps(
  task: Located,
  values: Values,
  problems: Problems,
  requests: PendingRequest[],
): TaskStep[] | undefined {
  const wcet = values.get(TASK_KEYS.wcet);
  const list = values.get(TASK_KEYS.steps);
  if (values.isBroken(TASK_KEYS.wcet) || values.isBroken(TASK_KEYS.steps)) return undefined;
  if ((wcet === undefined) === (list === undefined)) {
    const [code, says] = wcet
      ? (['scenario-conflict', 'has both'] as const)
      : (['scenario-missing-key', 'lacks'] as const);
    problems.add(code, task.at, `the task ${says} "wcet" and "steps", expected one of them`);
    return undefined;
  }
  if (wcet !== undefined) return [{ kind: 'compute', time: wcet.value }];
  const countBefore = problems.count;
  const steps = (itemsOf(list!, 'steps', problems) ?? []).flatMap((item) => {
    const step = readStep(item, problems, requests);
    return step === undefined ? [] : [step];
  });
  if (problems.count > countBefore) return undefined;
  // A closed loop without any would go round for ever at one instant.
  if (steps.some(({ kind }) => kind === 'compute' || kind === 'lock')) return steps;
  problems.add(
    'scenario-bad-value',
    list!.at,
    'the steps take no CPU time, expected a "compute" or a "lock"',
  );
  return undefined;
}

function readStep(item: Located, problems: Problems, requests: PendingRequest[]): TaskStep | undefined {
  const values = new Values();
  const countBefore = problems.count;
  readKeys(item, 'a step', STEP_WORDS, values, problems);
  if (problems.count > countBefore) return undefined;
  const given = (KINDS as readonly Key<unknown>[]).filter((one) => values.get(one) !== undefined);
  if (given.length !== 1) {
    const names = KINDS.map(({ name }) => name).join(', ');
    problems.add(
      'scenario-bad-value',
      item.at,
      `a step does ${given.length} things, expected one of ${names}`,
    );
    return undefined;
  }
  const kind = given[0]!;
  for (const [key, kinds] of BESIDE) {
    const found = values.get(key);
    if (found === undefined || kinds.includes(kind)) continue;
    problems.add('scenario-conflict', found.keyAt, `"${key.name}" means nothing beside "${kind.name}"`);
  }
  switch (kind) {
    case STEP_KEYS.compute:
      return { kind: 'compute', time: values.value(STEP_KEYS.compute)! };
    case STEP_KEYS.sleep:
      return { kind: 'sleep', time: values.value(STEP_KEYS.sleep)! };
    case STEP_KEYS.device:
      return { kind: 'device', time: values.value(STEP_KEYS.device)! };
    case STEP_KEYS.barrier:
      return {
        kind: 'barrier',
        barrier: values.value(STEP_KEYS.barrier)!,
        waiting: waitingOf(values, false),
      };
    case STEP_KEYS.lock: {
      const time = values.value(STEP_KEYS.hold);
      if (time === undefined) {
        problems.add(
          'scenario-missing-key',
          item.at,
          'a lock lacks "hold", expected for example "hold: 20us"',
        );
        return undefined;
      }
      return { kind: 'lock', lock: values.value(STEP_KEYS.lock)!, time, waiting: waitingOf(values, true) };
    }
    default: {
      const step = { kind: 'request' as const, dom: -1, task: -1 };
      requests.push({ target: values.get(STEP_KEYS.request)!, step });
      return step;
    }
  }
}

function waitingOf(values: Values, spinsByDefault: boolean): Waiting {
  const wait = values.value(STEP_KEYS.wait);
  const spins = wait === undefined ? spinsByDefault : wait === 'spin';
  return { spins, yieldAfterNs: values.value(STEP_KEYS.yieldAfter) ?? 0 };
}
