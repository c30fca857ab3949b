import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import type { XenalyzeOptions } from '../../src/xenalyze/options.ts';
import { parseXenalyzeOptions } from '../../src/xenalyze/parse-options.ts';
import { TextOutput } from '../../src/xenalyze/text-output.ts';
import { REAL_XENALYZE } from './real-xenalyze.ts';

function parse(argv: readonly string[]) {
  const texts = ['', ''];
  const [stdout, stderr] = [0, 1].map(
    (i) =>
      new TextOutput((bytes) => {
        texts[i] += Buffer.from(bytes).toString('latin1');
      }),
  );
  const parsed = parseXenalyzeOptions(argv, stdout, stderr);
  stdout.flush();
  stderr.flush();
  return { parsed, stdout: texts[0], stderr: texts[1] };
}

function optionsOf(...argv: string[]): XenalyzeOptions {
  const { parsed } = parse([...argv, 'trace']);
  if ('exitCode' in parsed) throw new Error(`ended with ${parsed.exitCode}`);
  return parsed.options;
}

const interval = (output: string, mode: string, values: bigint[], cycles: number) => ({
  interval: { output, mode, values, cycles },
});

describe('options of xenalyze', () => {
  const cases: [string[], Partial<Record<keyof XenalyzeOptions, unknown>>][] = [
    [[], { summary: true, summaryInfo: true, dumpAll: false, traceFile: 'trace', sampleMax: 33554432 }],
    [['-a'], { dumpAll: true, summary: false, summaryInfo: false }],
    [['-as'], { dumpAll: true, summary: true }],
    [['--dump-no'], { dumpNoProcessing: true, dumpRawReads: true, summary: false }],
    [['--svm-mode', '-%'], { svmMode: true, reportPcpu: true, summary: false }],
    // 2.4 as a 32-bit float is 2.4000000953..., times 10^9 it is nearest to the multiple 2400000000 of 256.
    [['--cpu-hz=2.4G'], { cpuHz: 2_400_000_000, cpuQhz: 2457 }],
    // 2.3 is 2.2999999523...; 2299999952.3 is nearest to the multiple 2300000000 of 256.
    [['--cpu-hz', '2.3GHz'], { cpuHz: 2_300_000_000 }],
    [['-)', '16777217'], { cpuHz: 16_777_216 }],
    [['--cpu-hz=1500K'], { cpuHz: 1_500_000 }],
    [['--cpu-hz=1500k'], { cpuHz: 1_500_000 }],
    [['--cpu-hz=0x1.8p1M'], { cpuHz: 3_000_000 }],
    [['-#0x10', '-$', '010'], { sampleSize: 16, sampleMax: 8 }],
    [['--sample-max=4294967297'], { sampleMax: 1 }],
    [['--sample-max=-9223372036854775809'], { sampleMax: 0 }],
    [['--mmio-enumeration-skip-vga=2'], { mmioEnumerationSkipVga: false }],
    [['--scatterplot-io=0x3f8'], { scatterplotIo: 0x3f8, summary: false }],
    [['--histogram-interrupt-eip=32'], { histogramInterruptEip: { vector: 32, increment: 0x1000000n } }],
    [['--hist=32,-1'], { histogramInterruptEip: { vector: 32, increment: 2n ** 64n - 1n } }],
    [['--interval-domain-total-time=1,0x2'], interval('domain-total-time', 'array', [1n, 2n], 2_400_000_000)],
    [
      ['-i', '.25', '--interval-cr3-schedule-time-all', '--cpu-hz=1G'],
      { ...interval('cr3-schedule-time', 'list', [], 250_000_000), withCr3Enumeration: true },
    ],
    // What makes the columns stays when another output comes later.
    [
      ['--interval-domain-total-time=1,2', '--interval-domain-short-summary=7'],
      interval('domain-short-summary', 'array', [7n, -1n], 2_400_000_000),
    ],
    [['--compat=4.17'], { compat417: true }],
    [['--compat', '4.17', '--c=1G'], { compat417: true, cpuHz: 1e9 }],
  ];
  for (const [argv, expected] of cases)
    test(argv.join(' ') || 'none', () => expect(optionsOf(...argv)).toMatchObject(expected));

  test('what follows -- is the trace', () => {
    expect(parse(['--', '-a']).parsed).toMatchObject({ options: { traceFile: '-a', dumpAll: false } });
  });

  test('no abbreviation means --compat, and no other version is known', () => {
    expect(parse(['--com=4.17', 'x']).parsed).toEqual({ exitCode: 64 });
    expect(parse(['--compat=4.16', 'x'])).toMatchObject({
      parsed: { exitCode: 64 },
      stderr: expect.stringContaining('knows 4.17 only'),
    });
  });
});

