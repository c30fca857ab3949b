import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { DiagnosticLog } from '../../src/decoder/diagnostic-log.ts';
import { createRecordBatch, openTrace, type TraceInput } from '../../src/decoder/index.ts';
import { openSource } from '../../src/decoder/open-source.ts';
import { TraceBuilder } from '../support/trace-builder.ts';
import { accountedBytes, codesOf, readAll } from './read-all.ts';

const hasZcat = spawnSync('zcat', ['--version']).status === 0;
const GHZ = { cpuHz: 1e9 };
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'xenscope-sources-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function save(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

/** A trace of `records` records; pseudo-random words, so that gzip has something to do. */
function sampleTrace(records: number): Uint8Array {
  const builder = new TraceBuilder();
  let state = 1;
  for (let i = 0; i < records; i++) {
    if (i % 100 === 0) builder.window((i / 100) % 3);
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    builder.record(0x2800f, 1e12 + 50 * i, [1, i % 4, state, i]);
  }
  return builder.bytes();
}

describe('openTrace() takes', () => {
  const trace = sampleTrace(3000);

  test('a path, a stream of bytes and standard input alike', async () => {
    const fromFile = await readAll(save('plain.trace', trace), GHZ);
    expect(fromFile.rows).toHaveLength(3000);
    expect((await readAll(Readable.from([trace.subarray(0, 7), trace.subarray(7)]), GHZ)).rows).toEqual(
      fromFile.rows,
    );
    vi.spyOn(process, 'stdin', 'get').mockReturnValue(
      Readable.from([trace]) as unknown as typeof process.stdin,
    );
    expect((await readAll('-', GHZ)).rows).toEqual(fromFile.rows);
    vi.restoreAllMocks();
  });

  test('gzip, told by its content and not by its name; several members; a pipe', async () => {
    const expected = (await readAll(trace, GHZ)).rows;
    expect((await readAll(save('packed.trace', gzipSync(trace)), GHZ)).rows).toEqual(expected);
    expect((await readAll(save('plain.gz', trace), GHZ)).rows).toEqual(expected);
    const members = Buffer.concat([gzipSync(trace.subarray(0, 5001)), gzipSync(trace.subarray(5001))]);
    expect((await readAll(save('members.gz', members), GHZ)).rows).toEqual(expected);
    expect((await readAll(gzipSync(trace), GHZ)).rows).toEqual(expected);
  });

  test('a symbolic link and a named pipe', async () => {
    const path = save('target.trace', trace);
    symlinkSync(path, join(folder, 'link.trace'));
    expect((await readAll(join(folder, 'link.trace'), GHZ)).rows).toHaveLength(3000);
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    execFileSync('sh', ['-c', `cat '${path}' > '${pipe}' &`], { stdio: 'ignore' });
    expect((await readAll(pipe, GHZ)).rows).toHaveLength(3000);
  });

  test('streams longer than what is kept in memory, through a file that leaves no trace', async () => {
    const long = sampleTrace(100_000);
    // A folder of this test alone: others create theirs in the common one at the same time.
    const scratch = mkdtempSync(join(folder, 'scratch-'));
    const options = { ...GHZ, spoolMemoryBytes: 1 };
    vi.stubEnv('TMPDIR', join(scratch, 'missing'));
    await expect(openTrace(Readable.from([long]), options)).rejects.toThrow('cannot keep the trace in');
    vi.stubEnv('TMPDIR', scratch);
    const reader = await openTrace(Readable.from([long]), options);
    expect(readdirSync(scratch)).toEqual([]);
    reader.close();
    vi.unstubAllEnvs();
    const spooled = await readAll(Readable.from([long]), options);
    expect(spooled.rows).toEqual((await readAll(long, GHZ)).rows);
    expect(accountedBytes(spooled)).toBe(long.length);
  });

  test('progress: the total is known for files, and for streams once they are taken in', async () => {
    const totals = new Set<number>();
    let last = 0;
    const onProgress = (done: number, total: number) => {
      totals.add(total);
      last = done;
    };
    await readAll(Readable.from([trace]), { ...GHZ, onProgress });
    expect([...totals]).toEqual([Number.NaN, trace.length]);
    expect(last).toBe(trace.length);
  });
});

