/** `xenscope top`: blocks of text as they are, keys, and a real (pseudo) terminal that has to be given back. */
import { spawn, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { afterKey, keysOf, SORTS_DEFAULT, type TopState } from '../../src/cli/top-state.ts';
import { TraceBuilder } from '../support/trace-builder.ts';
import { MAIN, runCli, runShell, scratchFolder } from './run-cli.ts';

const trace = resolve(import.meta.dirname, '../../samples/traces/credit-caps.trace');
const bytes = readFileSync(trace);
const scratch = scratchFolder();
afterAll(() => scratch.remove());

function snapshots(stdout: string) {
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

describe('top --batch', () => {
  test('prints a block for each interval, and one at the end', () => {
    const { stdout, stderr, status } = runCli(['top', '--batch', '-i', '1.5s', '-w', '10s'], bytes);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toBe(readFileSync(resolve(import.meta.dirname, 'golden/top-batch.txt'), 'utf8'));
  });

  test('is what happens without a terminal; a pipe, gzip and a file say the same', () => {
    const of = (words: string[], input?: Uint8Array) =>
      snapshots(runCli(['top', ...words, '--format', 'json', '--cpu-hz', '2.5G'], input).stdout);
    const plain = of([], bytes);
    expect(plain).toHaveLength(3);
    expect(plain.map(({ t_ns }) => t_ns).slice(0, 2)).toEqual([1e9, 2e9]);
    expect(of(['-'], gzipSync(bytes))).toEqual(plain);
    expect(of([trace])).toEqual(plain);
    expect(of(['-n', '1'], bytes)).toEqual(plain.slice(0, 1));
  });

  test('since the start, at the end, it has the figures of analyze', () => {
    const [last] = snapshots(runCli(['top', trace, '-w', 'all', '-i', '60s', '--format', 'json']).stdout);
    const analysis = JSON.parse(runCli(['analyze', trace, '--only', 'steal', '--format', 'json']).stdout);
    expect(last.vcpus.map(({ dom, vcpu, ready_ns }: never) => [dom, vcpu, ready_ns])).toEqual(
      analysis.steal.map(({ dom, vcpu, ready_ns }: never) => [dom, vcpu, ready_ns]),
    );
  });

  test('docs/top.md shows what it prints', () => {
    const doc = readFileSync(resolve(import.meta.dirname, '../../docs/top.md'), 'utf8');
    const [, shown] = /```text\n([\s\S]*?)```/.exec(doc)!;
    const { stdout } = runCli(['top', trace, '-w', 'all', '-i', '60s']);
    expect(stdout.replace(trace, 'samples/traces/credit-caps.trace')).toContain(shown!);
  });

  test('a trace of less than a tenth of a second is shown, with its own length', () => {
    const short = new TraceBuilder()
      .window(0)
      .runstate(1000, 1, 0, 'runnable', 'running')
      .runstate(1000 + 57e6, 1, 0, 'running', 'blocked')
      .runstate(1000 + 95e6, 1, 0, 'blocked', 'runnable')
      .bytes();
    const words = ['top', '--cpu-hz', '1G'];
    const [only, ...more] = snapshots(runCli([...words, '-f', 'json'], short).stdout);
    expect(more).toEqual([]);
    expect(only).toMatchObject({ t_ns: 95e6, from_ns: 0, to_ns: 95e6 });
    expect(only.vcpus).toMatchObject([{ dom: 1, run_ns: 57e6, known_ns: 95e6 }]);
    expect(runCli(words, short).stdout).toMatch(/^pCPUs 1, 60\.0 % busy/m);
    expect(runCli(['top'], bytes).stdout).toMatch(/at 3\.0 s, last 992\.\d ms/);
  });

  test('passes over intervals without a record when many are over at once, and says how many', () => {
    const builder = new TraceBuilder().window(0);
    const nightNs = 8 * 3600e9;
    for (const startNs of [1000, 1000 + nightNs]) {
      for (let ns = startNs; ns < startNs + 2e9; ns += 2e8)
        builder.runstate(ns, 1, 0, 'runnable', 'running').runstate(ns + 1e8, 1, 0, 'running', 'runnable');
    }
    const slept = builder.bytes();
    const words = ['top', '--cpu-hz', '1G', '-i', '1s'];
    const blocks = snapshots(runCli([...words, '-f', 'json'], slept).stdout);
    const shownAt = blocks.map(({ t_ns }) => t_ns / 1e9);
    expect(shownAt.slice(0, -1)).toEqual([1, 2, 28_800, 28_801]);
    const { stdout } = runCli(words, slept);
    expect(stdout).toMatch(/^28,797 intervals without a record were passed over\.$/m);
    const since = snapshots(runCli([...words, '-f', 'json', '-w', 'all'], slept).stdout).at(-1);
    expect(since.vcpus[0].known_ns).toBeGreaterThan(nightNs);
    const minute = runCli([...words, '-f', 'json', '-i', '600s'], slept);
    expect(snapshots(minute.stdout)).toHaveLength(49);
  });

  test('an empty trace has no pCPUs, and the exit code says that something is wrong with it', () => {
    const { stdout, status } = runCli(['top'], new Uint8Array());
    expect(stdout).toMatch(/^pCPUs 0, - % busy$/m);
    expect(status).toBe(1);
  });

  test('sorts and filters; csv has a heading once', () => {
    const { stdout } = runCli([
      'top',
      trace,
      '--format',
      'csv',
      '--sort',
      'run',
      '--filter',
      'd0',
      '-i',
      '1s',
    ]);
    const [head, ...rows] = stdout
      .trim()
      .split('\r\n')
      .map((line) => line.split(','));
    expect(head!.slice(0, 4)).toEqual(['t_ns', 'from_ns', 'dom', 'vcpu']);
    expect(rows).toHaveLength(6);
    expect(new Set(rows.map(([, , dom]) => dom))).toEqual(new Set(['0']));
    const runs = rows.map((row) => Number(row[head!.indexOf('run_ns')]));
    for (const at of [0, 2, 4]) expect(runs[at]).toBeGreaterThan(runs[at + 1]!);
  });

  test.each([
    [['top', '/nowhere'], /there is no file \/nowhere/],
    [['top', '/nowhere', '--follow'], /there is no file \/nowhere/],
    [['top', '-', '--replay', '2'], /--replay is for files/],
    [['top', trace, '--sort', 'beauty'], /no column "beauty" of vcpus .*ready/],
    [['top', trace, '--interval', '150ms'], /tenths of a second/],
    [['top', trace, '--replay', '0'], /above 0/],
    [['top', trace, '--replay', '1', '--follow'], /either followed or replayed/],
  ])('%j gets a sentence', (words, sentence) => {
    const { status, stderr } = runCli(words, new Uint8Array());
    expect(stderr).toMatch(sentence);
    expect(status).toBe(2);
  });

  test('what is no trace, and a damaged one', () => {
    const text = runCli(['top'], new TextEncoder().encode('no trace at all\n'.repeat(9)));
    expect([text.status, text.stdout]).toEqual([2, '']);
    expect(text.stderr).toMatch(/not a xentrace file/);
    expect(runCli(['top', '-f', 'json'], bytes.subarray(0, 100_002)).status).toBe(1);
  });

  test('a reader that goes away ends it quietly', () => {
    const { stdout, stderr } = runShell(`xenscope top ${trace} -i 100ms | head -2`);
    expect(stdout.trim().split('\n')).toHaveLength(2);
    expect(stderr).toBe('');
  });
});

describe('a source that is still growing', () => {
  test('--follow shows what has come, and ends when enough has', async () => {
    const path = scratch.path('growing.trace');
    writeFileSync(path, bytes.subarray(0, 70_000));
    const top = spawn(process.execPath, [MAIN, 'top', path, '--follow', '-f', 'json', '-n', '2']);
    let out = '';
    top.stdout.on('data', (piece) => {
      // The first block comes of what is there; only then more is written, in two pieces of no particular size.
      if (out === '') {
        appendFileSync(path, bytes.subarray(70_000, 100_001));
        setTimeout(() => appendFileSync(path, bytes.subarray(100_001)), 300);
      }
      out += piece;
    });
    const status = await new Promise((done) => top.on('close', done));
    expect(status).toBe(0);
    expect(snapshots(out).map(({ t_ns }) => t_ns)).toEqual([1e9, 2e9]);
  });

  test.each([
    ['rewritten', (path: string, other: Uint8Array) => writeFileSync(path, other)],
    [
      'replaced',
      (path: string, other: Uint8Array) => {
        writeFileSync(`${path}.new`, other);
        renameSync(`${path}.new`, path);
      },
    ],
    [
      'rewritten',
      (path: string, other: Uint8Array) => {
        truncateSync(path);
        setTimeout(() => appendFileSync(path, other), 300);
      },
    ],
  ])('--follow begins anew when the file is %s', async (what, rewrite) => {
    const other = scratch.path('other.trace');
    runCli(['record', resolve(trace, '../../busy-host.yaml'), '-q', '-o', other]);
    const path = scratch.path('followed.trace');
    writeFileSync(path, bytes.subarray(0, windowEnd(bytes, 1.2e9 * 2.5)));
    const top = spawn(process.execPath, [MAIN, 'top', path, '--follow', '-f', 'json', '-n', '3']);
    let [out, errors] = ['', ''];
    top.stderr.on('data', (piece) => {
      errors += piece;
    });
    top.stdout.on('data', (piece) => {
      if (out === '') rewrite(path, readFileSync(other));
      out += piece;
    });
    const status = await new Promise((done) => top.on('close', done));
    expect(status).toBe(0);
    expect(errors).toBe(`xenscope: ${path} was ${what}: it is shown from its start again\n`);
    const [first, rest, anew] = snapshots(out);
    expect(rest.t_ns).toBeGreaterThan(first.t_ns);
    expect(anew.t_ns).toBe(1e9);
    expect(anew.vcpus.map(({ dom, vcpu }: never) => `d${dom}v${vcpu}`)).toEqual([
      'd1v0',
      'd1v1',
      'd2v0',
      'd2v1',
      'd3v0',
      'd4v0',
    ]);
  });

  test('what was wrong with a file is told when another takes its place, and is in the exit code', async () => {
    const path = scratch.path('damaged.trace');
    writeFileSync(path, bytes.subarray(0, 70_002));
    const top = spawn(process.execPath, [MAIN, 'top', path, '--follow', '-f', 'json', '-n', '3']);
    let [out, errors] = ['', ''];
    top.stderr.on('data', (piece) => {
      errors += piece;
    });
    top.stdout.on('data', (piece) => {
      if (out === '') {
        writeFileSync(`${path}.new`, bytes);
        renameSync(`${path}.new`, path);
      }
      out += piece;
    });
    const status = await new Promise((done) => top.on('close', done));
    const told = errors.trim().split('\n');
    expect(told).toEqual([
      expect.stringMatching(/The file ends within a window of pCPU \d: \d+ of its \d+ bytes are missing/),
      expect.stringMatching(/The file ends within a record/),
      `xenscope: ${path} was replaced: it is shown from its start again`,
    ]);
    expect(status).toBe(1);
    expect(snapshots(out).at(-1).t_ns).toBe(1e9);
  });

  const unreadable: [string, (path: string) => void, RegExp][] = [
    [
      'is gone again',
      (path) => {
        truncateSync(path);
        rmSync(path);
      },
      /there is no file \S+; one that can be read is waited for/,
    ],
    [
      'is a directory',
      (path) => {
        rmSync(path);
        mkdirSync(path);
      },
      /is a directory, not a trace file; one that can be read is waited for/,
    ],
    [
      'may not be read',
      (path) => {
        writeFileSync(`${path}.new`, bytes);
        chmodSync(`${path}.new`, 0);
        renameSync(`${path}.new`, path);
      },
      /no permission to read .*; one that can be read is waited for/,
    ],
  ];
  // Nothing is forbidden to root.
  const seen = unreadable.filter(([what]) => what !== 'may not be read' || process.getuid?.() !== 0);

  test.each(seen)('--follow goes on waiting where what takes the place %s', async (_, spoil, sentence) => {
    const path = scratch.path('spoilt.trace');
    writeFileSync(path, bytes.subarray(0, windowEnd(bytes, 1.2e9 * 2.5)));
    const top = spawn(process.execPath, [MAIN, 'top', path, '--follow', '-f', 'json', '-n', '4']);
    let [out, errors] = ['', ''];
    const mend = () => {
      writeFileSync(`${path}.new`, bytes);
      rmSync(path, { recursive: true, force: true });
      renameSync(`${path}.new`, path);
    };
    top.stderr.on('data', (piece) => {
      // Long enough to say it several times.
      if (errors === '') setTimeout(mend, 500);
      errors += piece;
    });
    top.stdout.on('data', (piece) => {
      if (out === '') spoil(path);
      out += piece;
    });
    const status = await new Promise((done) => top.on('close', done));
    expect(errors.trim().split('\n')).toEqual([
      expect.stringMatching(sentence),
      expect.stringMatching(/was re(placed|written): it is shown from its start again$/),
    ]);
    expect(status).toBe(0);
    expect(snapshots(out).map(({ t_ns }) => t_ns)).toEqual([1e9, expect.any(Number), 1e9, 2e9]);
  });

  test.each([
    ['a text', 'no trace at all\n'.repeat(9)],
    ['a word', 'no\n'],
    ['a gzip file of something else', gzipSync('no trace at all\n'.repeat(9))],
  ])('--follow refuses %s although it may still grow', (_, content) => {
    const path = scratch.path('other.txt');
    writeFileSync(path, content);
    const words = [MAIN, 'top', path, '--follow'];
    const { status, stdout, stderr } = spawnSync(process.execPath, words, {
      encoding: 'utf8',
      timeout: 10_000,
    });
    expect(stderr).toMatch(/other\.txt is not a xentrace file: it starts with 6e 6f/);
    expect([status, stdout]).toEqual([2, '']);
  });

  test('a pipe with something else is refused while it is open', () => {
    const { status, stderr } = runShell('(echo no trace at all; sleep 5) | timeout 4 xenscope top');
    expect(stderr).toMatch(/not a xentrace file/);
    expect(status).toBe(2);
  });

  test.each([
    ['plain', (whole: Uint8Array) => whole],
    ['gzip', (whole: Uint8Array) => gzipSync(whole)],
  ])('--follow waits for more of a trace of which little is there, %s', async (_, pack) => {
    const path = scratch.path('short.trace');
    const packed = pack(bytes);
    writeFileSync(path, packed.subarray(0, 1));
    const top = spawn(process.execPath, [MAIN, 'top', path, '--follow', '-f', 'json', '-n', '1']);
    setTimeout(() => appendFileSync(path, packed.subarray(1, 3)), 1000);
    setTimeout(() => appendFileSync(path, packed.subarray(3)), 3000);
    let errors = '';
    top.stderr.on('data', (piece) => {
      errors += piece;
    });
    const status = await new Promise((done) => top.on('close', done));
    expect([status, errors]).toEqual([0, '']);
  });

  test('a stream that falls silent is shown without waiting for more', async () => {
    const top = spawn(process.execPath, [MAIN, 'top', '-f', 'json', '-n', '1', '--cpu-hz', '2.5G']);
    // Not even two sweeps, so that only the silence tells that nothing is to come.
    const windows = bytes.subarray(0, windowEnd(bytes, 1.2e9 * 2.5));
    top.stdin.write(windows);
    let out = '';
    top.stdout.on('data', (piece) => {
      out += piece;
    });
    await new Promise((done) => top.on('close', done));
    top.stdin.destroy();
    expect(snapshots(out)[0].t_ns).toBe(1e9);
  });
});

/** Where the first window ends that reaches a TSC so many ticks after the first one. */
function windowEnd(trace: Uint8Array, ticks: number): number {
  const view = new DataView(trace.buffer, trace.byteOffset);
  const tscOf = (at: number) => view.getUint32(at + 8, true) * 2 ** 32 + view.getUint32(at + 4, true);
  const start = tscOf(12);
  for (let at = 0; ; at += 12 + view.getUint32(at + 8, true)) {
    const end = at + 12 + view.getUint32(at + 8, true);
    if (end >= trace.length || tscOf(end + 12) - start > ticks) return end;
  }
}

describe('keys', () => {
  const start: TopState = {
    view: 'vcpus',
    sorts: SORTS_DEFAULT,
    reverse: false,
    filter: '',
    window: '1s',
    paused: false,
    help: false,
    skip: 0,
    typing: undefined,
  };
  const press = (input: string, state: TopState | undefined = start) =>
    keysOf(input).reduce<TopState | undefined>((now, key) => now && afterKey(now, key, 10), state);

  test('change what is looked at', () => {
    expect(press('d')).toMatchObject({ view: 'domains' });
    expect(press('ddd')).toEqual(start);
    expect(press('www')).toEqual(start);
    expect(press('ww')).toMatchObject({ window: 'all' });
    expect(press('ss')!.sorts).toMatchObject({ vcpus: 'throttled', pcpus: 'name' });
    expect(press('rp?')).toMatchObject({ reverse: true, paused: true, help: true });
    expect(press('\x1b[B\x1b[B\x1b[A')).toMatchObject({ skip: 1 });
    expect(press('\x1b[6~')).toMatchObject({ skip: 10 });
    expect(press('\x1b[A')).toMatchObject({ skip: 0 });
    expect(press('x\x1b[99~')).toEqual(start);
  });

  test('are letters while a filter is typed', () => {
    expect(press('/dq')).toMatchObject({ typing: 'dq', filter: '' });
    expect(press('/d12\x7f\r')).toMatchObject({ typing: undefined, filter: 'd1' });
    expect(press('/d1\r/d2\x1b')).toMatchObject({ typing: undefined, filter: 'd1' });
    expect(press('/d1\r/\r')).toEqual(start);
  });

  test('quit', () => {
    for (const key of ['q', '\x03', '\x04']) expect(press(key)).toBeUndefined();
    expect(press('/d\x03')).toBeUndefined();
  });
});

const python = spawnSync('python3', ['-c', 'import pty, os; os.waitstatus_to_exitcode']).status === 0;

describe.skipIf(!python)('on a terminal (skipped where there is no python3 to make one)', () => {
  const ENTERED = '\x1b[?1049h';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal takes for colours and clearing
  const CODES = /\x1b\[[0-9;]*[mKJ]/g;
  const LEFT = '\x1b[?25h\x1b[?1049l';

  function onTerminal(keys: [string, string][], command: string[], env: NodeJS.ProcessEnv = {}) {
    const script = resolve(import.meta.dirname, 'pseudo-terminal.py');
    // An environment of its own, because Node takes a terminal for one without colours where CI, for instance, is set.
    const { stdout, status } = spawnSync('python3', [script, '90x20', JSON.stringify(keys), ...command], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, TERM: 'xterm-256color', ...env },
    });
    return { stdout, status, frames: stdout.split('\x1b[H') };
  }
  const top = [process.execPath, MAIN, 'top'];

  test('shows the end of a trace, obeys keys, and gives the screen back', () => {
    const { stdout, status, frames } = onTerminal(
      [
        ['end of the trace', 'd'],
        ['DOM', 'w'],
        ['window 1s', '/d4\r'],
        ['only d4', 'q'],
      ],
      [...top, trace],
    );
    expect(status).toBe(0);
    expect(stdout.startsWith(ENTERED)).toBe(true);
    expect(stdout.trimEnd().endsWith(LEFT)).toBe(true);
    const last = frames.at(-1)!;
    expect(last).toMatch(/^d4 /m);
    expect(last).not.toMatch(/^d1 /m);
    for (const frame of frames.slice(1)) {
      const lines = frame.split('\x1b[?')[0]!.split(/\r+\n/);
      expect(lines).toHaveLength(20);
      for (const line of lines) expect(line.replace(CODES, '').length).toBeLessThanOrEqual(90);
    }
    expect(stdout).toContain('\x1b[31m');
  });

  test('takes keys from the terminal while standard input is the trace; NO_COLOR is obeyed', () => {
    const line = `(cat "${trace}"; sleep 4) | "${process.execPath}" "${MAIN}" top`;
    const { stdout, status } = onTerminal([['d1v0', 'q']], ['bash', '-c', line], { NO_COLOR: '1' });
    expect(status).toBe(0);
    expect(stdout).toContain(LEFT);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours
    expect(stdout).not.toMatch(/\x1b\[[0-9;]*m/);
  });

  test.each([
    ['[SIGTERM]', 143],
    ['\x03', 0],
    ['[SIGHUP]', 129],
  ])('gives the screen back on %j', (key, code) => {
    const { stdout, status } = onTerminal([['d1v0', key]], [...top, trace, '--replay', '3', '-i', '100ms']);
    expect(stdout).toContain(LEFT);
    expect(status).toBe(code);
  });

  test('a mistake is told on the terminal as it was', () => {
    const { stdout, status } = onTerminal([], [...top]);
    expect(stdout).toMatch(/standard input is a terminal, not a trace/);
    expect(stdout).not.toContain(ENTERED);
    expect(status).toBe(2);
  });
});
