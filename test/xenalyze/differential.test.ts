/**
 * Holds `xenscope xenalyze` against Xen's own xenalyze 4.17, byte by byte: on the recorded traces, on random ones of
 * every class of records, and on damaged ones. XENALYZE_CASES=n makes n random traces of each kind instead of a few, and
 * runs all sets of options on the recorded ones. Where xenalyze is not installed, the golden files stand for it;
 * XENALYZE_GOLDEN=write has it write them.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { damaged } from './damage.ts';
import { GOLDEN_TRACES } from './golden-traces.ts';
import { OPTION_SETS } from './option-sets.ts';
import { type Recipe, randomRecipe, randomTrace } from './random-trace.ts';
import { difference, type Outcome, REAL_XENALYZE, runOurs, runReal } from './real-xenalyze.ts';

const here = import.meta.dirname;
const folder = mkdtempSync(join(tmpdir(), 'xenscope-xenalyze-'));
afterAll(() => rmSync(folder, { recursive: true }));

const cases = Number(process.env.XENALYZE_CASES ?? 0);
const recorded = recordedTraces([join(here, '../../samples/traces'), join(here, '../../../shared/traces')]);
/** Also those further on that once differed. */
const seedsFrom = (first: number, count: number, ...more: number[]) => [
  ...Array.from({ length: cases || count }, (_, i) => first + i),
  ...more,
];
const optionsOf = (index: number) => OPTION_SETS[index % OPTION_SETS.length];
/** Where damage puts a record years away, the real one would print all the intervals until then. */
const WITHOUT_INTERVALS = OPTION_SETS.filter(
  (options) => !options.some((option) => /^(--interval|-i)/.test(option)),
);

/** On purpose, the default shows these lines of Xen 4.17's records otherwise than xenalyze 4.17 does. */
const DELIBERATE = / (rtds:repl_budget|rtds:schedule) .*/g;

describe.skipIf(REAL_XENALYZE === undefined)(
  'as the real xenalyze (skipped where it is not installed)',
  () => {
    test.each(recorded)('with --compat 4.17: $name', async ({ path, index }) => {
      for (const options of cases > 0 ? OPTION_SETS : [['-a', '-s'], optionsOf(index)])
        await compare([...options, path]);
    });

    test.each(recorded)('without it, but for what is deliberate: $name', async ({ path }) => {
      const real = runReal(['-a', path]);
      const ours = await runOurs(['-a', path]);
      expect(difference(withoutDeliberate(real), withoutDeliberate(ours))).toBeUndefined();
    });

    test.each(seedsFrom(1, 40, 562, 1935, 2047, 4091, 26_223, 26_357))(
      'with --compat 4.17: random trace %i',
      async (seed) => {
        const path = written(`random-${seed}.trace`, randomTrace(seed, { anyLayout: seed % 4 === 0 }));
        for (const options of [OPTION_SETS[seed % 2], optionsOf(seed)])
          await compare([...options, ...processorOf(seed), path]);
      },
    );

    test.each([10_839, 11_014])(
      'where nothing is processed, long after the start: random trace %i',
      async (seed) => {
        const path = written(`late-${seed}.trace`, randomTrace(seed));
        await compare(['--scatterplot-runstate', '--dump-no-processing', ...processorOf(seed), path]);
      },
    );

    test.each(seedsFrom(10_001, 15, 11_177, 11_987, 12_071))(
      'without it: random trace %i of records that both know',
      async (seed) => {
        const path = written(`plain-${seed}.trace`, randomTrace(seed, PLAIN));
        await compare([...OPTION_SETS[seed % 2], ...processorOf(seed), path], []);
        await compare([...optionsOf(seed), ...processorOf(seed), path], []);
      },
    );

    test.each(seedsFrom(20_001, 40, 20_446, 20_485, 20_592, 20_640, 21_118, 21_172, 22_324, 47_319))(
      'with --compat 4.17: damaged trace %i',
      async (seed) => {
        const path = written(`damaged-${seed}.trace`, damaged(randomTrace(seed), seed));
        for (const options of [OPTION_SETS[seed % 2], WITHOUT_INTERVALS[seed % WITHOUT_INTERVALS.length]])
          await compare([...options, ...processorOf(seed), path]);
      },
    );
  },
);

test.skipIf(REAL_XENALYZE === undefined)(
  'behind a short record at the end of the file lies what is left of the record before it',
  async () => {
    // The last two are passed at once, without a look at each.
    const wake = [0xa0028004, 1e9, 0, 1, 0];
    const usual = [0x90021101, 1e9, 0, 1 << 16, ...wake, 0xc002800a, 1e9, 0, 11, 12, 13, 14];
    const words = [...usual, 0x80028004, 1e9, 0];
    const file = Uint32Array.from([0x2001f003, 0, words.length * 4, ...words]);
    const path = written('end.trace', new Uint8Array(file.buffer));
    const { stdout } = await runOurs(['-a', '--compat=4.17', path]);
    expect(stdout.toString('latin1')).toContain('vcpu_wake d11v12');
    await compare(['-a', path]);
  },
);

