import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { UserError } from '../../src/base/errors.ts';
import { loadSymbols } from '../../src/xenalyze/symbols.ts';
import { TextOutput } from '../../src/xenalyze/text-output.ts';
import { TraceBuilder } from '../support/trace-builder.ts';
import { difference, REAL_XENALYZE, runOurs, runReal } from './real-xenalyze.ts';

const folder = mkdtempSync(join(tmpdir(), 'xenscope-symbols-'));
const path = join(folder, 'symbols');
afterAll(() => rmSync(folder, { recursive: true }));

function load(text: string) {
  writeFileSync(path, text);
  let stderr = '';
  const output = new TextOutput((bytes) => {
    stderr += Buffer.from(bytes).toString('latin1');
  });
  const symbols = loadSymbols(path, output);
  output.flush();
  return { symbols, stderr };
}

/** Rips of exits, the higher half first. */
const ADDRESSES = [
  [0, 0x1234],
  [0, 0xc0100000],
  [0, 0xc0100fff],
  [0, 0xc0101000],
  [0, 0xdeadbef0],
  [0xffffffff, 0x81000010],
] as const;

const FILES = {
  'no newline at the end': 'c0100000 _stext\nc0101000 foo\nffffffff81000000 bar',
  'a newline at the end': 'c0100000 _stext\nc0101000 foo\n',
  'as of nm, with types': 'c0100000 T _stext\nc0101000 t foo\n',
  'long names, prefixes, capitals': `0xC0100000 ${'n'.repeat(127)}\n  C0101000\t\tfoo`,
  'an address only': 'c0100000 _stext c0101000',
  'no order': 'c0101000 foo\nc0100000 _stext\nc0102000 bar',
  nothing: '',
};

describe('symbols', () => {
  test('the offset is from the last one before', () => {
    const { symbols, stderr } = load(FILES['no newline at the end']);
    expect(ADDRESSES.map(([high, low]) => symbols.find(high, low))).toEqual([
      '(ZERO +1234)',
      '(_stext +0)',
      '(_stext +fff)',
      '(foo +0)',
      '(foo +1e9daef0)',
      '(bar +10)',
    ]);
    expect({ refused: symbols.refused, stderr }).toEqual({ refused: false, stderr: '' });
  });

  test('a file that is not in order is refused, and its order made out', () => {
    const { symbols, stderr } = load(FILES['no order']);
    expect(symbols.refused).toBe(true);
    expect(stderr).toBe('Symbol file not properly ordered: c0100000 _stext < c0101000!\n');
    expect(symbols.find(0, 0xc0102001)).toBe('(bar +1)');
  });

  test('without a file there are no names', () => {
    const silent = new TextOutput(() => {});
    expect(loadSymbols(undefined, silent).find(0, 1)).toBe('');
    expect(() => loadSymbols(join(folder, 'none'), silent)).toThrow(UserError);
  });

  test.skipIf(REAL_XENALYZE === undefined)('all are as those of the real xenalyze', async () => {
    const trace = new TraceBuilder().window(0);
    ADDRESSES.forEach(([high, low], i) => {
      trace.record(0x81102, 1e9 + 2000 * i, [12, low, high]).record(0x81001, 1e9 + 2000 * i + 1000);
    });
    const file = join(folder, 'trace');
    writeFileSync(file, trace.bytes());
    for (const [name, text] of Object.entries(FILES)) {
      writeFileSync(path, text);
      const argv = ['-a', `--symbol-file=${path}`, file];
      const real = runReal(argv);
      expect(difference(real, await runOurs(argv)), name).toBeUndefined();
      if (real.finished) expect(real.stdout.toString(), name).toContain('vmexit');
      else expect(name).toBe('no order');
    }
  });
});
