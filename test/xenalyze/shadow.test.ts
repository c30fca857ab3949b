import { describe, expect, test } from 'vitest';
import type { Analyser } from '../../src/xenalyze/analyser.ts';
import { mappedVa, walkGuest } from '../../src/xenalyze/shadow/guest-walk.ts';
import { PageFaults, VA } from '../../src/xenalyze/shadow/page-faults.ts';
import { RECORDED_WORDS } from '../../src/xenalyze/wasm/walk-layout.ts';
import { TraceBuilder, u64 } from '../support/trace-builder.ts';
import { differenceOn, dumpedLines, linesOf } from './guest-classes.ts';
import { REAL_XENALYZE } from './real-xenalyze.ts';

const VMEXIT = 0x81002;
const VMEXIT_64 = 0x81102;
const VMENTRY = 0x81001;
const PF_XEN = 0x82001;
const PF_XEN_64 = 0x82101;

/** Shadow records: the last digit by kind, the third last by levels of page tables. */
const PAE = 0x100;
const LEVELS_4 = 0x200;
const PROPAGATE = 0x40f001;
const FAST_PROPAGATE = 0x40f002;
const FAST_MMIO = 0x40f003;
const MMIO = 0x40f005;
const FIXUP = 0x40f006;
const EMULATE = 0x40f008;
const UNSHADOW_USER = 0x40f009;
const UNSHADOW_EVENT = 0x40f00a;
const WRMAP_BF = 0x40f00c;
const PREALLOC_UNPIN = 0x40f00d;
const RESYNC_FULL = 0x40f00e;
const RESYNC_ONLY = 0x40f00f;

const PROMOTED = 1 << 9;
const WRITABLE_MAPPING = 1 << 10;
const UNSYNC = 1 << 18;

type Words = readonly number[];
type Handler = readonly [event: number, words: Words];

/** Exits of d1v0, an HVM guest, each of 300 cycles, with what Xen recorded meanwhile. */
function guest(exits: readonly (readonly Handler[])[]): Uint8Array {
  const trace = new TraceBuilder().window(0).runstate(1_000, 1, 0, 'runnable', 'running');
  for (const [i, handlers] of exits.entries()) {
    const wide = handlers.some(
      ([event]) => (event & 0xfff00f00) === (0x400000 | LEVELS_4) || event === PF_XEN_64,
    );
    const eip = 0x8000_1000;
    trace.record(wide ? VMEXIT_64 : VMEXIT, 2_000 + 1_000 * i, wide ? [0, eip, 0] : [0, eip]);
    for (const [event, words] of handlers) trace.untimed(event, words);
    trace.record(VMENTRY, 2_300 + 1_000 * i);
  }
  return trace.bytes();
}

/** Dumped lines without those of exits and entries. */
async function faultLines(
  exits: readonly (readonly Handler[])[],
  ...options: readonly string[]
): Promise<string[]> {
  const lines = await dumpedLines(guest(exits), 'd1v0', ...options);
  return lines.filter((line) => !/^vm(exit|entry) /.test(line));
}

const VA_64 = u64(0xfffff6fb_7dbed000n);

/** What xenalyze 4.17 can read, and what is to be seen of it. */
const READABLE: readonly (readonly [event: number, words: Words, line: string])[] = [
  [PROPAGATE, [0x67, 0x1000, 0], 'propagate va 1000 gl1e 67 flags (0)------------'],
  [FAST_MMIO, [0xfee00300], 'fast mmio va fee00300'],
  [MMIO | PAE, [0xfee00300], 'mmio va fee00300'],
  [MMIO | LEVELS_4, VA_64, 'mmio va fffff6fb7dbed000'],
  [FIXUP, [0x67, 0x1000, PROMOTED | WRITABLE_MAPPING], 'fixup va 1000 gl1e 67 flags (600)----Pw------'],
  [
    FIXUP | PAE,
    [...u64(0x80000000_00000067n), 0xc0000008, UNSYNC],
    'fixup:unsync va c0000008 gl1e 8000000000000067 corr 1fff flags (40000)---------u--',
  ],
  [
    EMULATE,
    [0x67, 0x27, 0x1000, 1 + (1 << 29)],
    'emulate va 1000 gl1e       67 wval       27 flags d-----------(1) pt_level 0 corr ffffffffffffffff',
  ],
  [UNSHADOW_USER, [0x12, 0x1000], 'shadow unshadow:user-mode gfn 12 va 1000'],
  [
    UNSHADOW_EVENT | LEVELS_4,
    [...u64(0x12n), ...VA_64],
    'shadow unshadow:evt inj gfn 12 va fffff6fb7dbed000',
  ],
  [
    PF_XEN,
    [0xc0300c00, 3],
    'pf_xen:emulate va c0300c00 ec 3 level 2 corr c03fffff e->pt_index[768 768 768 0 0]',
  ],
  [PF_XEN_64, [...u64(0x1234_5678n), 2], 'pf_xen va 12345678 ec 2 e->pt_index[207 325 145 0 0]'],
];

