import { closestWord } from '../base/closest-word.ts';
import type { Problems } from './problems.ts';
import { quote } from './quote.ts';
import type { Found } from './read-keys.ts';
import type { DomainSpec } from './scenario.ts';

/** A request whose target is to be filled in when all domains have been read. */
export interface PendingRequest {
  readonly target: Found<string>;
  readonly step: { dom: number; task: number };
}

/**
 * Fills in whom the requests of a domain's tasks go to: `task` of the domain itself, or `domain.task` with
 * the domain's name or `d` and its id.
 */
export function resolveRequests(
  own: DomainSpec,
  requests: readonly PendingRequest[],
  domains: readonly DomainSpec[],
  problems: Problems,
): void {
  for (const { target, step } of requests) {
    const { value } = target;
    const found = targets(own, domains).find(({ names }) => names.includes(value));
    if (found !== undefined) {
      step.dom = found.dom;
      step.task = found.task;
      continue;
    }
    const known = targets(own, domains).map(({ names }) => names[0]!);
    const meant = closestWord(value, known);
    const end =
      known.length === 0
        ? 'expected a task that has "serves: true"'
        : meant === undefined
          ? `expected one of ${known.slice(0, 10).join(', ')}`
          : `did you mean "${meant}"?`;
    problems.add('scenario-conflict', target.at, `no task ${quote(value)} serves requests, ${end}`);
  }
}

/** The tasks that serve requests, and how `own` may name each. */
function targets(own: DomainSpec, domains: readonly DomainSpec[]) {
  return domains.flatMap((domain) => {
    const { id, name, guest } = domain;
    return (guest?.tasks ?? []).flatMap((task, number) => {
      if (task.arrivals.kind !== 'requests') return [];
      const names = [`${name}.${task.name}`, `d${id}.${task.name}`, ...(domain === own ? [task.name] : [])];
      return [{ names, dom: id, task: number }];
    });
  });
}
