import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/base/errors.ts';
import { parseCpuMask, parseEventMask, selectPcpus } from '../../src/recorder/index.ts';

// Expected values by parse_evtmask() of xentrace.c and the classes of Xen's public trace.h.
test.each([
  [['sched'], 0x0002f000],
  [['gen'], 0x0001f000],
  [['dom0op'], 0x0004f000],
  [['hvm'], 0x0008f000],
  [['all'], 0x0ffff000],
  [['sched', 'hvm'], 0x000af000], // names add up
  [['0x21000'], 0x00021000],
  [['135168'], 0x00021000],
  [['0410000'], 0x00021000], // strtol with base 0: a leading 0 is octal
  [['0xffffffff'], 0xffffffff],
  [['-1'], 0xffffffff],
  [['sched', '0x21000'], 0x00021000], // a number replaces what came before
  [['0x21000', 'hvm'], 0x000af000], // and a name adds to it: 0x21000 | 0x8f000
  [['0'], undefined], // xentrace leaves Xen's mask alone then
  [[], undefined],
])('-e %j is %s', (values, mask) => {
  expect(parseEventMask(values)).toBe(mask);
});

test.each(['shed', '', 'sched,hvm', '0x', '12x', '0x100000000', 'ALL'])('-e %j is refused', (value) => {
  expect(() => parseEventMask([value])).toThrow(UserError);
});

test('a refused event mask says what was meant', () => {
  expect(() => parseEventMask(['shed'])).toThrow('did you mean "sched"?');
});

describe('cpu masks on a host with 8 pCPUs', () => {
  // The first six lines are the examples of xentrace's manual page, in its order.
  test.each([
    ['0-3', [0, 1, 2, 3]],
    ['0,2,5-7', [0, 2, 5, 6, 7]],
    ['-3', [0, 1, 2, 3]],
    ['-3,7', [0, 1, 2, 3, 7]],
    ['3-', [3, 4, 5, 6, 7]],
    ['all', [0, 1, 2, 3, 4, 5, 6, 7]],
    ['0x2', [1]],
    ['0xa1', [0, 5, 7]],
    ['0xffffff00', []], // bits beyond the host select nothing
    ['0x0', []],
    ['3', [3]], // a list since Xen 4.6, where it was a mask before
    ['0-0', [0, 1, 2, 3, 4, 5, 6, 7]], // a last pCPU of 0 counts as not given
    ['7-', [7]],
    ['2,2-3', [2, 3]],
  ])('-c %s', (text, expected) => {
    const selected = selectPcpus(parseCpuMask(text), 8);
    expect(selected.flatMap((traced, pcpu) => (traced ? [pcpu] : []))).toEqual(expected);
  });

  test.each(['', 'a', '1,,2', '3-1', '1-2-3', '0x1g', '0x100000000', '8', '5-8', '8-', '1 2'])(
    '-c %j is refused',
    (text) => {
      expect(() => selectPcpus(parseCpuMask(text), 8)).toThrow(UserError);
    },
  );
});

test('a mask of bits reaches the first 32 pCPUs of a larger host', () => {
  const selected = selectPcpus(parseCpuMask('0x80000001'), 40);
  expect(selected.flatMap((traced, pcpu) => (traced ? [pcpu] : []))).toEqual([0, 31]);
});
