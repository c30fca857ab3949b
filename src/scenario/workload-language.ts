import { EXPONENTIAL_MEAN_NS_MAX } from '../base/prng.ts';
import { meanNsOf, readTime, type TimeForm } from './drawn-duration.ts';
import { describeLocated, type Located, type LocatedEntry } from './located.ts';
import type { Problems } from './problems.ts';
import { quote } from './quote.ts';
import { unknownWord } from './read-keys.ts';
import type { Duration, Workload } from './scenario.ts';
import { refuse, type ValueType } from './value-types.ts';

/** A time that a workload takes. */
export interface WorkloadPart extends TimeForm {
  /** undefined: required. */
  readonly default: string | undefined;
  readonly doc: string;
}

/** A kind of workload: what a guest does with a vCPU. */
export interface WorkloadForm {
  readonly doc: string;
  readonly parts: readonly WorkloadPart[];
  /** The parts that a workload written as one text names by their order. */
  readonly inOrder: readonly string[];
}

const OFFSET: WorkloadPart = {
  name: 'offset',
  kind: 'fixed',
  minNs: 0,
  default: '0s',
  doc: 'When it first wakes.',
};

function part(name: string, kind: WorkloadPart['kind'], doc: string, defaultText?: string): WorkloadPart {
  return { name, kind, minNs: 1, default: defaultText, doc };
}

/** All kinds of workload, as data: the reader and docs/scenarios.md both go by this table. */
export const WORKLOAD_FORMS = {
  hog: { doc: 'Runs for ever once it is awake.', parts: [OFFSET], inOrder: ['offset'] },
  idle: { doc: 'Never wakes.', parts: [], inOrder: [] },
  duty: {
    doc: 'Runs, then sleeps, and so on. The sleep begins when the run is complete.',
    parts: [
      part('run', 'drawn', 'CPU time of one run.'),
      part('sleep', 'drawn', 'Time from the end of a run to the next wake-up.'),
      OFFSET,
    ],
    inOrder: ['run', 'sleep', 'offset'],
  },
  periodic: {
    doc: 'Releases a job every period, whether or not the last one is complete; jobs queue.',
    parts: [
      part('period', 'fixed', 'Distance from one release to the next.'),
      part('burst', 'drawn', 'CPU time of one job.'),
      part('deadline', 'fixed', 'Latest completion, counted from the release.', 'the period'),
      OFFSET,
    ],
    inOrder: ['period', 'burst', 'offset'],
  },
  poisson: {
    doc: 'Releases jobs at random, independent of each other: exponentially distributed distances.',
    parts: [
      {
        ...part('interarrival', 'fixed', 'Mean distance from one release to the next.'),
        maxNs: EXPONENTIAL_MEAN_NS_MAX,
      },
      part('burst', 'drawn', 'CPU time of one job.'),
      part('deadline', 'fixed', 'Latest completion, counted from the release.', 'the interarrival'),
      { ...OFFSET, doc: 'When the first job is released.' },
    ],
    inOrder: ['interarrival', 'burst', 'deadline', 'offset'],
  },
  sporadic: {
    doc: 'Releases jobs at distances that are drawn from any distribution.',
    parts: [
      part('interarrival', 'drawn', 'Distance from one release to the next.'),
      part('burst', 'drawn', 'CPU time of one job.'),
      part('deadline', 'fixed', 'Latest completion, counted from the release.', 'the mean interarrival'),
      { ...OFFSET, doc: 'When the first job is released.' },
    ],
    inOrder: ['interarrival', 'burst', 'deadline', 'offset'],
  },
  once: {
    doc: 'Runs once, then sleeps for ever.',
    parts: [part('run', 'drawn', 'CPU time of the run.'), OFFSET],
    inOrder: ['run', 'offset'],
  },
  dodge: {
    doc:
      'Steals service from a scheduler that samples: whenever it gets a pCPU it runs until `guard` before ' +
      'the next multiple of `period` (a tick), then sleeps for twice the guard.',
    parts: [
      part('period', 'fixed', 'Distance of the ticks that it avoids.'),
      part('guard', 'fixed', 'How long before a tick it goes to sleep; less than the period.'),
      OFFSET,
    ],
    inOrder: ['period', 'guard', 'offset'],
  },
  tasks: { doc: "Runs the tasks of the domain's `guest`.", parts: [], inOrder: [] },
} as const satisfies Record<string, WorkloadForm>;

type WorkloadKind = keyof typeof WORKLOAD_FORMS;

/**
 * A workload: text in the machine model's order (`duty 1ms 9ms 5ms`), or a map of one kind with named
 * parts.
 */
export const workloadType: ValueType<Workload> = {
  label: 'workload',
  expected: `a workload such as hog, "duty 1ms 9ms" or {periodic: {period: 10ms, burst: 2ms}}`,
  read(node, name, problems) {
    if (node.kind === 'scalar' && typeof node.value === 'string') {
      return readText(node.value, node.at, node.sourceAt, problems);
    }
    if (node.kind === 'map' && node.entries.length === 1) return readMap(node.entries[0]!, problems);
    if (node.kind === 'map' && node.entries.length > 1) {
      const { length } = node.entries;
      const sentence = `"${name}" has ${length} keys, expected one kind of workload and its parts below it`;
      problems.add('scenario-bad-value', node.at, sentence);
      return undefined;
    }
    refuse(this, node, name, problems);
    return undefined;
  },
};

function isKind(word: string): word is WorkloadKind {
  return Object.hasOwn(WORKLOAD_FORMS, word);
}

