/**
 * Ours against the real xentrace_format under Python 2, where both are installed. `XENTRACE_FORMAT_CASES=500` draws more
 * cases.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { EventCatalog } from '../../src/format/index.ts';
import { definitionsText } from '../../src/xentrace-format/index.ts';
import { scratchFolder } from '../cli/run-cli.ts';
import { TraceBuilder } from '../support/trace-builder.ts';
import { randomDefinitions, randomTrace } from './random-cases.ts';
import { REAL, runReal } from './real-xentrace-format.ts';
import { type Outcome, runOurs } from './run-ours.ts';

const CASES = Number(process.env.XENTRACE_FORMAT_CASES ?? 12);
const SHARED = resolve(import.meta.dirname, '../../../shared/traces');
const SAMPLES = resolve(import.meta.dirname, '../../samples/traces');

const scratch = scratchFolder();
afterAll(() => scratch.remove());

interface Both {
  readonly real: ReturnType<typeof runReal>;
  readonly ours: Outcome;
}

async function runBoth(definitions: string, trace: Uint8Array, mhz = 0): Promise<Both> {
  const file = scratch.path('defs');
  writeFileSync(file, definitions, 'latin1');
  const real = runReal(mhz === 0 ? [file] : ['-c', String(mhz), file], trace);
  return { real, ours: await runOurs(definitions, trace, scratch.path('trace'), mhz) };
}

/** The first line that differs, of both. */
function difference(real: Buffer, ours: Buffer): string | undefined {
  if (real.equals(ours)) return undefined;
  const lines = [real, ours].map((bytes) => bytes.toString('latin1').split('\n'));
  const at = lines[0].findIndex((line, index) => line !== lines[1][index]);
  return `line ${at + 1}\nreal: ${lines[0][at]}\nours: ${lines[1][at]}`;
}

describe.skipIf('reason' in REAL)(
  `formatInFileOrder() prints what xentrace_format does${'reason' in REAL ? ` (${REAL.reason})` : ''}`,
  () => {
    const seeds = Array.from({ length: CASES }, (_, i) => i + 1);

    test.each(seeds)('random rules and records, seed %d', async (seed) => {
      const mhz = seed % 3 === 0 ? [1, 2400, 3_000_000][(seed / 3) % 3] : 0;
      const { real, ours } = await runBoth(randomDefinitions(seed), randomTrace(seed), mhz);
      expect(real.stderr).toBe('');
      expect(difference(real.stdout, ours.stdout)).toBeUndefined();
      expect(real.stdout.length).toBeGreaterThan(5000);
    });

    const files = [SAMPLES, SHARED]
      .filter((folder) => existsSync(folder))
      .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
      .filter((path) => /\.trace(\.gz)?$/.test(path));
    const some = process.env.XENTRACE_FORMAT_CASES ? files : files.filter((_, index) => index % 10 === 0);

    test.each(some)('our own definitions on %s', async (path) => {
      const bytes = readFileSync(path);
      const trace = path.endsWith('.gz') ? gunzipSync(bytes) : bytes;
      const { real, ours } = await runBoth(definitionsText(EventCatalog.builtIn()), trace);
      expect(real.stderr).toBe('');
      expect(difference(real.stdout, ours.stdout)).toBeUndefined();
      expect(ours.told).toEqual([]);
    });

    const record = () =>
      new TraceBuilder().window(3).record(0x21002, 1000, [7, 300]).record(0x21011, 2000, [1]);

    test.each([
      ['a name that there is not', '0x21011 %(foo)d', 'bad-rule'],
      ['a conversion that there is not', '0x21011 %(1)y', 'bad-rule'],
      ['an end in the middle', '0x21011 %(1)', 'bad-rule'],
      ['a parenthesis that is not closed', '0x21011 %(1', 'bad-rule'],
      ['%c of no byte', '0x21002 %(1)c\n0x21011 %(tsc)c', 'bad-rule'],
      ['too many digits', '0x21011 %(1).117d', 'bad-rule'],
    ])('where it dies, ours tells why and goes on: %s', async (_, definitions, code) => {
      const { real, ours } = await runBoth(
        `0x21002 %(cpu)d %(1)d\n${definitions}\n0x1f003 w`,
        record().window(1).bytes(),
      );
      expect(real.status).toBe(1);
      expect(real.stderr).toMatch(/Error/);
      expect(ours.stdout.subarray(0, real.stdout.length).equals(real.stdout)).toBe(true);
      expect(ours.stdout.toString()).toMatch(/\nw\n$/);
      expect(ours.told).toEqual([code]);
    });

    test.each([1, 4, 5, 11, 12, 13])('a trace that ends %d bytes too early', async (bytes) => {
      const { real, ours } = await runBoth('0 %(event)d %(1)d', record().bytes(bytes));
      expect(difference(real.stdout, ours.stdout)).toBeUndefined();
      expect(ours.told).toEqual(bytes === 16 ? [] : ['truncated_record']);
    });

    test('an interrupt that ends before it begins', async () => {
      const trace = record().record(0x1f004, 3000, [5, 10, 9]).record(0x21002, 4000).bytes();
      const { real, ours } = await runBoth('0 %(event)d %(1)d', trace);
      expect(real.status).toBe(0);
      expect(difference(real.stdout, ours.stdout)).toBeUndefined();
      expect(ours.told).toEqual(['irq_backwards']);
    });
  },
);