describe('gzip that is damaged', () => {
  const DAMAGE_CODES = ['corrupt_gzip', 'gzip_checksum'];
  const trace = sampleTrace(20_000);
  const packed = gzipSync(trace);

  test('truncated: what could be inflated is decoded', async () => {
    const decoded = await readAll(save('short.gz', packed.subarray(0, packed.length / 2)), GHZ);
    expect(decoded.rows.length).toBeGreaterThan(8000);
    expect(decoded.rows.length).toBeLessThan(12_000);
    expect(codesOf(decoded)).toContain('truncated_gzip');
    expect(accountedBytes(decoded)).toBe(decoded.bytes);
  });

  test('in its middle: what was inflated before is decoded', async () => {
    const bytes = new Uint8Array(packed);
    bytes.fill(0xff, bytes.length / 2, bytes.length / 2 + 50);
    const decoded = await readAll(bytes, GHZ);
    expect(decoded.rows.length).toBeGreaterThan(8000);
    expect(codesOf(decoded).some((code) => DAMAGE_CODES.includes(code))).toBe(true);
    expect(accountedBytes(decoded)).toBe(decoded.bytes);
  });

  /** What a trace was opened from holds, whatever it is. */
  async function inflated(input: TraceInput): Promise<{ bytes: Buffer; log: DiagnosticLog }> {
    const log = new DiagnosticLog();
    const source = await openSource(input, log);
    const bytes = Buffer.alloc(source.bytes);
    source.read(bytes, 0, 0, source.bytes);
    source.close();
    return { bytes, log };
  }

  const zcat = (bytes: Uint8Array): Buffer =>
    spawnSync('zcat', { input: bytes, stdio: ['pipe', 'pipe', 'ignore'], maxBuffer: 1 << 26 }).stdout;

  test.skipIf(!hasZcat)('anywhere: all that zcat gives of what comes before the damage', async () => {
    let state = 7;
    const random = (below: number) => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return (state >>> 8) % below;
    };
    const codes = new Set<string>();
    for (let round = 0; round < 12; round++) {
      const at = 10 + random(packed.length - 30);
      const before = zcat(packed.subarray(0, at));
      const short = await inflated(packed.subarray(0, at));
      // zlib may give a byte more, for which gzip would look a bit too far ahead.
      expect(short.bytes.subarray(0, before.length).equals(before)).toBe(true);
      expect(short.bytes.equals(trace.subarray(0, short.bytes.length))).toBe(true);
      const damaged = Uint8Array.from(packed, (byte, index) =>
        index >= at && index < at + 20 ? 255 - byte : byte,
      );
      for (const input of [damaged, save('damaged.gz', damaged)]) {
        const { bytes, log } = await inflated(input);
        expect(bytes.subarray(0, before.length).equals(before)).toBe(true);
        for (const { code, offset } of log.rows()) {
          codes.add(code);
          expect(offset).toBe(bytes.length);
        }
      }
    }
    // What zlib notices depends on where the damage is; without a checksum it would be nothing, mostly.
    expect([...codes].filter((code) => !DAMAGE_CODES.includes(code))).toEqual([]);
    expect(codes.size).toBeGreaterThan(0);
  });

  test('where no block can begin: nothing of it', async () => {
    const bytes = Uint8Array.from(packed, (byte, index) => (index === 10 ? 0xff : byte));
    const damaged = await inflated(bytes);
    expect(damaged.bytes).toHaveLength(0);
    expect(damaged.log.rows()).toMatchObject([{ code: 'corrupt_gzip', offset: 0 }]);
  });

  test('in one bit: all of its bytes, and that some are wrong', async () => {
    const bytes = Uint8Array.from(packed, (byte, index) => (index === packed.length >> 1 ? byte ^ 1 : byte));
    const { bytes: got, log } = await inflated(bytes);
    const [{ code, message }] = log.rows();
    expect(DAMAGE_CODES).toContain(code);
    if (code === 'gzip_checksum') expect(message).toContain(`some of its ${got.length} bytes are not`);
  });

  test('gives back a stream that it does not read to its end', async () => {
    let isBack = false;
    async function* stream() {
      try {
        yield Uint8Array.from(packed, (byte, index) => (index === 10 ? 0xff : byte));
        yield new Uint8Array(1);
      } finally {
        isBack = true;
      }
    }
    await inflated(stream());
    expect(isBack).toBe(true);
  });

  test('in the sums at its end: all of it, and what follows is passed over as gzip does', async () => {
    const bytes = Uint8Array.from(packed, (byte, index) => (index === packed.length - 5 ? 255 - byte : byte));
    const damaged = await inflated(bytes);
    expect(damaged.bytes.equals(trace)).toBe(true);
    expect(damaged.log.rows()).toMatchObject([{ code: 'gzip_checksum', offset: trace.length }]);
    const followed = await inflated(Buffer.concat([packed, Buffer.alloc(100_000)]));
    expect(followed.bytes.equals(trace)).toBe(true);
    expect(followed.log.rows()).toEqual([]);
  });

  test('of a stream, which cannot be read again: less than 4 KiB are missing, and the message says so', async () => {
    const bytes = Uint8Array.from(packed, (byte, index) => (index === packed.length - 5 ? 255 - byte : byte));
    const { bytes: got, log } = await inflated(Readable.from([bytes]));
    expect(got.length).toBeGreaterThan(trace.length - 4096);
    expect(got.equals(trace.subarray(0, got.length))).toBe(true);
    expect(log.rows()[0].message).toContain('less than 4096 more are lost');
  });

  test('after two bytes: an empty trace and the reason', async () => {
    const decoded = await readAll(Uint8Array.of(0x1f, 0x8b), GHZ);
    expect(codesOf(decoded)).toEqual(['empty_trace', 'truncated_gzip']);
  });
});

