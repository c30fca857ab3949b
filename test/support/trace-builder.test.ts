import { expect, test } from 'vitest';
import { TraceBuilder, u64, vcpuWord } from './trace-builder.ts';

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

test('a trace comes out byte for byte as written down by hand', () => {
  const trace = new TraceBuilder()
    .window(0)
    .record(0x28006, 0x0123456789abcdefn, [vcpuWord(1, 2)])
    .wrap([7])
    .window(3)
    .lost(16, { count: 5, dom: 32767, vcpu: 1, firstTsc: 2n ** 40n })
    .bytes();
  expect(hex(trace)).toBe(
    [
      '03f00120 00000000 18000000', // a window of pCPU 0, 24 bytes
      '06800290 efcdab89 67452301 02000100', // d1v2 blocks
      '02f00110 07000000', // a wrap record with one stale word
      '03f00120 03000000 1c000000', // a window of pCPU 3, 28 bytes
      '01f001c0 10000000 00000000 05000000 ff7f0100 00000000 00010000', // 5 lost
    ]
      .join('')
      .replaceAll(' ', ''),
  );
});

test('a runstate change holds its states in the event id', () => {
  const bytes = new TraceBuilder().window(0).runstate(1, 1, 0, 'blocked', 'runnable').bytes();
  expect(new DataView(bytes.buffer).getUint32(12, true)).toBe(0x90021211);
});

test('windows can lie, end early and be followed by garbage', () => {
  const trace = new TraceBuilder().window(1, { bytes: 99 }).untimed(0x82006).garbage([1, 2, 3]);
  expect(hex(trace.bytes())).toBe('03f001200100000063000000' + '06200800' + '010203');
  expect(hex(trace.bytes(5))).toBe('03f001200100000063000000' + '0620');
  expect(u64(-1)).toEqual([0xffffffff, 0xffffffff]);
});
