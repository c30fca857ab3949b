import { spawnSync } from 'node:child_process';
import { chmodSync, lstatSync, openSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { type CliResult, runCli, runShell, scratchFolder } from './run-cli.ts';

const samples = resolve(import.meta.dirname, '../../samples');
const realTrace = `${samples}/traces/credit-caps.trace`;
const scratch = scratchFolder();
afterAll(() => scratch.remove());

function file(name: string, content: string | Uint8Array): string {
  const path = scratch.path(name);
  writeFileSync(path, content);
  return path;
}

/** One clear sentence (or one per mistake) on standard error, no stack, exit code 2. */
function expectRefusal({ status, stdout, stderr }: CliResult, sentence: RegExp): void {
  expect(stderr).toMatch(sentence);
  expect(stderr).not.toMatch(/internal error|^\s+at /m);
  expect(stdout).toBe('');
  expect(status).toBe(2);
}

describe('what is not a trace gets one sentence and exit code 2', () => {
  const verbs = ['info', 'dump', 'analyze'];

  test.each(verbs)('%s of a file that does not exist', (verb) => {
    expectRefusal(runCli([verb, scratch.path('nowhere')]), /nowhere/);
  });

  test.each(verbs)('%s of a folder', (verb) => {
    expectRefusal(runCli([verb, samples]), /samples.*(folder|directory)/);
  });

  test.each(verbs)('%s of a text', (verb) => {
    expectRefusal(
      runCli([verb, file('letter.txt', 'Dear reader, this is no trace.\n'.repeat(20))]),
      /not a xentrace file/,
    );
  });

  test.skipIf(process.getuid?.() === 0)('info of a file that may not be read', () => {
    const path = file('secret.trace', 'x');
    chmodSync(path, 0o000);
    expectRefusal(runCli(['info', path]), /permission/);
  });

  test('decode of a folder, and into a file that is in the way', () => {
    expectRefusal(runCli(['decode', samples, '-o', scratch.path('t')]), /samples.*(folder|directory)/);
    expectRefusal(runCli(['decode', realTrace, '-o', file('in-the-way', '')]), /in-the-way/);
  });

  test.skipIf(process.platform !== 'linux')('decode into a file system that takes no folders ends', () => {
    expectRefusal(runCli(['decode', realTrace, '-o', '/proc/xenscope/tables']), /\/proc\/xenscope/);
  });
});

test.skipIf(process.platform !== 'linux')('too few addresses for WebAssembly are told as that', () => {
  const limited = runShell(`ulimit -v 9000000 && xenscope xenalyze -a ${realTrace}`);
  // V8 needs so many of them until Node 22, later it can do without.
  if (limited.status === 0) expect(limited).toEqual(runCli(['xenalyze', '-a', realTrace]));
  else expectRefusal(limited, /not enough addresses.*ulimit -v/);
});

test('what is read is not overwritten', () => {
  const bytes = readFileSync(realTrace);
  const trace = file('only-copy.trace', bytes);
  const link = scratch.path('link.trace');
  symlinkSync(trace, link);
  for (const words of [
    ['export', trace, '--to', 'ftrace', '-o', link],
    ['report', trace, '-o', trace],
    ['analyze', trace, '--only', 'deadlines', '--job-stats', trace],
  ]) {
    expectRefusal(runCli(words), /is what is read: it would be overwritten/);
  }
  expect(readFileSync(trace).equals(bytes)).toBe(true);
});

test.skipIf(process.platform !== 'linux')('a full disk is told of, however little there is to write', () => {
  for (const words of [`info ${realTrace}`, 'info --help', `dump ${realTrace}`]) {
    const { status, stderr } = runShell(`xenscope ${words} > /dev/full`);
    expect(stderr).toMatch(/^xenscope: .*no space left/);
    expect([stderr.trimEnd().split('\n').length, status]).toEqual([1, 2]);
  }
});

describe.skipIf(process.platform === 'win32')('export writes to what there is', () => {
  test('a named pipe stays one', () => {
    const line = [
      'cd "$(mktemp -d)"; mkfifo pipe; cat pipe | wc -c &',
      `xenscope export ${realTrace} --to ftrace -o pipe && wait && test -p pipe; status=$?`,
      'rm -r "$PWD"; exit $status',
    ].join('\n');
    const { status, stdout } = runShell(line);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^\d{5,}$/m);
  });

  test('a symbolic link stays one', () => {
    const [target, link] = [file('target.ftrace', 'old'), scratch.path('link.ftrace')];
    symlinkSync(target, link);
    expect(runCli(['export', realTrace, '--to', 'ftrace', '-o', link]).status).toBe(0);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readFileSync(target, 'utf8')).toMatch(/^# tracer/);
  });
});

