/** xentrace's -M against membuf_reserve_window() and membuf_dump(), worked out by hand. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MemoryBuffer, MemorySink } from '../../src/recorder/index.ts';
import { windowsOf } from './windows.ts';

const NOTHING = new Uint8Array(0);

/**
 * `words` words that say where they belong: a header of an untimed record without extra words, event 0x28000
 * + serial.
 */
function content(serial: number, words: number): Uint8Array {
  return new Uint8Array(new Uint32Array(words).fill(0x28000 + serial).buffer);
}

/** Puts windows of [pCPU, bytes] into a buffer and tells which of them, counted from 0, come out. */
function survivors(size: number, windows: readonly (readonly [number, number])[]): number[] {
  const out = new MemorySink();
  const buffer = new MemoryBuffer(out, size);
  for (const [serial, [pcpu, bytes]] of windows.entries()) {
    buffer.window(pcpu, content(serial, bytes / 4), NOTHING);
  }
  buffer.finish();
  const trace = out.bytes();
  const view = new DataView(trace.buffer);
  const found: number[] = [];
  let at = 0;
  for (const { pcpu, bytes } of windowsOf(trace)) {
    const serial = view.getUint32(at + 12, true) - 0x28000;
    expect([pcpu, bytes]).toEqual(windows[serial]);
    found.push(serial);
    at += 12 + bytes;
  }
  return found;
}

test('keeps everything as long as it fits', () => {
  // 20 + 20 + 20 bytes with headers.
  expect(
    survivors(64, [
      [0, 8],
      [1, 8],
      [0, 8],
    ]),
  ).toEqual([0, 1, 2]);
});

test('drops the oldest windows, up to a low pCPU', () => {
  const sweep = [
    [0, 8],
    [1, 8],
    [2, 8],
  ] as const;
  // 100 bytes: five windows of 20 fill it. The sixth drops the first (pCPU 0) and then goes on while the next
  // pCPU is higher: 1 and 2 go too. What is left starts with pCPU 0 of the second sweep.
  expect(survivors(104, [...sweep, ...sweep])).toEqual([3, 4, 5]);
});

test('makes room for a window that would fill the buffer to the last byte, and then needs no room', () => {
  // Xentrace asks for less than what is free: 60 of 60 bytes are not. Nothing must go for want of space (0
  // bytes are missing), and still the ascending windows at the start do.
  expect(
    survivors(60, [
      [0, 8],
      [1, 8],
      [0, 8],
    ]),
  ).toEqual([2]);
  expect(
    survivors(60, [
      [0, 8],
      [0, 8],
      [0, 8],
    ]),
  ).toEqual([1, 2]);
});

test('stops at a window of the same pCPU', () => {
  expect(
    survivors(64, [
      [1, 8],
      [1, 8],
      [1, 8],
      [1, 8],
    ]),
  ).toEqual([1, 2, 3]);
});

test('holds windows that go around its end, headers included', () => {
  // 64 bytes, windows of 20 and 24 and 28: the headers of later ones meet the end of the buffer in every
  // phase.
  const windows = Array.from({ length: 40 }, (_, index) => [0, 8 + 4 * (index % 3)] as const);
  for (let count = 1; count <= windows.length; count += 1) {
    const left = survivors(64, windows.slice(0, count));
    expect(left.at(-1)).toBe(count - 1);
    expect(left).toEqual(Array.from(left, (_, index) => count - left.length + index));
  }
});

test('refuses a window that is larger than itself', () => {
  const buffer = new MemoryBuffer(new MemorySink(), 32);
  buffer.window(0, content(0, 5), NOTHING); // 12 + 20: just fits
  expect(() => buffer.window(0, content(1, 3), content(1, 3))).toThrow(/24 bytes does not fit .* 32 bytes/);
});

test('is nothing when nothing came', () => {
  const out = new MemorySink();
  new MemoryBuffer(out, 32).finish();
  expect(out.bytes()).toHaveLength(0);
});

test('whatever comes, what is left is what plain lists of windows leave', () => {
  const windows = fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 1, max: 20 })), {
    minLength: 1,
    maxLength: 40,
  });
  fc.assert(
    fc.property(fc.integer({ min: 92, max: 400 }), windows, (size, list) => {
      const given = list.map(([pcpu, words]) => [pcpu, words * 4] as const);
      const held: number[] = [];
      const needs = (serial: number) => given[serial]![1] + 12;
      for (const serial of given.keys()) {
        let missing = needs(serial) + held.reduce((sum, other) => sum + needs(other), 0) - size;
        if (missing >= 0) {
          let lastPcpu = -1;
          const drop = () => {
            missing -= needs(held[0]!);
            lastPcpu = given[held.shift()!]![0];
          };
          while (missing > 0) drop();
          while (held.length > 0 && given[held[0]!]![0] > lastPcpu) drop();
        }
        held.push(serial);
      }
      expect(survivors(size, given)).toEqual(held);
    }),
  );
});
