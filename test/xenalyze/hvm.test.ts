import { describe, expect, test } from 'vitest';
import { TraceBuilder, u64 } from '../support/trace-builder.ts';
import { differenceOn, dumpedLines, linesAndWarningsOf, linesOf } from './guest-classes.ts';
import { REAL_XENALYZE } from './real-xenalyze.ts';
import { recklessExits } from './reckless-exits.ts';

const VMENTRY = 0x81001;
const VMEXIT_64 = 0x81102;
const INJ_VIRQ = 0x82004;
const HLT = 0x82013;
const RIP = u64(0xffffffff_81000010n);

type Words = readonly number[];

/** A record of a handler, as it is shown below the line of its exit. */
type Shown = readonly [event: number, words: Words, line: string];

/** As Xen 4.17 writes them. */
const OF_417: readonly Shown[] = [
  [0x82009, [0, 0x80050033], 'cr_write cr0 val 80050033'],
  [0x82109, [3, ...u64(0x123_45678000n)], 'cr_write cr3 val 12345678000'],
  [0x82109, [3, ...u64(0x123_45678000n)], 'cr_write cr3 val 12345678000 oval 12345678000 flush'],
  [0x82109, [3, ...u64(0x2000n)], 'cr_write cr3 val 2000 oval 12345678000 switch'],
  [0x8200c, [0x1b, ...u64(0x1_fee00900n)], 'msr_read addr 1b val 1fee00900'],
  [0x8200d, [0x80b, 0, 0], 'msr_write addr 80b val 0'],
  [0x8200e, [1, 0, 2, 3, 4, 5], 'cpuid [ 1 0 2 3 4 5 ]'],
  [0x8200f, [0xfb], 'intr vec CALL_FUNCTION(fb)'],
  [0x8200f, [0x31], 'intr vec 31'],
  [0x82012, [24], 'vmcall 18 (vcpu_op)'],
  [0x82012, [11], 'vmcall  b ((null))'],
  [0x82012, [40], 'vmcall 28'],
  [0x82016, [0x64, 0x1c], 'io read port 64 val 1c'],
  [0x82216, [0x80, 0x1], 'io write port 80 val 1'],
  // Many items at once: what follows in the file is shown.
  [0x82216, [0x1f0], 'io write port 1f0 val 80081001'],
  [0x82017, [0xfee00020, 0x7], 'mmio_assist r gpa fee00020 data 7'],
  [0x82317, [...u64(0x38_00001000n), 5, 0], 'mmio_assist w gpa 3800001000 data 5'],
  [0x82117, u64(0x38_00001000n), 'mmio_assist r gpa 3800001000 (no data)'],
  [0x8201a, u64(0x1_00000000n), 'rdtsc 100000000 4294967296 '],
  [0x8201a, u64(0xffffffffn), 'rdtsc ffffffff 4294967295 BACKWARDS'],
  [0x82020, [0x30, 2, 0x40], 'intr_window vec 48 src 2(lapic) intr 40'],
  [0x82020, [0x30, 9, 0xffffffff], 'intr_window vec 48 src 9(?) intr #'],
  [0x82021, [...u64(0xfeb00000n), ...u64(0xabcden), 0x1a7, 4], 'npf gpa feb00000 q 1a7 mfn abcde t 4'],
  [0x82126, [0, 7, 0], 'hvm_handler 3864 [ 0 7 0 ]'],
];

/** Layouts that 4.17 does not know: the line by default, and with --compat. The next word begins a VM entry. */
const OF_OTHERS: readonly (readonly [event: number, words: Words, line: string, in417: string])[] = [
  // Of Xen 3.4 to 4.11.
  [0x82117, [0, 0x38, 5], 'mmio_assist r gpa 3800000000 data 5', 'mmio_assist r gpa 3800000000 (no data)'],
  [0x82012, [], 'vmcall [ ]', 'vmcall 80081001'],
  [0x82109, [3, 0x1000], 'cr_write64 [ 3 1000 ]', 'cr_write cr3 val 8008100100001000'],
  [0x82004, [0x30, 0, 0, 0], 'inj_virq [ 30 0 0 0 ]', 'inj_virq vec 48  real'],
];

/** Each record in an exit of its own, of d1v0. */
function exits(records: readonly (readonly [event: number, words: Words, ...rest: unknown[]])[]): Uint8Array {
  const trace = new TraceBuilder().window(0).runstate(1_000, 1, 0, 'runnable', 'running');
  for (const [i, [event, words]] of records.entries())
    trace
      .record(VMEXIT_64, 10_000 * (i + 1), [30, ...RIP])
      .untimed(event, words)
      .record(VMENTRY, 10_000 * (i + 1) + 500);
  return trace.bytes();
}