// A unit after a blank ("5 ms") belongs to its number, and blanks inside parentheses do not divide.
const WORD = /[a-z]+\([^)]*\)?|[+-]?[\d.]+\s+(?:ns|us|µs|μs|ms|s|min|h)(?=\s|$)|\S+/g;

function readText(
  text: string,
  at: number,
  sourceAt: number | undefined,
  problems: Problems,
): Workload | undefined {
  const words = [...text.matchAll(WORD)];
  const kind = words.shift()?.[0] ?? '';
  if (!isKind(kind)) {
    problems.add('scenario-bad-value', at, unknownWord('workload', kind, Object.keys(WORKLOAD_FORMS)));
    return undefined;
  }
  const { inOrder } = WORKLOAD_FORMS[kind];
  if (words.length > inOrder.length) {
    const takes = inOrder.length === 0 ? 'takes nothing more' : `takes at most ${inOrder.join(', ')}`;
    problems.add('scenario-bad-value', at, `workload ${quote(text)} has too many parts, ${kind} ${takes}`);
    return undefined;
  }
  const written = new Map<string, Located>();
  words.forEach(([word], index) => {
    const wordAt = sourceAt === undefined ? at : sourceAt + words[index]!.index;
    const node: Located = { kind: 'scalar', at: wordAt, value: word, source: word, sourceAt: undefined };
    written.set(inOrder[index]!, node);
  });
  return assemble(kind, written, at, problems);
}

function readMap(entry: LocatedEntry, problems: Problems): Workload | undefined {
  const { key: kind, keyAt, value: body } = entry;
  if (!isKind(kind)) {
    problems.add('scenario-unknown-key', keyAt, unknownWord('workload', kind, Object.keys(WORKLOAD_FORMS)));
    return undefined;
  }
  const names: string[] = WORKLOAD_FORMS[kind].parts.map(({ name }) => name);
  const written = new Map<string, Located>();
  const isNothing = body.kind === 'scalar' && body.value === null;
  if (body.kind !== 'map' && !isNothing) {
    const expected = names.length === 0 ? 'nothing' : `a map of ${names.join(', ')}`;
    problems.add(
      'scenario-bad-value',
      body.at,
      `"${kind}" is ${describeLocated(body)}, expected ${expected}`,
    );
    return undefined;
  }
  let sound = true;
  for (const { key, keyAt: partAt, value } of body.kind === 'map' ? body.entries : []) {
    const name = names.find((known) => known === key || `${known}_ns` === key);
    if (name === undefined) {
      problems.add('scenario-unknown-key', partAt, unknownWord('key', key, names));
      sound = false;
    } else if (written.has(name)) {
      problems.add(
        'scenario-conflict',
        partAt,
        `"${key}" sets what another spelling of "${name}" sets, expected only one of them`,
      );
      sound = false;
    } else written.set(name, value);
  }
  const workload = assemble(kind, written, keyAt, problems);
  return sound ? workload : undefined;
}

/** Reads the parts that are written and fills in the others; undefined after a mistake was told. */
function assemble(
  kind: WorkloadKind,
  written: ReadonlyMap<string, Located>,
  at: number,
  problems: Problems,
): Workload | undefined {
  const times = new Map<string, Duration>();
  let sound = true;
  const parts: readonly WorkloadPart[] = WORKLOAD_FORMS[kind].parts;
  for (const wanted of parts) {
    const { name } = wanted;
    const one = written.get(name);
    if (one) {
      const time = readTime(one, wanted, problems);
      if (time) times.set(name, time);
      else sound = false;
    } else if (wanted.default === undefined) {
      const needed = WORKLOAD_FORMS[kind].inOrder.join(', ');
      problems.add('scenario-missing-key', at, `workload "${kind}" lacks its ${name}, expected ${needed}`);
      sound = false;
    }
  }
  if (!sound) return undefined;
  const workload = build(kind, times);
  if (workload.kind === 'dodge' && workload.guardNs >= workload.periodNs) {
    const guardAt = written.get('guard')!.at;
    problems.add('scenario-bad-value', guardAt, 'the guard of "dodge" is not shorter than its period');
    return undefined;
  }
  return workload;
}

function build(kind: WorkloadKind, times: ReadonlyMap<string, Duration>): Workload {
  const drawn = (name: string): Duration => times.get(name)!;
  const fixed = (name: string, otherwise = 0): number => {
    const time = times.get(name);
    return time?.kind === 'fixed' ? time.ns : otherwise;
  };
  const offsetNs = fixed('offset');
  switch (kind) {
    case 'idle':
    case 'tasks':
      return { kind };
    case 'hog':
      return { kind, offsetNs };
    case 'duty':
      return { kind, run: drawn('run'), sleep: drawn('sleep'), offsetNs };
    case 'once':
      return { kind, run: drawn('run'), offsetNs };
    case 'dodge':
      return { kind, periodNs: fixed('period'), guardNs: fixed('guard'), offsetNs };
    case 'periodic': {
      const periodNs = fixed('period');
      return { kind, periodNs, burst: drawn('burst'), deadlineNs: fixed('deadline', periodNs), offsetNs };
    }
    case 'poisson': {
      const meanNs = fixed('interarrival');
      const interarrival: Duration = { kind: 'exponential', meanNs };
      const deadlineNs = fixed('deadline', meanNs);
      return { kind: 'sporadic', interarrival, burst: drawn('burst'), deadlineNs, offsetNs };
    }
    case 'sporadic': {
      const interarrival = drawn('interarrival');
      const deadlineNs = fixed('deadline', meanNsOf(interarrival));
      return { kind, interarrival, burst: drawn('burst'), deadlineNs, offsetNs };
    }
  }
}
