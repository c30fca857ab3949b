import { meanNsOf } from './drawn-duration.ts';
import { PHASE_KEYS, TASK_KEYS } from './guest-keys.ts';
import type { Arrivals } from './guest-spec.ts';
import type { Located } from './located.ts';
import type { Problems } from './problems.ts';
import { type Found, type Key, readKeys, Values, vocabulary } from './read-keys.ts';
import { itemsOf } from './resolve-arinc653.ts';
import type { Duration } from './scenario.ts';

const PHASE_WORDS = vocabulary(Object.values(PHASE_KEYS));

/** A mean distance of so many phases is too long. */
const PHASES_MAX = 1000;

/** Of these a task has exactly one. */
const KINDS = [TASK_KEYS.period, TASK_KEYS.interarrival, TASK_KEYS.phases, TASK_KEYS.think, TASK_KEYS.serves];

/** Which of a task's keys mean something beside which kind of arrivals. */
const BESIDE: readonly (readonly [Key<unknown>, readonly unknown[]])[] = [
  [TASK_KEYS.jitter as Key<unknown>, [TASK_KEYS.period]],
  [TASK_KEYS.batch as Key<unknown>, [TASK_KEYS.period, TASK_KEYS.interarrival, TASK_KEYS.phases]],
  [TASK_KEYS.offset as Key<unknown>, KINDS.slice(0, 4)],
];

/** When a task's jobs arrive, and their mean distance if they have one, else 0; undefined after a mistake. */
export function resolveArrivals(
  item: Located,
  values: Values,
  problems: Problems,
): { arrivals: Arrivals; meanNs: number } | undefined {
  const names = KINDS.map(({ name }) => name).join(', ');
  const given = (KINDS as readonly Key<unknown>[]).filter((one) => {
    return values.isBroken(one) || (values.get(one) !== undefined && values.value(one) !== false);
  });
  if (given.length !== 1) {
    const [code, has] =
      given.length === 0
        ? (['scenario-missing-key', 'has no arrivals'] as const)
        : (['scenario-conflict', `has ${given.length} kinds of arrivals`] as const);
    problems.add(code, item.at, `the task ${has}, expected one of ${names}`);
    return undefined;
  }
  const kind = given[0]!;
  if (values.isBroken(kind)) return undefined;
  for (const [key, kinds] of BESIDE) {
    const found = values.get(key);
    if (found === undefined || kinds.includes(kind)) continue;
    problems.add('scenario-conflict', found.keyAt, `"${key.name}" means nothing beside "${kind.name}"`);
  }
  const offsetNs = values.value(TASK_KEYS.offset) ?? 0;
  const batch = values.value(TASK_KEYS.batch) ?? 1;
  switch (kind) {
    case TASK_KEYS.period: {
      const periodNs = values.value(TASK_KEYS.period)!;
      const jitter = jitterOf(values.get(TASK_KEYS.jitter), periodNs, problems);
      return { arrivals: { kind: 'periodic', periodNs, jitter, offsetNs, batch }, meanNs: periodNs };
    }
    case TASK_KEYS.interarrival: {
      const interarrival = values.value(TASK_KEYS.interarrival)!;
      const arrivals: Arrivals = { kind: 'sporadic', interarrival, offsetNs, batch };
      return { arrivals, meanNs: meanNsOf(interarrival) };
    }
    case TASK_KEYS.phases: {
      const phases = resolvePhases(values.get(TASK_KEYS.phases)!, problems);
      return phases && { arrivals: { kind: 'phases', phases, offsetNs, batch }, meanNs: 0 };
    }
    case TASK_KEYS.think:
      return { arrivals: { kind: 'closed', think: values.value(TASK_KEYS.think)!, offsetNs }, meanNs: 0 };
    default:
      return { arrivals: { kind: 'requests' }, meanNs: 0 };
  }
}

/** Within the period, so that no job overtakes the one before. */
function jitterOf(
  given: Found<Duration> | undefined,
  periodNs: number,
  problems: Problems,
): Duration | undefined {
  if (given === undefined) return undefined;
  const { value } = given;
  const mostNs = value.kind === 'fixed' ? value.ns : value.maxNs;
  if (mostNs === undefined || mostNs > periodNs) {
    problems.add(
      'scenario-conflict',
      given.at,
      '"jitter" may be longer than the period, expected at most that',
    );
  }
  return value.kind === 'fixed' ? { kind: 'uniform', minNs: 0, maxNs: value.ns } : value;
}

function resolvePhases(
  list: Found<Located>,
  problems: Problems,
): { length: Duration; interarrival: Duration | undefined }[] | undefined {
  const countBefore = problems.count;
  const phases = (itemsOf(list, 'phases', problems) ?? []).flatMap((item) => {
    const values = new Values();
    readKeys(item, 'a phase', PHASE_WORDS, values, problems);
    const length = values.value(PHASE_KEYS.length);
    if (length === undefined && item.kind === 'map' && !values.isBroken(PHASE_KEYS.length)) {
      problems.add(
        'scenario-missing-key',
        item.at,
        'a phase lacks "length", expected for example "length: 50ms"',
      );
    }
    return length === undefined ? [] : [{ length, interarrival: values.value(PHASE_KEYS.interarrival) }];
  });
  if (problems.count > countBefore) return undefined;
  if (phases.some(isBusy)) return phases;
  problems.add(
    'scenario-bad-value',
    list.at,
    'next to nothing arrives in these phases, expected an "interarrival" that is shorter than its phase',
  );
  return undefined;
}

/** Whether arrivals are to be expected often enough that one is found by going through the phases. */
function isBusy({ length, interarrival }: { length: Duration; interarrival: Duration | undefined }): boolean {
  if (interarrival === undefined) return false;
  const longestNs = length.kind === 'fixed' ? length.ns : (length.maxNs ?? Infinity);
  const leastNs = interarrival.kind === 'exponential' ? 0 : shortestNs(interarrival);
  return leastNs < longestNs && meanNsOf(interarrival) < PHASES_MAX * meanNsOf(length);
}

function shortestNs(time: Exclude<Duration, { kind: 'exponential' }>): number {
  return time.kind === 'fixed' ? time.ns : time.minNs;
}