/** Without a trace, or with one that is not there, the real one ends with 1 behind the command line. */
const COMMAND_LINES = `
-a|-|-as|a b|a -s b|-- -a|-aV|-V|-a-|---|--|-s -!|-%|-(|-*|-,|-"|-"1|-#|-#x|-& 3|-$0x|-+3|-+ 9|-+x|-+ -1|-i|-ix|-i 1
--s|--su|--sy|--sy x|--pro|--=x|--with-cr3|--dump-raw-|--dump-raw-re|--summary=3|--interval|--help=3|--usag=3
--tolerance=3|--tolerance=7|--tolerance=-1|--tolerance=x|--tol 0x6 x|--tolerance=3 --bad|-+3 -+4 -+5|--tolerance -- x
--histogram-interrupt-eip=32|--histogram-interrupt-eip=32,|--histogram-interrupt-eip=0x20,-1 f
--histogram-interrupt-eip=-5,077 f g|--histogram-interrupt-eip=099999999999|--histogram-interrupt-eip=x
--histogram-interrupt-eip=99999999999999999999,99999999999999999999|--histogram-interrupt-eip=0x,1
--histogram-interrupt-eip=-99999999999999999999,-99999999999999999999|--histogram-interrupt-eip=4294967297,0xffffffffffffffffff
--interval-domain-short-summary 3,4|--interval-domain-short-summary=3 -i5|--interval-cr3-short-summary=0x12|--interval-cr3-short-summary=zz
--interval-cr3-schedule-time=1,2,|--interval-domain-total-time=0,1 --interval-cr3-short-summary=9
--interval-cr3-short-summary=9 --interval-domain-total-time=0,1|--interval-domain-short-summary=1 --interval-cr3-short-summary=9
--interval-domain-grant-maps=|--cpu-hz=inf|--cpu-hz=.|--cpu-hz=.5|--cpu-hz=0x1p3M|--cpu-hz=2.4Q|--cpu-hz=
`
  .trim()
  .split(/[|\n]/)
  .map((line) => line.split(' '));

describe.skipIf(REAL_XENALYZE === undefined)('the real xenalyze', () => {
  const real = (argv: readonly string[]) => {
    const { stdout, status } = spawnSync(REAL_XENALYZE ?? '', argv, {
      cwd: '/proc/self',
      encoding: 'latin1',
    });
    return { stdout, exitCode: status };
  };

  test('prints the same and ends with the same code for what it cannot use', { timeout: 60_000 }, () => {
    for (const argv of COMMAND_LINES) {
      const { parsed, stdout } = parse(argv);
      expect({ argv, stdout, exitCode: 'exitCode' in parsed ? parsed.exitCode : 1 }).toEqual({
        argv,
        ...real(argv),
      });
    }
    expect(COMMAND_LINES.length).toBeGreaterThan(70);
  });

  test('has the same help, but for --compat', () => {
    const ours = parse(['--help']).stdout.replace(/ {6}--compat.*\n.*\n/, '');
    expect(ours).toBe(real(['--help']).stdout);
  });

  test('has the same usage, but for --compat and where lines end', () => {
    const items = (text: string) => text.replace(/\s+/g, ' ');
    expect(items(parse(['--usage']).stdout.replace(' [--compat=VERSION]', ''))).toBe(
      items(real(['--usage']).stdout),
    );
  });
});
