import { describe, expect, test } from 'vitest';
import { TraceBuilder, u64 } from '../support/trace-builder.ts';
import { differenceOn, dumpedLines, linesOf } from './guest-classes.ts';
import { REAL_XENALYZE } from './real-xenalyze.ts';

const BIT_64 = 0x100;
const HYPERCALL = 0x201001;
const TRAP = 0x201003;
const PAGE_FAULT = 0x201004;
const MATH_STATE_RESTORE = 0x201008;
const PTWR = 0x20100b;
const PTWR_PAE = 0x20100c;
const HYPERCALL_V2 = 0x20100d;
const SUBCALL = 0x20200e;

type Words = readonly number[];

/** The first word of a hypercall: its number, and how many words each argument has. */
function op(number: number, ...argumentWords: Words): number {
  return argumentWords.reduce((word, words, i) => word + words * 2 ** (20 + 2 * i), number);
}

/** Records of d1v0, a PV guest. */
function guest(
  records: readonly (readonly [event: number, words?: Words, ...lines: string[]])[],
): Uint8Array {
  const trace = new TraceBuilder().window(0).runstate(1_000, 1, 0, 'runnable', 'running');
  for (const [i, [event, words]] of records.entries()) trace.record(event, 2_000 + 100 * i, words);
  return trace.bytes();
}

/** As Xen 4.17 writes them, and what is to be seen of them. */
const OF_417: readonly (readonly [event: number, words: Words, line: string])[] = [
  [HYPERCALL, [0xc0101010, 23], 'hypercall 17 (iret) eip c0101010'],
  [HYPERCALL | BIT_64, [...u64(0xffff8000_00000001n), 3], 'hypercall  3 (stack_switch) eip ffff800000000001'],
  [HYPERCALL, [0xc0101010, 0x123456], 'hypercall 123456 eip c0101010'],
  [TRAP, [0xc0101010, 14 + 0x8000 + (5 << 16)], 'trap e eip c0101010 ec 5'],
  [TRAP | BIT_64, [...u64(0x7f00_00001234n), 3], 'trap 3 eip 7f0000001234'],
  [PAGE_FAULT, [0x1234, 0, 0xfee], 'page_fault[ 1234 0 fee ]'],
  [MATH_STATE_RESTORE, [], 'math state restore'],
  [PTWR_PAE, [...u64(0x80000001_00000067n), 0x1000, 0x2000], 'ptwr l1e 8000000100000067 eip 2000 addr 1000'],
  [
    PTWR | BIT_64,
    [...u64(7n), ...u64(0xffff8800_00001000n), ...u64(0xffffffff_81000000n)],
    'ptwr l1e 7 eip ffffffff81000000 addr ffff880000001000',
  ],
  [HYPERCALL_V2, [op(17)], 'hypercall 11 (xen_version)'],
  [HYPERCALL_V2, [op(1, 0, 1), 3], 'hypercall  1 (mmu_update) 3 updates'],
  [HYPERCALL_V2, [op(1, 0, 1), 0x80000003], 'hypercall  1 (mmu_update) 3 updates (preempted)'],
  [HYPERCALL_V2, [op(13, 0, 1), 2], 'hypercall  d (multicall) 2 calls'],
  [SUBCALL, [op(20, 1, 0, 1), 5, 8], ' hypercall 14 (grant_table_op) copy 8 ops'],
  [SUBCALL, [op(26, 0, 1), 1], ' hypercall 1a (mmuext_op) 1 ops'],
  [HYPERCALL_V2, [op(24, 1, 1), 8, 2], 'hypercall 18 (vcpu_op) set_singleshot_timer vcpu 2'],
  [HYPERCALL_V2, [op(24, 1, 1), 40, 2], 'hypercall 18 (vcpu_op) unknown (40) vcpu 2'],
  [HYPERCALL_V2, [op(29, 1), 1], 'hypercall 1d (sched_op) block'],
  [HYPERCALL_V2, [op(12, 1, 0, 2), 9, ...u64(12n)], 'hypercall  c (memory_op) 00000009 ?? 0000000000000012'],
  [HYPERCALL_V2, [op(41)], 'hypercall 29'],
  [HYPERCALL_V2, [op(29, 1)], 'hypercall 1d (sched_op) yield'],
];

/** What 4.17 gets wrong, or never saw: its words, the line by default, the line with --compat. */
const OF_OTHERS: readonly (readonly [event: number, words: Words, line: string, in417: string])[] = [
  // The word that follows begins the next record.
  [HYPERCALL, [0xc0101010], ' 201001(20:1:1) 1 [ c0101010 ]', 'hypercall a0201003 eip c0101010'],
  [TRAP, [1, 2, 3], ' 201003(20:1:3) 3 [ 1 2 3 ]', 'trap 2 eip 1'],
  [HYPERCALL_V2, [], ' 20100d(20:1:d) 0 [ ]', 'hypercall 1003'],
];