const handlerLines = (lines: readonly string[]) =>
  lines.filter((line) => !/^(vmexit|vmentry|runstate_change|vec) /.test(line));

describe('records of HVM guests', () => {
  test('are shown as xenalyze shows them', async () => {
    const lines = handlerLines(await dumpedLines(exits(OF_417), 'd1v0'));
    expect(lines).toEqual(OF_417.map(([, , line]) => line));
  });

  test.each(OF_OTHERS)(
    'of event %x with words %j are not shown as garbage',
    async (event, words, line, in417) => {
      const trace = exits([[event, words]]);
      expect(handlerLines(await dumpedLines(trace, 'd1v0'))).toEqual([line]);
      expect(handlerLines(await dumpedLines(trace, 'd1v0', '--compat', '4.17'))).toEqual([in417]);
    },
  );

  test('of any number are shown, in an exit and outside', async () => {
    const trace = new TraceBuilder().window(0).runstate(1_000, 1, 0, 'runnable', 'running');
    const lines = ['vmexit exit_reason HLT eip ffffffff81000010'];
    const add = (event: number, line: string, shown: Words) => {
      trace.untimed(event, shown);
      lines.push(`${line} [${shown.map((word) => ` ${word}`).join('')} ]`);
    };
    trace.record(VMEXIT_64, 2_000, [12, ...RIP]);
    for (let number = 0x400; number < 0xc00; number++)
      for (let words = 0; words < 8; words++)
        add(0x82000 + number, `hvm_handler ${number & ~0x100}${number & 0x100 ? '64' : ''}`, [
          ...Array(words).keys(),
        ]);
    trace.record(VMENTRY, 3_000);
    lines.push('vmentry cycles 1000 ');
    for (const words of [0, 7]) add(0x82013, 'hlt', [...Array(words).keys()]);
    expect(await dumpedLines(trace.bytes(), 'd1v0')).toEqual(lines);
  });

  test('about an exit that was not seen are marked', async () => {
    const trace = new TraceBuilder()
      .window(0)
      .runstate(1_000, 1, 0, 'runnable', 'running')
      .record(HLT, 2_000, [0])
      .record(VMENTRY, 2_100)
      .record(VMEXIT_64, 3_000, [12, ...RIP])
      .record(HLT, 3_000, [0])
      .record(VMENTRY, 23_000);
    const lines = (await linesOf(trace.bytes(), '-a')).filter((line) => /^[!\]]/.test(line));
    expect(lines.map((line) => line.replace(/ .* d1v0/, ''))).toEqual([
      '! hlt [ 0 ]',
      '! vmentry',
      '] vmexit exit_reason HLT eip ffffffff81000010',
      '] hlt [ 0 ]',
      '] vmentry cycles 20000 !',
    ]);
  });

  test('of AMD processors since Xen 4.19 need no --svm-mode', async () => {
    const trace = new TraceBuilder()
      .window(0)
      .runstate(1_000, 1, 0, 'runnable', 'running')
      .record(0x81103, 2_000, [120, ...RIP])
      .record(HLT, 2_000, [0])
      .record(VMENTRY, 2_500)
      .record(0x81003, 3_000, [100, 0x1000])
      .record(VMENTRY, 3_500)
      .bytes();
    const lines = await dumpedLines(trace, 'd1v0');
    expect(lines.filter((line) => line.startsWith('vmexit'))).toEqual([
      'vmexit exit_reason VMEXIT_HLT eip ffffffff81000010',
      'vmexit exit_reason VMEXIT_VINTR eip 1000',
    ]);
    expect(await linesOf(trace, '-s')).toContain(
      `${' VMEXIT_HLT'.padEnd(22)}       1  0.00s 20.00%   500 cyc {  500|  500|  500}`,
    );
    expect(await linesOf(trace, '-a', '--compat', '4.17')).toContain('Unknown hvm event: 81103');
  });
});