describe('wrong usage gets a sentence and exit code 2', () => {
  test.each([
    [['frobnicate'], /unknown command 'frobnicate'/],
    [['anlyze', 'x'], /Did you mean analyze/],
    [['info', realTrace, '--frmat', 'json'], /unknown option '--frmat'/],
    [['info'], /missing required argument 'trace'/],
    [['info', realTrace, '--cpu-hz', 'fast'], /--cpu-hz.*2\.4G/],
    [['info', realTrace, '--format', 'xml'], /--format.*text/],
    [['analyze', realTrace, '--window', '0'], /--window.*above 0/],
    [['query', realTrace, 'select 1', '--window', '0ms'], /--window.*above 0/],
    [['compare', realTrace, realTrace, '--window', '0'], /--window.*above 0/],
    [['report', realTrace, '-o', '/tmp/unused', '--window', '0'], /--window.*above 0/],
    [['analyze', realTrace, '--weights', '1=0'], /"1=0": a weight is from 1 to 65535/],
    [['analyze', realTrace, '--caps', '1=65536'], /a cap is from 0 to 65535/],
    [
      ['analyze', realTrace, '--job-stats', '-', '-f', 'json'],
      /--job-stats - would mix its lines with the json/,
    ],
    [['analyze', realTrace, '--job-stats', '-', '-f', 'csv'], /give a file instead of -/],
    [['analyze', realTrace, realTrace, '-f', 'csv'], /--format csv is for one trace.*take json/],
    [['analyze', realTrace, realTrace, '--job-stats', '/tmp/unused'], /each would replace .*\/tmp\/unused/],
    [
      ['analyze', realTrace, realTrace, '-f', 'arrow', '-o', '/tmp/unused'],
      /--format arrow is for one trace/,
    ],
    [['analyze', realTrace, '-o', '/tmp/unused'], /--output is a folder for --format arrow/],
    [['decode', realTrace], /-o/],
    [['decode', realTrace, '-o', '-'], /--tables/],
    [['decode', realTrace, '-o', '/tmp/unused', '--tables', 'wait'], /wait/],
    [['record', `${samples}/busy-host.yaml`], /--output/],
    [['record', `${samples}/busy-host.yaml`, '-o', '/tmp/unused', '-c', '9'], /9/],
    [['record', `${samples}/busy-host.yaml`, '-o', '/tmp/unused', '--scheduler', 'fifo'], /fifo/],
  ])('%j', (words, sentence) => {
    const result = runCli(words);
    expect(result.stderr).toMatch(sentence);
    expect(result.stderr).not.toMatch(/internal error|^\s+at /m);
    expect(result.status).toBe(2);
  });
});

test.each([['analyze'], ['report', '-o', scratch.path('p.html')], ['compare', realTrace]])(
  '%s says which of what it was asked for is not there',
  (verb, ...more) => {
    const words = ['--domain', '1,99', '--vcpu', 'd7v0,d1v0,d1v9,d1v9,d[IDLE]v1', '--pcpu', '0,9'];
    const { status, stderr } = runCli([verb!, realTrace, ...more, ...words]);
    const sentence = `xenscope: ${realTrace} tells nothing of domain 99, d7v0, d1v9, pCPU 9\n`;
    expect(stderr).toBe(verb === 'compare' ? sentence.repeat(2) : sentence);
    expect(status).toBe(0);
  },
);