describe('records of PV guests', () => {
  test('are shown as xenalyze shows them', async () => {
    const lines = await dumpedLines(guest(OF_417), 'd1v0');
    expect(lines).toEqual(OF_417.map(([, , line]) => line));
  });

  test('of unknown layouts are shown as numbers, with --compat as 4.17 reads them', async () => {
    for (const [event, words, line, in417] of OF_OTHERS) {
      const trace = guest([
        [event, words],
        [TRAP, [0, 0]],
      ]);
      expect((await dumpedLines(trace, 'd1v0'))[0]).toBe(line);
      expect((await dumpedLines(trace, 'd1v0', '--compat', '4.17'))[0]).toBe(in417);
    }
  });

  test('of any kind are shown', async () => {
    const records: [number, Words][] = [];
    for (let kind = 15; kind < 256; kind++)
      for (let words = 0; words < 8; words++) records.push([0x201000 + kind, [...Array(words).keys()]]);
    const lines = records.map(([event, words]) => {
      const shown = words.length > 0 ? `[ ${words.map((word) => `${word} `).join('')}]` : '';
      return `PV-${event & 0xff} ${shown}`;
    });
    expect(await dumpedLines(guest(records), 'd1v0')).toEqual(lines);
  });

  test('of Xen 3.2 to 4.2 are read although 4.17 gives up', async () => {
    const trace = guest([[0x20f00b, [0x67, 0x1000, 0x2000]]]);
    expect(await dumpedLines(trace, 'd1v0')).toEqual(['ptwr l1e 67 eip 2000 addr 1000']);
    expect(await linesOf(trace, '-a', '--compat', '4.17')).toContain(
      'Strange: PV_PTWR_EMULATION, but !x64! 20f00b',
    );
  });

  test('are counted by kind, hypercall and trap', async () => {
    const lines = await linesOf(guest(OF_417), '--summary');
    const from = lines.indexOf('PV events:');
    const calls = [
      '    mmu_update                   [ 1]:      2',
      '    stack_switch                 [ 3]:      1',
      '    memory_op                    [12]:      1',
      '    multicall                    [13]:      1',
      '    xen_version                  [17]:      1',
      '    grant_table_op               [20]:      1',
      '    iret                         [23]:      1',
      '    vcpu_op                      [24]:      2',
      '    mmuext_op                    [26]:      1',
      '    sched_op                     [29]:      2',
      // There are no names for so many: this is what lies behind them in xenalyze.
      '    (null)                       [41]:      1',
    ];
    expect(lines.slice(from, lines.indexOf('Emulate eip list'))).toEqual([
      'PV events:',
      '  hypercall  3',
      ...calls,
      '  trap  2',
      '    [3] 1',
      '    [14] 1',
      '  page_fault  1',
      '  math state restore  1',
      '  ptwr  2',
      // Those within multicalls are among them, and come again by themselves.
      '  hypercall  12',
      ...calls,
      '  hypercall (subcall)  2',
    ]);
  });

  describe.skipIf(REAL_XENALYZE === undefined)('with the real xenalyze', () => {
    test.each([['-a'], ['-s']])('%s is the same', async (option) => {
      expect(await differenceOn(guest(OF_417), [option])).toBeUndefined();
    });

    test('arguments of any length and size are the same', async () => {
      const values = [0n, 1n, 10n ** 9n, 10n ** 15n, 10n ** 16n - 1n, 10n ** 16n, 2n ** 64n - 1n];
      const records = values.flatMap((value, i): [number, Words][] => [
        [HYPERCALL_V2, [op(12, 2, 1, 0, 2), ...u64(value), i * 0x1234567, ...u64(value >> 1n)]],
        [SUBCALL, [op(30, 1, 3, 1), i, 1, 2, 3, 4]],
        [HYPERCALL_V2, [op(31), 1, 2]],
        [HYPERCALL_V2, [op(32, 1, 1, 1, 1, 1, 1), 1, 2, 3, 4, 5, 0xfffffff0 + i]],
      ]);
      expect(await differenceOn(guest(records), ['-a'])).toBeUndefined();
    });

    test('an argument that goes on behind the last word is the same, with a time and without', async () => {
      const words = [op(12, 2, 2, 1, 2), 1, 2, 3, 4, 5, 6];
      const trace = new TraceBuilder().window(0).runstate(1_000, 1, 0, 'runnable', 'running');
      for (const tsc of [2_000, 3_000]) {
        trace.record(TRAP, tsc, [1, 2]).untimed(HYPERCALL_V2, words);
        trace.untimed(TRAP, [1, 2]).record(HYPERCALL_V2, tsc + 500, words);
      }
      expect(await differenceOn(trace.bytes(), ['-a'])).toBeUndefined();
    });

    test.each([['-a'], ['-s']])('%s --compat 4.17 is the same for other layouts', async (option) => {
      const others = OF_OTHERS.map(([event, words]) => [event, words] as const);
      const trace = guest([...others, ...OF_417, [0x2010ff], [0x20101f], [0x201002]]);
      expect(await differenceOn(trace, [option], ['--compat', '4.17'])).toBeUndefined();
    });
  });
});
