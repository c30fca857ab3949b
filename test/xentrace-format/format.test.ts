import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { EventCatalog } from '../../src/format/index.ts';
import { definitionsText, parseRules } from '../../src/xentrace-format/index.ts';
import { runCli, scratchFolder } from '../cli/run-cli.ts';
import { TraceBuilder, vcpuWord } from '../support/trace-builder.ts';
import { REAL, runReal } from './real-xentrace-format.ts';
import { runOurs } from './run-ours.ts';

const SAMPLE = resolve(import.meta.dirname, '../../samples/traces/credit-caps.trace');
const scratch = scratchFolder();
afterAll(() => scratch.remove());

const DEFINITIONS = `# by hand
0 CPU%(cpu)d %(tsc)d (+%(reltsc)8d) unknown 0x%(event)016x [ %(1)x %(2)x %(7)o ]

0x28004\t%(cpu)2d %(reltsc)d wake d%(1)dv%(2)d
163846 overwritten
0500006 %(tsc)d block 100%% %(1)-4d|
0x0020100d op %(1)d
0x0020200e sub %(1)d
0x1f004 irq %(1)d %(2)d %(3)d %(4)d
0x21011 %(1)d %d
0x1f003 -> %(1)d
`;

/** Each kind of line once. */
const TRACE = new TraceBuilder()
  .window(1)
  .record(0x28004, 5000, [3, 1])
  .record(0x28006, 5100, [7, 2])
  .untimed(0x28004, [3, 2])
  .record(0x28004, 5050, [4, 0])
  .window(0)
  .record(0x2f123, 2n ** 64n - 1n, [0xdeadbeef, 1, 0, 0, 0, 0, 8])
  .record(0x20100d, 2n ** 64n - 1n, [0x00500011])
  .record(0x20200e, 2n ** 64n - 1n, [0x00100001])
  .record(0x1f004, 10, [33, 100, 130])
  .record(0x1f004, 20, [49, 100, 110])
  .record(0x21011, 30, [vcpuWord(1, 0)])
  .window(1)
  .record(0x28006, 6000, [0])
  .bytes();

const LINES = `-> 1
 1 0 wake d3v1
5100 block 100% 7   |
 1 0 wake d3v2
TSC stepped backward cpu 1 !  5050 5100
 1 -50 wake d4v0
-> 0
CPU0 18446744073709551615 (+       0) unknown 0x000000000002f123 [ deadbeef 1 10 ]
op 17
sub 1048577
TSC stepped backward cpu 0 !  10 18446744073709551615
irq 33 1 30 30
irq 49 2 40 30
%(1)d %d
{'2': 0, 'event': 135185, 'tsc': 30, '1': 65536, '3': 0, 'reltsc': 10, '5': 0, '4': 0, '7': 0, '6': 0, 'cpu': 0}
-> 1
6000 block 100% 0   |
`;

describe('rules', () => {
  test('are applied record by record, in the order of the file', async () => {
    const { stdout, told } = await runOurs(DEFINITIONS, TRACE, scratch.path('trace'));
    expect(stdout.toString()).toBe(LINES);
    expect(told).toEqual([]);
  });

  test.skipIf('reason' in REAL)('by the real xentrace_format, too', () => {
    writeFileSync(scratch.path('defs'), DEFINITIONS);
    expect(runReal([scratch.path('defs')], TRACE).stdout.toString()).toBe(LINES);
  });

  test('with -c, tsc is in seconds', async () => {
    const trace = new TraceBuilder().window(0).record(0x28004, 5_000_000_000).bytes();
    const definitions = '0x28004 %(tsc)d %(tsc)f %(tsc)s';
    const { stdout } = await runOurs(definitions, trace, scratch.path('trace'), 2000);
    expect(stdout.toString()).toBe('2 2.500000 2.5\n');
  });

  test('without one for an event, and none for all, nothing is printed', async () => {
    const { stdout } = await runOurs('0x28006 x', TRACE, scratch.path('trace'));
    expect(stdout.toString().match(/^(?!TSC stepped).*$/gm)).toEqual(['x', 'x', '']);
  });

  test('longer than any buffer come out whole', async () => {
    const text = 'y'.repeat(300_000);
    const trace = new TraceBuilder().window(0).record(0x28006, 1, [7]).record(0x28006, 2).bytes();
    const { stdout } = await runOurs(`0x28006 ${text}%(1)300000d`, trace, scratch.path('trace'));
    const line = (value: number) => `${text}${String(value).padStart(300_000)}\n`;
    expect(stdout.toString() === line(7) + line(0)).toBe(true);
  });

  test.each([
    ['0x28006', 'defs:1:1: Bad format file'],
    ['# fine\n 0x28006 x', 'defs:2:1: Bad format file'],
    ['wake x', 'defs:1:1: "wake" is no event id'],
    ['0x28006 a\n0x x', 'defs:2:1: "0x" is no event id'],
  ])('that are none get a sentence: %j', (text, sentence) => {
    expect(() => parseRules(text, 'defs')).toThrow(sentence);
  });
});