test.skipIf(REAL_XENALYZE === undefined)(
  'behind the last record of all lies what is left of the windows in front of it',
  async () => {
    const window = (pcpu: number, words: readonly number[]) => [0x2001f003, pcpu, words.length * 4, ...words];
    const wake = (domain: number) => [0xa0028004, 1e9, 0, domain, 0];
    const tick = [0x80028004, 1e9, 0];
    const first = [window(0, wake(0x61)), window(1, [...wake(0x62), ...wake(0x63)]), window(0, tick)].flat();
    // Pcpu 1 reads the header of this window last, of which as little is left as of its own one.
    const file = Uint32Array.from([...first, ...window(2, wake(0x64)), ...window(1, tick)]);
    const path = written('windows-end.trace', new Uint8Array(file.buffer));
    const { stdout } = await runOurs(['--dump-raw-process', '--compat=4.17', path]);
    expect(stdout.toString('latin1')).toContain('80028004 3b9aca00 00000000 00000064 00000000');
    for (const option of ['--dump-raw-process', '--dump-raw-reads']) await compare([option, path]);
  },
);

test.skipIf(REAL_XENALYZE === undefined)(
  'behind the first header of a pCPU lies what was found before',
  async () => {
    const window = (pcpu: number, words: readonly number[]) => [0x2001f003, pcpu, words.length * 4, ...words];
    const tick = [0x80028004, 1e9, 0];
    const first = [window(0, [0xa0028004, 1e9, 0, 0x61, 0]), window(1, [0xa0028004, 1e9, 0, 0x62, 0])].flat();
    for (const [name, windows] of [
      ['two', first.slice(0, 8)],
      ['three', first],
    ] as const) {
      const last = window(name === 'two' ? 1 : 2, tick);
      const path = written(
        `${name}-first.trace`,
        new Uint8Array(Uint32Array.from([...windows, ...last]).buffer),
      );
      await compare(['--dump-raw-reads', path]);
    }
  },
);

test('a processor of 0 Hz ends the real xenalyze where it shows the first time', async () => {
  const path = written('no-hz.trace', randomTrace(1));
  const { stdout, stderr, finished } = await runOurs(['-a', '--cpu-hz=0', path]);
  expect(finished).toBe(false);
  expect(stderr.toString('latin1')).toContain('xenalyze ends here');
  expect(stdout.toString('latin1').split('\n').length).toBeGreaterThan(100);
});

describe('as the real xenalyze once did', () => {
  const outputs = Object.keys(GOLDEN_TRACES).flatMap((name) =>
    Object.entries({ dump: ['-a'], summary: ['-s'] }).map(([kind, options]) => ({ name, kind, options })),
  );
  test.each(outputs)('$kind of $name', async ({ name, kind, options }) => {
    const path = written(`${name}.trace`, GOLDEN_TRACES[name]);
    const golden = join(here, 'golden', `${name}.${kind}.txt`);
    if (process.env.XENALYZE_GOLDEN === 'write') writeFileSync(golden, runReal([...options, path]).stdout);
    const { stdout } = await runOurs([...options, path]);
    expect(stdout.toString('latin1')).toBe(readFileSync(golden, 'latin1'));
  });
});

/** What the default and xenalyze 4.17 show alike. */
const PLAIN: Partial<Recipe> = {
  deliberate: false,
  anyLayout: false,
  paddedFaults: false,
  extremes: 0,
  wrongWords: 0,
  stray: 0,
};

async function compare(argv: readonly string[], ourOptions = ['--compat=4.17']): Promise<void> {
  const ours = await runOurs([...ourOptions, ...argv]);
  expect(difference(runReal(argv), ours), argv.join(' ')).toBeUndefined();
}

function processorOf(seed: number): string[] {
  return randomRecipe(seed).svm ? ['--svm-mode'] : [];
}

function withoutDeliberate({ stdout, ...rest }: Outcome): Outcome {
  return { ...rest, stdout: Buffer.from(stdout.toString('latin1').replace(DELIBERATE, ' $1'), 'latin1') };
}

function written(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

/** The real one does not read gzip. */
function recordedTraces(folders: readonly string[]): { name: string; path: string; index: number }[] {
  return folders
    .filter((path) => existsSync(path))
    .flatMap((path) => readdirSync(path).map((name) => ({ name, path: join(path, name) })))
    .filter(({ name }) => /\.trace(\.gz)?$/.test(name))
    .map(({ name, path }, index) => {
      const bare = name.replace(/\.gz$/, '');
      return bare === name
        ? { name, path, index }
        : { name: bare, path: written(bare, gunzipSync(readFileSync(path))), index };
    });
}