/** What Xen writes, and xenalyze does not expect. */
const OF_XEN: readonly (readonly [event: number, words: Words, line: string])[] = [
  [FIXUP | LEVELS_4, [...u64(0x67n), ...VA_64, 0], 'fixup va fffff6fb7dbed000 gl1e 67 flags (0)------------'],
  [
    EMULATE | LEVELS_4,
    [...u64(0x67n), ...u64(0x27n), ...VA_64, 0],
    'emulate va fffff6fb7dbed000 gl1e       67 wval       27 flags ------------(0) pt_level 4 corr 7fffffffff',
  ],
  [UNSHADOW_USER | PAE, [...u64(0x12n), 0x1000], 'shadow unshadow:user-mode gfn 12 va 1000'],
  // Since 4.19 with flags.
  [UNSHADOW_USER, [0x12, 0x1000, 0x40], 'shadow unshadow:user-mode gfn 12 va 1000'],
  // Of 32-bit Xen.
  [PREALLOC_UNPIN, [0x12], 'prealloc-unpin gfn 12'],
  [RESYNC_ONLY, [1, 2, 3], ' 40f00f(40:f:f) 3 [ 1 2 3 ]'],
];

/** Exits as they are counted. */
const COUNTED: readonly (readonly Handler[])[] = [
  [
    [FIXUP, [0x67, 0x1000, PROMOTED | WRITABLE_MAPPING]],
    [WRMAP_BF, u64(5)],
  ],
  [
    [RESYNC_FULL, u64(5)],
    [RESYNC_ONLY, u64(6)],
    [RESYNC_ONLY, u64(7)],
    [FIXUP, [0x67, 0x1000, UNSYNC]],
  ],
  [
    [PREALLOC_UNPIN, u64(0x12)],
    [EMULATE, [0x67, 0x27, 0xc0300c00, 0x20]],
  ],
  [[MMIO, [0xfee00300]]],
  [[FAST_PROPAGATE, [1, 2, 3, 4]]],
  [[PF_XEN, [0x80001000, 2]]],
];