describe('the definitions that xenscope makes', () => {
  const catalog = EventCatalog.builtIn();
  const rules = parseRules(definitionsText(catalog), 'own');
  const valuesOf = (name: string) => rules.get(catalog.eventByName(name)!.id)?.format.split(name)[1].trim();

  test('have a rule for every event, and one for all others', () => {
    expect(rules.size).toBe(catalog.events.length + 1);
    for (const { id, name } of catalog.events) expect(rules.get(id)?.format).toContain(` ${name}`);
  });

  test.each([
    ['TRC_SCHED_WAKE', '[ dom = %(1)d, vcpu = %(2)d ]'],
    ['TRC_SCHED_RUNSTATE_CHANGE_running_blocked', '[ dom:vcpu = 0x%(1)08x ]'],
    // Parts of unlike size, and 64 bits.
    [
      'TRC_CSCHED2_UPDATE_RUNQ_LOAD',
      '[ runqueue_load = 0x%(2)08x%(1)08x, balanced_load = 0x%(4)08x%(3)08x, ' +
        'shift[8]:runqueue[8]:instant_load[16] = 0x%(5)08x ]',
    ],
    // Of its layouts with 5 and with 6 words the newer one.
    [
      'TRC_RTDS_BUDGET_REPLENISH',
      '[ dom:vcpu = 0x%(1)08x, priority_level = %(2)d, deadline_ns = 0x%(4)08x%(3)08x, budget_ns = 0x%(6)08x%(5)08x ]',
    ],
    ['TRC_TRACE_IRQ', '[ vector = %(1)d, count = %(2)d, cycles = %(3)d, cycles_max = %(4)d ]'],
    ['TRC_SCHED_CTL', ''],
  ])('%s', (name, values) => {
    expect(valuesOf(name)).toBe(values);
  });

  test('know the bits of a hypercall only where they are still there', () => {
    expect(valuesOf('TRC_PV_HYPERCALL_V2')).toMatch(/^\[ op\[20\] = 0x%\(1\)08x,/);
    expect(valuesOf('TRC_PV_HYPERCALL_SUBCALL')).toMatch(/:arg0\[2\]:op\[20\] = 0x%\(1\)08x,/);
  });
});

describe('xenscope format', () => {
  test('takes the trace from standard input or by name, plain or gzip', () => {
    writeFileSync(scratch.path('defs'), DEFINITIONS);
    writeFileSync(scratch.path('run.trace'), TRACE);
    writeFileSync(scratch.path('run.trace.gz'), gzipSync(TRACE));
    const whole = { status: 0, stdout: LINES, stderr: '' };
    expect(runCli(['format', scratch.path('defs'), scratch.path('run.trace')])).toEqual(whole);
    expect(runCli(['format', scratch.path('defs'), scratch.path('run.trace.gz')])).toEqual(whole);
    expect(runCli(['format', scratch.path('defs')], TRACE)).toEqual(whole);
    expect(runCli(['format', scratch.path('defs'), '-'], gzipSync(TRACE))).toEqual(whole);
    const main = resolve(import.meta.dirname, '../../dist/cli/main.js');
    const stdin = openSync(scratch.path('run.trace'), 'r');
    const { stdout, status } = spawnSync(process.execPath, [main, 'format', scratch.path('defs')], {
      stdio: [stdin, 'pipe', 'inherit'],
    });
    closeSync(stdin);
    expect([stdout.toString(), status]).toEqual([LINES, 0]);
  });

  test('prints what comes through a pipe as it comes', async () => {
    const main = resolve(import.meta.dirname, '../../dist/cli/main.js');
    const child = spawn(process.execPath, [main, 'format', '-'], { stdio: ['pipe', 'pipe', 'inherit'] });
    // The pipe stays open, and the last record is not there yet.
    child.stdin.write(TRACE.subarray(0, 40));
    const [first] = await once(child.stdout, 'data');
    expect(first.toString()).toMatch(/^CPU1 {2}0 .*\n.* TRC_SCHED_WAKE .*\n$/);
    child.stdin.end(TRACE.subarray(40));
    const [code] = await once(child, 'exit');
    expect(code).toBe(0);
  });

  test('--sort time prints the records in the order of dump', () => {
    const { stdout, status } = runCli(['format', '-', SAMPLE, '--sort', 'time']);
    expect(status).toBe(0);
    const dumped = runCli(['dump', SAMPLE, '--format', 'json'])
      .stdout.trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const wanted = dumped.map(({ pcpu, tsc, event }) => `CPU${pcpu}  ${tsc ?? 0} ${event}`);
    const lines = stdout.trim().split('\n');
    expect(lines.map((line) => line.replace(/ \(\+ *-?\d+\) {2}(\w+).*/, ' $1'))).toEqual(wanted);
  });

  test('--print-defs prints what is used without DEFS', () => {
    const printed = runCli(['format', '--print-defs']);
    expect(printed.status).toBe(0);
    writeFileSync(scratch.path('own'), printed.stdout);
    const own = runCli(['format', scratch.path('own'), SAMPLE]);
    expect(own.stdout).toBe(runCli(['format', '-', SAMPLE]).stdout);
    expect(own.stdout.length).toBeGreaterThan(100_000);
  });

  test('--formats adds rules', () => {
    const file = resolve(import.meta.dirname, '../../samples/formats/patched-credit.yaml');
    const { stdout } = runCli(['format', '--print-defs', '--formats', file]);
    expect(parseRules(stdout, 'own').size).toBeGreaterThan(EventCatalog.builtIn().events.length + 1);
  });

  test("a layout that --formats gives goes before Xen's, which are younger by their releases or longer", () => {
    const file = scratch.path('short.json');
    const layout = { words: 1, fields: [{ name: 'only', offset: 0, width: 32, doc: 'One word.' }] };
    const event = { id: '0x0002200a', name: 'TRC_CSCHED_RATELIMIT', doc: 'Patched.', layouts: [layout] };
    writeFileSync(file, JSON.stringify({ class: 'credit', events: [event] }));
    const longer = resolve(import.meta.dirname, '../../samples/formats/patched-credit.yaml');
    const ruleWith = (...files: string[]) => {
      const words = files.flatMap((one) => ['--formats', one]);
      return /^0x0002200a .*\[ (.*) \]$/m.exec(runCli(['format', '--print-defs', ...words]).stdout)![1];
    };
    expect(ruleWith()).not.toContain('only');
    expect(ruleWith(file)).toBe('only = %(1)d');
    expect(ruleWith(longer)).toContain('%(3)d');
    expect(ruleWith(longer, file)).toBe('only = %(1)d');
  });

  test('mistakes get a sentence', () => {
    writeFileSync(scratch.path('defs'), '0 x\nwhat');
    const cases: [string[], RegExp][] = [
      [[SAMPLE], /is a trace, not a file of definitions \(.*xenscope format - /],
      [[scratch.path('nothing')], /cannot read .*: there is no such file/],
      [[scratch.path('defs'), SAMPLE], /defs:2:1: Bad format file/],
      [['-', import.meta.filename], /is not a xentrace file/],
      [['-', SAMPLE, '-c', '2.4'], /a whole number of MHz/],
      [['-', SAMPLE, '--sort', 'size'], /time or file/],
      [
        [scratch.path('defs'), SAMPLE, '--formats', 'x'],
        /--formats adds to the definitions that xenscope makes/,
      ],
    ];
    for (const [words, sentence] of cases) {
      const { status, stderr, stdout } = runCli(['format', ...words]);
      expect(stderr).toMatch(sentence);
      expect([status, stdout]).toEqual([2, '']);
    }
  });

  test('a trace that ends too early is told', () => {
    writeFileSync(scratch.path('defs'), DEFINITIONS);
    const { status, stderr, stdout } = runCli(['format', scratch.path('defs')], TRACE.slice(0, -3));
    expect(status).toBe(1);
    expect(stderr).toMatch(/ends in the middle of a record, of which 13 bytes are there/);
    expect(`${stdout}6000 block 100% 0   |\n`).toBe(LINES);
  });
});