describe('exits are summed up and dumped the same without the quick way:', () => {
  /** Has each record processed by itself; no interrupt has that vector. */
  const SLOWLY = '--scatterplot-extint-cycles=99999';

  /** Returns the summary. */
  async function expectSame(trace: Uint8Array): Promise<string[]> {
    const summary = await linesAndWarningsOf(trace, '-s', '--tolerance=6');
    expect(summary).toEqual(await linesAndWarningsOf(trace, '-s', '--tolerance=6', SLOWLY));
    for (const option of ['-a', '-as'])
      expect(await linesOf(trace, option, '--tolerance=6')).toEqual(
        await linesOf(trace, option, '--tolerance=6', SLOWLY),
      );
    return summary[0];
  }

  const countsIn = (lines: string[]) =>
    lines.flatMap((line) => /^ (HLT|VMEXIT\w*) +(\d+)/.exec(line)?.slice(1) ?? []);

  test('a great many', async () => {
    const trace = new TraceBuilder().window(0).runstate(500, 1, 0, 'runnable', 'running');
    for (let i = 1; i <= 5_000; i++)
      trace.record(VMEXIT_64, i * 1_000, [12, ...RIP]).record(VMENTRY, i * 1_000 + 100);
    expect(countsIn(await expectSame(trace.bytes()))).toEqual(['HLT', '5000']);
  });

  test('those of a second vCPU, of which nothing is new', async () => {
    const trace = new TraceBuilder().window(0);
    for (const [i, vcpu] of [0, 1].entries()) {
      trace.runstate(100_000 * i + 1_000, 1, vcpu, 'runnable', 'running');
      for (const cycles of [9_999, 10_000, 10_001])
        trace
          .record(VMEXIT_64, 100_000 * i + 3 * cycles, [12, ...RIP])
          .untimed(HLT, [0])
          .record(VMENTRY, 100_000 * i + 4 * cycles);
      trace.runstate(100_000 * i + 90_000, 1, vcpu, 'running', 'blocked');
    }
    const bytes = trace.bytes();
    const summary = await expectSame(bytes);
    expect(summary.filter((line) => line === 'Exit reasons:')).toHaveLength(2);
    expect(countsIn(summary)).toEqual(['HLT', '3', 'HLT', '3']);
    const entries = (await dumpedLines(bytes, 'd1v1')).filter((line) => line.startsWith('vmentry'));
    expect(entries).toEqual(['vmentry cycles 9999 ', 'vmentry cycles 10000 ', 'vmentry cycles 10001 !']);
  });

  test('those of a reason that there is none, which count for no other vCPU', async () => {
    const trace = new TraceBuilder().window(0);
    let tsc = 0;
    const after = (cycles: number) => {
      tsc += cycles;
      return tsc;
    };
    for (const vcpu of [0, 1, 2, 3, 0, 1, 2, 3]) {
      trace.runstate(after(1_000), 1, vcpu, 'runnable', 'running');
      trace.record(VMEXIT_64, after(1_000), [12, ...RIP]).record(VMENTRY, after(100));
      // The exit before has not ended when the other one begins.
      trace.record(VMEXIT_64, after(1_000), [12, ...RIP]);
      trace.record(VMEXIT_64, after(100), [0x100c, ...RIP]).record(VMENTRY, after(100));
      trace.runstate(after(1_000), 1, vcpu, 'running', 'runnable');
    }
    const counts = countsIn(await expectSame(trace.bytes()));
    expect(counts).toEqual(Array.from({ length: 4 }, () => ['HLT', '2']).flat());
  });

  test('those that seem to end before they begin', async () => {
    const trace = new TraceBuilder().window(0).runstate(500, 1, 0, 'runnable', 'running');
    for (const cycles of [100, 100, -300, 100])
      trace.record(VMEXIT_64, 10_000, [12, ...RIP]).record(VMENTRY, 10_000 + cycles);
    expect(countsIn(await expectSame(trace.bytes()))).toEqual(['HLT', '3']);
  });

  test.each(Array.from({ length: 12 }, (_, i) => i))('any of them, %i', async (seed) => {
    await expectSame(recklessExits(seed, { svm: seed % 2 === 0, wrongWords: 0.01, wrongReasons: 0.02 }));
  });

  test('those with reasons of two kinds of processors', async () => {
    const trace = new TraceBuilder().window(0);
    let tsc = 0;
    const exit = (event: number, reason: number) =>
      trace.record(event, ++tsc * 1_000, [reason, ...RIP]).record(VMENTRY, tsc * 1_000 + 100);
    trace.runstate(500, 1, 0, 'runnable', 'running');
    for (let i = 0; i < 3; i++) exit(VMEXIT_64, 12);
    trace.runstate(++tsc * 1_000, 1, 0, 'running', 'blocked');
    trace.runstate(++tsc * 1_000, 2, 0, 'runnable', 'running');
    for (let i = 0; i < 3; i++) exit(0x81103, 120);
    trace.runstate(++tsc * 1_000, 2, 0, 'running', 'blocked');
    trace
      .runstate(++tsc * 1_000, 1, 0, 'blocked', 'runnable')
      .runstate(tsc * 1_000, 1, 0, 'runnable', 'running');
    // The first vCPU's processor does not know the second reason.
    for (const reason of [12, 120, 12]) exit(VMEXIT_64, reason);
    expect(countsIn(await expectSame(trace.bytes()))).toEqual(['HLT', '5', 'VMEXIT_HLT', '3']);
  });
});

