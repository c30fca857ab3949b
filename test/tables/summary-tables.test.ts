/**
 * The tables about the trace as a whole.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openTrace } from '../../src/decoder/index.ts';
import { writeTables } from '../../src/tables/index.ts';
import { TraceBuilder, vcpuWord } from '../support/trace-builder.ts';
import { fakeSource } from './fake-source.ts';
import { readRows, readTable } from './read-arrow.ts';
import { makeFolder, removeFolder } from './temporary-folder.ts';

let folder: string;
beforeEach(() => {
  folder = makeFolder();
});
afterEach(() => removeFolder(folder));

const file = (name: string) => join(folder, `${name}.arrow`);

/** A TSC that a float64 cannot hold: a host that has been up for a century, so to speak. */
const BOOT = 2n ** 60n + 1n;

describe('the summary tables', () => {
  test('say what was lost, and when the loss began', async () => {
    const trace = new TraceBuilder()
      .window(2)
      .record(0x21002, BOOT, [vcpuWord(1, 0)])
      .lost(BOOT + 1001n, { count: 3, dom: 7, vcpu: 1, firstTsc: BOOT + 501n })
      .record(0x21002, BOOT + 2000n, [vcpuWord(1, 0)]);
    writeTables(await openTrace(trace.bytes(), { cpuHz: 2_000_000_000 }), folder);
    expect(readRows(file('lost'))).toEqual([
      { t_ns: 501n, pcpu: 2, count: 3, dom: 7, vcpu: 1, first_tsc: BOOT + 501n, first_ns: 251n },
    ]);
  });

  test('show diagnostics with null for what does not apply', () => {
    const damage = {
      severity: 'error',
      code: 'skipped_bytes',
      bytes: 12,
      count: 1,
      message: 'ä',
      advice: 'b',
    } as const;
    const nowhere = { ...damage, code: 'a', pcpu: -1, offset: -1, tNs: undefined };
    const somewhere = { ...damage, pcpu: 3, offset: 2 ** 40, tNs: 5 };
    writeTables(fakeSource([], { diagnostics: [nowhere, somewhere] }), folder, { tables: ['diagnostics'] });
    const common = { severity: 'error', bytes: 12n, count: 1n, message: 'ä', advice: 'b' };
    expect(readRows(file('diagnostics'))).toEqual([
      { ...common, code: 'a', pcpu: null, offset: null, t_ns: null },
      { ...common, code: 'skipped_bytes', pcpu: 3, offset: 2n ** 40n, t_ns: 5n },
    ]);
  });

  test('say where the tables come from, in meta and in the schema of every file', () => {
    const source = fakeSource([{ pcpu: 4, event: 0x21002, tsc: BOOT, words: [0] }], { cpuHz: undefined });
    writeTables(source, folder);
    const meta = new Map(readRows(file('meta')).map(({ key, value }) => [key, value]));
    expect(meta.get('cpu_hz')).toBe('unknown');
    expect(meta.get('tsc_start')).toBe(String(BOOT));
    expect(meta.get('records')).toBe('1');
    expect(meta.get('pcpus')).toBe('4');
    expect(meta.get('core_scheduling')).toBe('false');
    for (const name of readdirSync(folder)) {
      const { metadata } = readTable(join(folder, name)).schema;
      expect(metadata.get('source')).toBe('hand-made.trace');
      expect(metadata.get('producer')).toMatch(/^xenscope \d/);
      for (const key of metadata.keys())
        if (key !== 'table' && key !== 'pandas') expect(meta.get(key)).toBe(metadata.get(key));
    }
  });

  test('tell each key of meta in docs/tables.md', () => {
    writeTables(fakeSource([]), folder);
    const doc = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'tables.md'), 'utf8');
    const section = doc.split('### meta\n')[1]?.split('\n## ')[0] ?? '';
    for (const { key } of readRows(file('meta'))) expect(section).toContain(`\`${key}\``);
  });
});