describe('dump says why it says nothing', () => {
  const dump = (...words: string[]) => runCli(['dump', realTrace, ...words]);
  const chosen = `none of the 7,369 records of ${realTrace} is chosen`;

  test.each([
    [['--vcpu', 'd1v9,d9,d1v0', '--pcpu', '0,7'], `tells nothing of d1v9, domain 9, pCPU 7\n`],
    [['--vcpu', 'd9'], `tells nothing of domain 9\nxenscope: ${chosen}\n`],
    [['--event', 'LOST_RECORDS'], chosen],
    [['--from', '1s', '--to', '1000000001ns', '--vcpu', 'd1v0'], chosen],
  ])('%j', (words, sentence) => {
    const { status, stdout, stderr } = dump(...words);
    expect(stderr).toContain(sentence);
    expect(stdout === '').toBe(stderr.includes('is chosen'));
    expect(status).toBe(0);
  });

  test.each([
    [['--from', '60s'], /--from lies behind the end of .*it lasts 2\.99/],
    [['--from', '2s', '--to', '1s'], /--from is not before --to/],
  ])('%j is refused as analyze refuses it', (words, sentence) => expectRefusal(dump(...words), sentence));

  test('nothing is said of what lies behind the lines that were wanted', () => {
    expect(dump('-n', '1', '--vcpu', 'd1v0,d9').stderr).toBe('');
  });
});

test('compare says which domains of --map no trace has', () => {
  const words = ['compare', realTrace, realTrace, '--only', 'runstates', '--map'];
  expect(runCli([...words, '9=1,2=8,3=3']).stderr).toBe(
    `xenscope: --map 9=1: no trace but the first has a domain 9\n` +
      `xenscope: --map 2=8: ${realTrace} has no domain 8\n`,
  );
  expect(runCli([...words, '3=2,2=3']).stderr).toBe('');
});

describe('a mistake in a scenario has its place', () => {
  test('a misspelt key', () => {
    const path = file(
      'bad.yaml',
      'duration: 1s\nhost:\n  pcpus: 1\ndomains:\n  - id: 1\n    wieght: 3\n    vcpus: [{workload: hog}]\n',
    );
    const result = runCli(['record', path, '-o', scratch.path('bad.trace')]);
    expectRefusal(result, /bad\.yaml:6:5: unknown key "wieght".*did you mean "weight"/);
  });

  test('an affinity to a pCPU that does not exist', () => {
    const path = file(
      'pin.yaml',
      'duration: 1s\nhost: {pcpus: 2}\ndomains:\n  - id: 1\n    vcpus:\n      - workload: hog\n        hard: [5]\n',
    );
    expectRefusal(runCli(['record', path, '-o', scratch.path('pin.trace')]), /pin\.yaml:7:\d+: .*5/);
  });
});

describe('a damaged trace yields what can be read, and exit code 1', () => {
  const whole = readFileSync(realTrace);

  function infoOf(name: string, bytes: Uint8Array) {
    const result = runCli(['info', file(name, bytes), '--format', 'json']);
    expect(result.stderr).not.toMatch(/internal error/);
    return { ...result, info: JSON.parse(result.stdout) };
  }
  const { info: sound } = infoOf('sound.trace', whole);

  test('the sound one has no damage', () => {
    expect(sound.records).toBeGreaterThan(7000);
  });

  test('cut between two records', () => {
    const path = file('cut-between.trace', whole.subarray(0, whole.length - 20));
    const { status, stdout } = runCli(['info', path]);
    expect([status, stdout]).toEqual([1, expect.stringMatching(/^trust +The trace was cut short/m)]);
  });

  test('truncated in a record', () => {
    const { status, info } = infoOf('cut.trace', whole.subarray(0, 100_002));
    expect(status).toBe(1);
    expect(info.records).toBeGreaterThan(4000);
    expect(info.records).toBeLessThan(sound.records);
  });

  test('truncated in a window header', () => {
    const { status, info } = infoOf('header.trace', whole.subarray(0, 7));
    expect(status).toBe(1);
    expect(info.records).toBe(0);
  });

  test('a hole in the middle costs the records around it and no more', () => {
    const bytes = new Uint8Array(whole);
    bytes.fill(0xa5, 70_000, 70_400);
    const { status, info } = infoOf('hole.trace', bytes);
    expect(status).toBe(1);
    expect(info.records).toBeGreaterThan(sound.records - 500);
  });

  test('dump and decode tell the damage on standard error', () => {
    const path = file('cut2.trace', whole.subarray(0, 100_002));
    for (const words of [
      ['dump', path],
      ['decode', path, '-o', scratch.path('cut-tables')],
    ]) {
      const { status, stderr, stdout } = runCli(words);
      expect(stderr).toMatch(/xenscope: .*(end|cut|trunc)/);
      expect(stdout.length).toBeGreaterThan(100);
      expect(status).toBe(1);
    }
  });

  test('an empty file is a trace without records', () => {
    const { status, info } = infoOf('empty.trace', new Uint8Array());
    expect(info.records).toBe(0);
    expect(info.diagnostics[0].code).toBe('empty_trace');
    expect(runCli(['analyze', scratch.path('empty.trace')]).stdout).toMatch(/^trust +The trace is empty\. /m);
    expect(status).toBe(1);
  });
});