describe('from wake to halt', () => {
  /** It wakes, is entered with interrupt 0x30, gets 0xef while it runs, and halts. */
  const trace = new TraceBuilder()
    .window(0)
    .runstate(1_000, 1, 0, 'runnable', 'running')
    .record(VMEXIT_64, 2_000, [12, ...RIP])
    .record(HLT, 2_000, [0])
    .runstate(3_000, 1, 0, 'running', 'blocked')
    .runstate(10_000, 1, 0, 'blocked', 'runnable')
    .runstate(11_000, 1, 0, 'runnable', 'running')
    .untimed(INJ_VIRQ, [0x30, 0])
    .record(VMENTRY, 20_000)
    .record(VMEXIT_64, 50_000, [7, ...RIP])
    .untimed(INJ_VIRQ, [0xef, 0])
    .record(VMENTRY, 60_000)
    .record(VMEXIT_64, 100_000, [12, ...RIP])
    .record(HLT, 100_000, [0])
    .runstate(120_000, 1, 0, 'running', 'blocked')
    .bytes();

  test('an interrupt is followed from the entry after it', async () => {
    const lines = await linesOf(trace, '-s');
    const from = lines.indexOf('Guest interrupt counts:');
    expect(lines.slice(from + 1, from + 5)).toEqual([
      '  [ 48] 1',
      '   * wake to halt any  :       1  0.00s 100000 {100000|100000|100000}',
      '  [239] 1',
      '   * intr to halt      :       1  0.00s  60000 { 60000| 60000| 60000}',
    ]);
  });

  test('the time is drawn over the time of the halt', async () => {
    // 119,000 cycles: 1024 ns have 2457 of them, as xenalyze counts.
    expect(await linesOf(trace, '--scatterplot-wake-to-halt')).toEqual(['0.000049595 100000', '']);
  });
});

describe.skipIf(REAL_XENALYZE === undefined)(
  'with the real xenalyze (skipped where it is not installed)',
  () => {
    test.each([['-a'], ['-s']])('%s of what both know is the same', async (option) => {
      expect(await differenceOn(exits(OF_417), [option])).toBeUndefined();
    });

    test.each([['-a'], ['-s']])('%s --compat 4.17 is the same for other layouts', async (option) => {
      expect(await differenceOn(exits(OF_OTHERS), [option], ['--compat=4.17'])).toBeUndefined();
    });

    const options: readonly (readonly string[])[] = [
      ['-a'],
      ['-a', '-s'],
      ['-a', '-s', '--dump-ipi-latency', '--with-cr3-enumeration', '--with-mmio-enumeration'],
      ['-s', '--sample-size=16', '--sample-max=64'],
      ['-s', '--scatterplot-io=0x64', '--mmio-enumeration-skip-vga=0', '--with-mmio-enumeration'],
      ['-s', '--with-interrupt-eip-enumeration=0x31', '--histogram-interrupt-eip=0x31,0x10000000'],
      ['--scatterplot-interrupt-eip=0x31', '--scatterplot-extint-cycles=0x31', '--scatterplot-rdtsc'],
      ['--scatterplot-cr3-switch', '--scatterplot-wake-to-halt', '--scatterplot-vmexit-eip'],
    ];
    test.each(Array.from({ length: 32 }, (_, i) => i))('exits where anything goes: %i', async (seed) => {
      const svm = seed % 3 === 2;
      const chosen = options[seed % options.length];
      const wrongReasons = chosen.includes('-s') ? 0 : 0.02;
      const trace = recklessExits(seed, { svm, wrongWords: seed < 5 ? 0 : 0.02, wrongReasons });
      const argv = [...chosen, '--tolerance=6', ...(svm ? ['--svm-mode'] : [])];
      expect(await differenceOn(trace, argv, ['--compat=4.17'])).toBeUndefined();
    });
  },
);
