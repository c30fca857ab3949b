/**
 * How tables come into the world: files, streams, and what happens when that fails.
 */
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { UserError } from '../../src/base/errors.ts';
import { openTrace } from '../../src/decoder/index.ts';
import { EventCatalog } from '../../src/format/index.ts';
import {
  MemoryOutputSink,
  type OutputSink,
  streamTable,
  tableSpecs,
  writeTables,
} from '../../src/tables/index.ts';
import { fakeSource } from './fake-source.ts';
import { readRows, readTable } from './read-arrow.ts';
import { makeFolder, removeFolder } from './temporary-folder.ts';

let folder: string;
beforeEach(() => {
  folder = makeFolder();
});
afterEach(() => removeFolder(folder));

const file = (name: string) => join(folder, `${name}.arrow`);

describe('writing', () => {
  const one = () => fakeSource([{ pcpu: 0, event: 0x21002, tsc: 1n, words: [0] }]);

  test('gives tables without rows for a trace without records', async () => {
    const written = writeTables(await openTrace(new Uint8Array(0)), folder);
    expect(written.map(({ name }) => name)).toContain('records');
    for (const { name, path, rows } of written) {
      expect(readTable(path).numRows).toBe(rows);
      if (name !== 'meta' && name !== 'diagnostics') expect(rows).toBe(0);
    }
  });

  test('leaves nothing behind when it fails', () => {
    const source = { ...one(), counts: () => expect.fail('the disk is full') };
    expect(() => writeTables(source, folder)).toThrow('the disk is full');
    expect(readdirSync(folder)).toEqual([]);
  });

  test('removes what an earlier trace left under the name of a table that this one does not have', () => {
    writeFileSync(file('credit2'), 'old');
    writeFileSync(join(folder, 'notes.arrow'), 'mine');
    writeTables(one(), folder);
    expect(existsSync(file('credit2'))).toBe(false);
    expect(existsSync(join(folder, 'notes.arrow'))).toBe(true);
  });

  test('makes the folder, and says in a sentence when it cannot', () => {
    const deep = join(folder, 'a', 'b');
    expect(writeTables(one(), deep, { tables: ['meta'] })).toMatchObject([
      { name: 'meta', path: join(deep, 'meta.arrow') },
    ]);
    writeFileSync(join(folder, 'file'), '');
    const error = thrown(() => writeTables(one(), join(folder, 'file', 'x')));
    expect(error).toBeInstanceOf(UserError);
    expect((error as Error).message).toBe(
      `${join(folder, 'file', 'x')}: cannot be written: a part of its path is not a folder`,
    );
    mkdirSync(file('meta'));
    expect(thrown(() => writeTables(one(), folder))).toBeInstanceOf(UserError);
    expect(readdirSync(folder).filter((name) => name.includes('partial'))).toEqual([]);
  });

  test('refuses a table that does not exist, with a hint', () => {
    const error = thrown(() => writeTables(one(), folder, { tables: ['recrods'] }));
    expect((error as Error).message).toBe('there is no table "recrods" (did you mean "records"?)');
  });

  test('streams one table to a sink, in the stream format', () => {
    const sink = new MemoryOutputSink();
    expect(streamTable(one(), 'records', sink)).toBe(1);
    const bytes = sink.bytes();
    expect([...bytes.subarray(0, 4)]).toEqual([0xff, 0xff, 0xff, 0xff]); // A file would begin with ARROW1.
    expect(readRows(bytes)).toMatchObject([{ t_ns: 0n, tsc: 1n }]);
    const empty = new MemoryOutputSink();
    expect(streamTable(fakeSource([]), 'waits', empty)).toBe(0);
    expect(readTable(empty.bytes()).schema.fields.map(({ name }) => name)).toContain('wait_ns');
  });

  describe('to a sink of the user', () => {
    /** Keeps what it is given, and says in which order it was called. */
    class Tape implements OutputSink {
      readonly calls: string[] = [];
      readonly #bytes: number[] = [];
      write(chunks: readonly Uint8Array[]): void {
        if (this.calls.at(-1) !== 'write') this.calls.push('write');
        for (const chunk of chunks) this.#bytes.push(...chunk);
      }
      commit(): void {
        this.calls.push('commit');
      }
      abort(): void {
        this.calls.push('abort');
      }
      rows() {
        return readRows(Uint8Array.from(this.#bytes));
      }
    }

    test('writes all of a table, in order, and commits', () => {
      const records = Array.from({ length: 3000 }, (_, i) => ({
        ...{ pcpu: i % 2, event: 0x21002, tsc: BigInt(i), words: [i] },
      }));
      const tape = new Tape();
      expect(streamTable(fakeSource(records, { batchRows: 999 }), 'records', tape)).toBe(3000);
      expect(tape.calls).toEqual(['write', 'commit']);
      expect(tape.rows().map(({ t_ns }) => Number(t_ns))).toEqual(records.map((_, i) => i));
    });

    test('aborts whatever goes wrong, and hands the reason on', () => {
      const full = new (class extends Tape {
        override write(): void {
          throw new Error('the tape is full');
        }
      })();
      expect(() => streamTable(one(), 'records', full)).toThrow('the tape is full');
      const torn = new (class extends Tape {
        override commit(): void {
          throw new Error('the tape is torn');
        }
      })();
      expect(() => streamTable(one(), 'records', torn)).toThrow('the tape is torn');
      const misnamed = new Tape();
      expect(() => streamTable(one(), 'recrods', misnamed)).toThrow('there is no table "recrods"');
      expect([full.calls, torn.calls, misnamed.calls]).toEqual([['abort'], ['write', 'abort'], ['abort']]);
    });
  });

  test('refuses a reader whose records were read before', async () => {
    const trace = join(import.meta.dirname, '../../samples/traces/credit-caps.trace');
    const reader = await openTrace(trace);
    const rows = streamTable(reader, 'records', new MemoryOutputSink());
    const error = { name: 'UserError', code: 'already-read' };
    expect(() => streamTable(reader, 'records', new MemoryOutputSink())).toThrow(
      expect.objectContaining(error),
    );
    expect(() => writeTables(reader, folder)).toThrow(expect.objectContaining(error));
    expect(streamTable(await reader.reopen(), 'records', new MemoryOutputSink())).toBe(rows);
    reader.close();
  });

  test.skipIf(!existsSync('/dev/full'))('says in a sentence that the disk is full', () => {
    const fd = openSync('/dev/full', 'w');
    const error = thrown(() => streamTable(one(), 'records', fd));
    closeSync(fd);
    expect((error as Error).message).toBe('the output: cannot be written: no space left on the disk');
  });

  test('has no two tables or columns of one name, and only snake_case', () => {
    const specs = tableSpecs(EventCatalog.builtIn());
    expect(new Set(specs.map(({ name }) => name)).size).toBe(specs.length);
    for (const { columns } of specs) {
      expect(new Set(columns.map(({ name }) => name)).size).toBe(columns.length);
      for (const { name, type, unit } of columns) {
        expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
        if (name.endsWith('_ns')) expect([type, unit]).toEqual(['int64', 'ns']);
      }
    }
  });
});

function thrown(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return expect.fail('it did not throw');
}