describe('pipes', () => {
  test.each([['info -'], ['dump -'], ['analyze -'], ['xenalyze -s -'], ['export - --to ftrace -o -']])(
    '%s of a file that standard input is',
    (words) => {
      const redirected = runShell(`xenscope ${words} < ${realTrace}`);
      const named = runShell(`xenscope ${words.replace(/-(?= |$)/, realTrace)}`);
      expect(redirected.status).toBe(0);
      expect(redirected.stderr).toBe(named.stderr);
      expect(redirected.stdout.length).toBe(named.stdout.replace(realTrace, '(standard input)').length);
    },
  );

  const whole = readFileSync(realTrace);

  test.skipIf(process.platform !== 'linux')('standard input that is a gzip file stays open', () => {
    const packed = file('packed.gz', gzipSync(whole));
    const library = JSON.stringify(resolve(import.meta.dirname, '../../dist/index.js'));
    const program = file(
      'open-twice.mjs',
      `import { fstatSync, readdirSync } from 'node:fs';
      import { setTimeout } from 'node:timers/promises';
      import { openTrace } from ${library};
      const opened = () => readdirSync('/proc/self/fd').length;
      (await openTrace('-')).close();
      await setTimeout(50);
      const before = opened();
      (await openTrace(${JSON.stringify(packed)})).close();
      await setTimeout(50);
      console.log(fstatSync(0).isFile(), opened() - before);`,
    );
    const { stdout } = spawnSync(process.execPath, [program], {
      stdio: [openSync(packed, 'r'), 'pipe', 'inherit'],
    });
    expect(String(stdout)).toBe('true 0\n');
  });

  test('standard input and gzip give what the file gives', () => {
    const plain = JSON.parse(runCli(['analyze', realTrace, '--format', 'json']).stdout);
    const piped = JSON.parse(runCli(['analyze', '-', '--format', 'json'], whole).stdout);
    const zipped = JSON.parse(runCli(['analyze', '-', '--format', 'json'], gzipSync(whole)).stdout);
    for (const one of [piped, zipped]) {
      expect({ ...one, trace: { ...one.trace, name: '' } }).toEqual({
        ...plain,
        trace: { ...plain.trace, name: '' },
      });
    }
    expect(plain.waits.length).toBeGreaterThan(0);
  });

  test('a reader that goes away ends the dump quietly', () => {
    const { stdout, stderr } = runShell(`xenscope dump ${realTrace} | head -2`);
    expect(stdout.trim().split('\n')).toHaveLength(2);
    expect(stderr).toBe('');
  });

  test('a recording flows from one process to the other', () => {
    const scenario = `${samples}/busy-host.yaml`;
    const { status, stdout } = runShell(
      `xenscope record ${scenario} -o - -q | xenscope info - --format json`,
    );
    expect(status).toBe(0);
    expect(JSON.parse(stdout).cpu_hz).toBe(1e9);
  });
});