describe('records of shadow page tables', () => {
  test('are shown as xenalyze shows them', async () => {
    const lines = await faultLines(
      READABLE.map(([event, words]) => [[event, words]]),
      '--tolerance=6',
    );
    expect(lines).toEqual(READABLE.map(([, , line]) => line));
  });

  test('are read as Xen writes them', async () => {
    const lines = await faultLines(OF_XEN.map(([event, words]) => [[event, words]]));
    expect(lines).toEqual(OF_XEN.map(([, , line]) => line));
  });

  test('with --compat are rejected where 4.17 expects padding', async () => {
    const trace = guest([[[FIXUP | LEVELS_4, [1, 2, 3, 4, 5]]]]);
    expect(await linesOf(trace, '-a', '--compat', '4.17')).toContain(
      'shadow_fixup_process: expected 24 bytes for 4-level guest, got 20!',
    );
  });

  test('outside of an exit are shown as numbers', async () => {
    const trace = new TraceBuilder().window(0).runstate(1_000, 1, 0, 'runnable', 'running');
    trace.untimed(FIXUP | PAE, [1, 2, 3, 4]).untimed(RESYNC_FULL, [5, 0, 6, 7]);
    expect(await linesOf(trace.bytes(), '-a')).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^! .* d1v0 shadow fixup gl 1 \[ 1 2 3 4 \]$/),
        expect.stringMatching(/^! .* d1v0 shadow 14 gl 0 \[ 5 0 6 7 \]$/),
      ]),
    );
  });

  test('tell what the exits were for', async () => {
    const lines = await linesOf(guest(COUNTED), '-s', '--sample-size=0');
    const counts = lines
      .slice(lines.indexOf('   page_fault') + 1, lines.indexOf('Guest interrupt counts:'))
      .map((line) => /^(.*?) +(\d+) +\d+\.\d\ds .* 300 cyc$/.exec(line)?.slice(1).join(': '));
    expect(counts).toEqual([
      '     fast propagate: 1',
      '     mmio: 1',
      '     fixup: 2',
      '      *unsync: 1',
      '        +[max]: 1',
      '      *promote: 1',
      '      *wrmap: 1',
      '      *wrmap-bf: 1',
      '     emulate: 1',
      '      *linmap l2: 1',
      '      *set changed: 1',
      '      *unpin: 1',
      '     fixup|mmio: 1',
      '      *va kernel: 1',
      '      *eip kernel: 1',
    ]);
  });

  describe.skipIf(REAL_XENALYZE === undefined)('with the real xenalyze', () => {
    const exits = [...READABLE.map(([event, words]): Handler[] => [[event, words]]), ...COUNTED];

    test.each([
      [['-a']],
      [['-a', '-s', '--default-guest-paging-levels=3']],
      [['-a', '-s', '--default-guest-paging-levels=300']],
      [['-s', '--with-cr3-enumeration', '--with-mmio-enumeration']],
      [['--scatterplot-unpin-promote']],
    ])('%j is the same', async (options) => {
      expect(await differenceOn(guest(exits), options)).toBeUndefined();
    });

    test.each(OF_XEN)('with --compat 4.17, record %# of Xen is the same', async (event, words) => {
      const trace = guest([...COUNTED, [[event, words]], ...COUNTED]);
      expect(await differenceOn(trace, ['-a'], ['--compat', '4.17'])).toBeUndefined();
    });
  });
});

/** The entry of a page table that maps `va`, in the linear map at `base`: as Windows' own formula has it. */
function entryOf(va: bigint, base: bigint, entryBytes: bigint, pageBits: bigint): bigint {
  return base + (va >> pageBits) * entryBytes;
}

describe('walkGuest()', () => {
  const analyser = { warn: { printf: () => expect.unreachable() } } as unknown as Analyser;

  test.each([
    [2, 0xc0000000n, 4n, 12n, 1],
    [2, 0xc0300000n, 4n, 22n, 2],
    [3, 0xc0000000n, 8n, 12n, 1],
    [4, 0xfffff680_00000000n, 8n, 12n, 1],
    [4, 0xfffff6fb_40000000n, 8n, 21n, 2],
    [4, 0xfffff6fb_7da00000n, 8n, 30n, 3],
    [4, 0xfffff6fb_7dbed000n, 8n, 39n, 4],
  ])('knows what an entry maps: %i levels, linear map at %s', (levels, base, entryBytes, pageBits, level) => {
    for (const va of [0x0040_1000n, 0x7ffe_0000n, 0x1234_5678n]) {
      const fault = new PageFaults(new Uint32Array(RECORDED_WORDS));
      const entry = entryOf(va, base, entryBytes, pageBits);
      fault.set(VA, Number(entry >> 32n), Number(entry & 0xffffffffn));
      walkGuest(analyser, fault, levels);
      expect(fault.level).toBe(level);
      expect(mappedVa(fault)).toBe(va | ((1n << pageBits) - 1n));
    }
  });

  test('takes other addresses for what they are', () => {
    const fault = new PageFaults(new Uint32Array(RECORDED_WORDS));
    fault.set(VA, 0, 0x80001234);
    walkGuest(analyser, fault, 3);
    expect(fault).toMatchObject({ level: 0, indices: [(0x1234 >> 3) & 0x1ff, 1, 0, 2, 0] });
    expect(mappedVa(fault)).toBe(2n ** 64n - 1n);
  });
});
