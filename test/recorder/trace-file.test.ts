import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type ByteSink,
  createTraceRings,
  DISK_SPACE_LIMIT,
  parseRecorderOptions,
  planRecording,
  recordToFile,
  TraceFile,
  WindowWriter,
} from '../../src/recorder/index.ts';
import { every, ScriptedMachine } from './scripted-machine.ts';
import { windowsOf } from './windows.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'xenscope-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Bytes that tell their place. */
function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 7 + (index >> 8)) & 0xff);
}

describe('TraceFile', () => {
  test('holds what was written, in pieces of any size', () => {
    const path = join(folder, 'a.trace');
    const file = new TraceFile(path);
    const all = pattern(3_500_000);
    const cuts = [0, 1, 13, 4096, 1_000_000, 1_048_590, 3_400_000, 3_500_000];
    for (const [index, cut] of cuts.slice(1).entries()) file.write(all.subarray(cuts[index], cut));
    file.commit();
    expect(readFileSync(path).equals(all)).toBe(true);
  });

  test('puts nothing under the name until it is committed, and leaves nothing else behind', () => {
    const path = join(folder, 'a.trace');
    writeFileSync(path, 'what was there before');
    const file = new TraceFile(path);
    file.write(pattern(100));
    expect(readFileSync(path, 'utf8')).toBe('what was there before');
    file.commit();
    expect(readFileSync(path)).toHaveLength(100);
    expect(readdirSync(folder)).toEqual(['a.trace']);
  });

  test('vanishes when it is abandoned', () => {
    const path = join(folder, 'a.trace');
    const file = new TraceFile(path);
    file.write(pattern(2_000_000));
    file.abandon();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('is written in place where it is not an ordinary file', () => {
    const fifo = join(folder, 'pipe');
    execFileSync('mkfifo', [fifo]);
    const copy = join(folder, 'copy');
    const script = `cat ${fifo} > ${copy} & echo started`;
    execFileSync('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'] });
    const file = new TraceFile(fifo);
    file.write(pattern(300_000));
    file.commit();
    while (!existsSync(copy) || statSync(copy).size < 300_000) execFileSync('sleep', ['0.01']);
    expect(readFileSync(copy).equals(pattern(300_000))).toBe(true);
    expect(statSync(fifo).isFIFO()).toBe(true);
  });

  test('goes through a symbolic link rather than replace it', () => {
    writeFileSync(join(folder, 'target'), 'old');
    symlinkSync('target', join(folder, 'link'));
    const file = new TraceFile(join(folder, 'link'));
    file.write(pattern(10));
    file.commit();
    expect(readFileSync(join(folder, 'target'))).toHaveLength(10);
  });

  test('keeps the permissions of the file that it replaces', () => {
    const path = join(folder, 'a.trace');
    writeFileSync(path, 'old');
    chmodSync(path, 0o600);
    const file = new TraceFile(path);
    file.commit();
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('says in a sentence why it cannot be', () => {
    mkdirSync(join(folder, 'sub'));
    expect(() => new TraceFile(join(folder, 'sub'))).toThrow(/^cannot write .*sub: it is a directory$/);
    const missing = join(folder, 'no', 'such', 'folder', 'a.trace');
    expect(() => new TraceFile(missing)).toThrow(/^cannot write .*a\.trace: no such file or directory$/);
    expect(() => new TraceFile('/dev/full').write(pattern(2_000_000))).toThrow(
      /^writing \/dev\/full failed: no space left on device$/,
    );
  });
});

describe('-r', () => {
  test('lets a window through only if more megabytes than the limit stay free', () => {
    const window = new Uint8Array(8);
    const attempt = (free: number, limit: number) => {
      const written: number[] = [];
      const sink: ByteSink = { write: (bytes) => written.push(bytes.length), freeBytes: () => free };
      new WindowWriter(sink, limit).window(0, window, window);
      return written;
    };
    // 16 bytes of records; whole megabytes are compared, and they must be more than the limit.
    expect(attempt(6 * 2 ** 20 + 16, 5)).toEqual([12, 8, 8]);
    expect(() => attempt(6 * 2 ** 20 + 15, 5)).toThrow(
      /disk space limit reached: 5 MB would be free, 5 MB are/,
    );
    expect(attempt(0, 0)).toEqual([12, 8, 8]); // not asked for
  });

  test('is refused where there is no telling', () => {
    const writer = new WindowWriter({ write: () => {} }, 5);
    expect(() => writer.window(0, new Uint8Array(4), new Uint8Array(0))).toThrow(/a pipe/);
  });

  test('ends a recording that reaches the limit and leaves what there is, a whole trace', () => {
    const { bsize, bfree } = statfsSync(folder);
    const path = join(folder, 'a.trace');
    const target = {
      host: { pcpus: 1 },
      durationNs: 1000,
      trace: { eventMask: 0x2f000, flushNs: 100, endNs: 1000 },
    };
    const run = (reserveDiskSpace: string) => {
      const plan = planRecording(parseRecorderOptions({ reserveDiskSpace }), target);
      const rings = createTraceRings(plan);
      return recordToFile(new ScriptedMachine(rings, every(10, 0, 0, 1000)), rings, plan, path);
    };
    expect(run('1').windows).toBe(10);
    rmSync(path);
    const tooMuch = `${Math.ceil((bsize * bfree) / 2 ** 20) * 2}`;
    expect(() => run(tooMuch)).toThrow(expect.objectContaining({ code: DISK_SPACE_LIMIT }));
    expect(windowsOf(readFileSync(path))).toEqual([]);
    expect(readdirSync(folder)).toEqual(['a.trace']);
  });
});

test('a recording that fails leaves the file of before', () => {
  const path = join(folder, 'a.trace');
  writeFileSync(path, 'before');
  const target = {
    host: { pcpus: 1 },
    durationNs: 1000,
    trace: { eventMask: 0x2f000, flushNs: 100, endNs: 1000 },
  };
  const plan = planRecording(parseRecorderOptions({ memoryBuffer: '64' }), target);
  const rings = createTraceRings(plan);
  const machine = new ScriptedMachine(rings, every(10, 0, 0, 1000));
  expect(() => recordToFile(machine, rings, plan, path)).toThrow(/^-M: a window of 160 bytes/);
  expect(readFileSync(path, 'utf8')).toBe('before');
  expect(readdirSync(folder)).toEqual(['a.trace']);
});