describe('openTrace() refuses with one sentence', () => {
  test('a directory', async () => {
    await expect(openTrace(folder)).rejects.toMatchObject({ name: 'UserError', code: 'is-a-directory' });
  });

  test('a file that is not there', async () => {
    await expect(openTrace(join(folder, 'none'))).rejects.toThrow(/^there is no file .*none$/);
  });

  test.skipIf(process.getuid?.() === 0)('a file without permission to read', async () => {
    const path = save('secret.trace', sampleTrace(1));
    chmodSync(path, 0);
    await expect(openTrace(path)).rejects.toMatchObject({ code: 'no-permission' });
  });

  test.each([
    ['text', Buffer.from('#!/bin/sh\necho hello world, this is not a trace\n'), '23 21 2f 62'],
    ['zeros', Buffer.alloc(4096), '00 00 00 00'],
    ['twelve zeros', Buffer.alloc(12), '00 00 00 00'],
    ['one byte', Buffer.from('x'), '78'],
  ])('%s, with the first bytes', async (name, content, hex) => {
    const opening = openTrace(save(`${name}.txt`, content));
    await expect(opening).rejects.toMatchObject({ name: 'UserError', code: 'not-a-trace' });
    await expect(openTrace(join(folder, `${name}.txt`))).rejects.toThrow(`it starts with ${hex}`);
  });

  test.each([
    [undefined, 'not from undefined'],
    [7, 'not from 7'],
    [new ArrayBuffer(8), 'not from an instance of ArrayBuffer'],
    [new URL('file:///run.trace'), 'not from an instance of URL'],
    [['text'], 'this one gives a string'],
  ])('what is neither path nor bytes: %s', async (input, part) => {
    const error = { name: 'UserError', code: 'bad-input', message: expect.stringContaining(part) };
    await expect(openTrace(input as never)).rejects.toMatchObject(error);
  });

  test('a batch without room, which would look like the end', async () => {
    const reader = await openTrace(sampleTrace(1), GHZ);
    const error = { name: 'UserError', code: 'bad-batch' };
    expect(() => reader.readBatch(createRecordBatch(0))).toThrow(expect.objectContaining(error));
    expect(reader.readBatch(createRecordBatch(1))).toBe(true);
    reader.close();
  });

  test('a frequency that is none', async () => {
    for (const cpuHz of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      await expect(openTrace(sampleTrace(1), { cpuHz })).rejects.toMatchObject({ code: 'bad-cpu-hz' });
    }
  });
});
