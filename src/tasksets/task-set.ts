import { UserError } from '../base/errors.ts';
import { Prng } from '../base/prng.ts';
import { BIMODAL, drawBimodal, drawUntil } from './distributed.ts';
import { drawPeriodNs, type Periods } from './periods.ts';
import { randFixedSum } from './rand-fixed-sum.ts';
import { between } from './unit.ts';
import { uunifast, uunifastDiscard } from './uunifast.ts';

/** The generators of utilisations, by the names that options take, with what each is. */
export const GENERATORS = {
  uunifast: 'a number of tasks with a sum, uniform over all such sets; one may need more than 1',
  'uunifast-discard': 'the same, drawn again until no task needs more than --most',
  randfixedsum: 'the same, without drawing again: each task needs --least to --most (Stafford)',
  'uniform-light': 'tasks of U[0.001, 0.1] until the sum is reached',
  'uniform-medium': 'tasks of U[0.1, 0.4] until the sum is reached',
  'uniform-heavy': 'tasks of U[0.5, 0.9] until the sum is reached',
  'bimodal-light': 'tasks of U[0.001, 0.5] or U[0.5, 0.9], 8 to 1, until the sum is reached',
  'bimodal-medium': 'the same, 6 to 3',
  'bimodal-heavy': 'the same, 4 to 5',
} as const;
/** A key of {@link GENERATORS}. */
export type GeneratorName = keyof typeof GENERATORS;

const UNIFORM = {
  'uniform-light': [0.001, 0.1],
  'uniform-medium': [0.1, 0.4],
  'uniform-heavy': [0.5, 0.9],
} as const;

/** What a set is to be like. */
export interface TaskSetSpec {
  readonly generator: GeneratorName;
  /** Number of tasks; for generators that draw until the sum is reached, the most. */
  readonly count: number | undefined;
  /** Sum of the tasks' utilisations. */
  readonly utilisation: number;
  /** Of each task, for randfixedsum; `most` also for uunifast-discard. */
  readonly least: number;
  readonly most: number;
  readonly periods: Periods;
  /** Deadlines are drawn uniformly from this share of the period up to the period; 1: they are the period. */
  readonly deadlineFrom: number;
  readonly seed: number;
}

/** A periodic task. Times in ns. */
export interface PeriodicTask {
  readonly periodNs: number;
  readonly wcetNs: number;
  readonly deadlineNs: number;
}

/**
 * A task set, the same for the same seed. A WCET is the task's utilisation of its period, rounded to whole
 * nanoseconds and at least 1 ns; so the sum is met to within a few 1e-6.
 *
 * Throws UserError where no set can be like that.
 */
export function drawTaskSet(spec: TaskSetSpec): PeriodicTask[] {
  const root = Prng.fromSeed(spec.seed);
  return drawUtilisations(spec, root.fork('utilisations')).map((utilisation, index) => {
    const prng = root.fork(`task${index}`);
    const periodNs = drawPeriodNs(spec.periods, prng);
    const wcetNs = Math.max(1, Math.round(utilisation * periodNs));
    const share = between(spec.deadlineFrom, 1, prng);
    const deadlineNs = Math.min(periodNs, Math.max(wcetNs, Math.round(share * periodNs)));
    return { periodNs, wcetNs, deadlineNs };
  });
}

/** Utilisations as the generator draws them. */
export function drawUtilisations(spec: TaskSetSpec, prng: Prng): number[] {
  const { generator, count, utilisation, least, most } = spec;
  switch (generator) {
    case 'uunifast':
      return uunifast(needed(count, generator), utilisation, prng);
    case 'uunifast-discard': {
      const tasks = needed(count, generator);
      checkSum(spec, tasks, 0);
      const found = uunifastDiscard(tasks, utilisation, prng, most);
      if (found !== undefined) return found;
      const sentence = `uunifast-discard finds no ${tasks} tasks of at most ${most} that need ${utilisation}`;
      throw new UserError('taskset-rare', `${sentence}, randfixedsum does`);
    }
    case 'randfixedsum': {
      const tasks = needed(count, generator);
      checkSum(spec, tasks, least);
      return randFixedSum(tasks, utilisation, least, most, prng);
    }
    case 'uniform-light':
    case 'uniform-medium':
    case 'uniform-heavy': {
      const [low, high] = UNIFORM[generator];
      return drawUntil(utilisation, count ?? Infinity, () => between(low, high, prng));
    }
    default:
      return drawUntil(utilisation, count ?? Infinity, () => drawBimodal(BIMODAL[generator], prng));
  }
}

function needed(count: number | undefined, generator: GeneratorName): number {
  if (count !== undefined) return count;
  throw new UserError('taskset-count', `${generator} needs to know how many tasks there are to be`);
}

function checkSum({ utilisation, most }: TaskSetSpec, tasks: number, least: number): void {
  if (tasks * least <= utilisation && utilisation <= tasks * most) return;
  const range = `${tasks} tasks of ${least} to ${most} each`;
  throw new UserError('taskset-sum', `${range} cannot need ${utilisation} in all`);
}
