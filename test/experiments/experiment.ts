/**
 * What an experiment is: scenarios to run, and what is to come out, with where that number is from. Data, so
 * that one engine runs them all; docs/experiments.md tells the results.
 * @module
 */
import type { Outcome } from './outcome.ts';

/** A published experiment, rebuilt. */
export interface Experiment {
  /** Its number in the collection, such as `E1`. */
  readonly id: string;
  readonly title: string;
  /** Who published it, and what of it is rebuilt how. */
  readonly about: string;
  /** By name, those that the checks look at. */
  readonly runs: Readonly<Record<string, Run>>;
  readonly checks: (outcomes: Readonly<Record<string, Outcome>>) => readonly Check[];
  /** What was learnt, and what could not be rebuilt. */
  readonly notes?: readonly string[];
}

/** A scenario, how it is changed, and what is looked at. */
export interface Run {
  /** A file of samples/experiments, or the text of a scenario that is drawn with each seed. */
  readonly scenario: string | ((seed: number) => string);
  readonly scheduler?: string;
  readonly xen?: string;
  /** Keys of the scenario and their new values, as `xenscope compare --set` takes them. */
  readonly set?: Readonly<Record<string, string | number>>;
  /** With seeds 1 to this; figures are the means. 1 unless given. */
  readonly seeds?: number;
  /** Nanoseconds at the beginning that are passed over. */
  readonly fromNs?: number;
  /** The end of what is looked at; that of the trace unless given. */
  readonly toNs?: number;
  /** Passes of the analysis; waits, runstates and scheduler unless given. */
  readonly passes?: readonly string[];
}

/**
 * Where an expected number is from: [S] read in a stored source, [X] read in Xen's own history or source, [D]
 * derived with pencil or a small model, which is a hypothesis.
 */
export type Tag = 'S' | 'X' | 'D';

/** One figure, and what it is to be. */
export interface Check {
  readonly what: string;
  readonly tag: Tag;
  readonly unit?: string;
  readonly got: number;
  readonly expected: Expectation;
  /** What the source says, where `expected` is only its shape. */
  readonly published?: string;
  /** It does not come out: what does, and why. */
  readonly instead?: { readonly expected: Expectation; readonly why: string };
}

/** A range of numbers and how it is written. */
export interface Expectation {
  readonly least: number;
  readonly most: number;
  readonly text: string;
}

/** Within `tolerance` of `value`. */
export function near(value: number, tolerance: number): Expectation {
  return {
    least: value - tolerance,
    most: value + tolerance,
    text: `${value} +-${+tolerance.toPrecision(3)}`,
  };
}

export function exactly(value: number): Expectation {
  return { least: value, most: value, text: `${value}` };
}

export function atLeast(least: number): Expectation {
  return { least, most: Infinity, text: `at least ${least}` };
}

export function atMost(most: number): Expectation {
  return { least: -Infinity, most, text: `at most ${most}` };
}

export function between(least: number, most: number): Expectation {
  return { least, most, text: `${least} to ${most}` };
}

/** `differs` is known and explained; `FAILS` is neither what is expected nor what is known instead. */
export type Verdict = 'holds' | 'differs' | 'FAILS';

export function verdictOf({ got, expected, instead }: Check): Verdict {
  if (instead === undefined) return isWithin(got, expected) ? 'holds' : 'FAILS';
  return isWithin(got, instead.expected) && !isWithin(got, expected) ? 'differs' : 'FAILS';
}

function isWithin(value: number, { least, most }: Expectation): boolean {
  return value >= least && value <= most;
}
