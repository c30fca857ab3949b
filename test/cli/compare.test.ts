import { execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { tableFromIPC } from 'apache-arrow';
import { afterAll, describe, expect, test } from 'vitest';
import { MAIN, runCli, scratchFolder } from './run-cli.ts';

const root = resolve(import.meta.dirname, '../..');
const realTrace = `${root}/samples/traces/credit-caps.trace`;
const scratch = scratchFolder();
afterAll(() => scratch.remove());

function file(name: string, content: string): string {
  const path = scratch.path(name);
  writeFileSync(path, content);
  return path;
}

/** Two hogs keep a pCPU busy, and a vCPU wakes at random. */
const RANDOM = `
name: hogs and a waker
duration: 300ms
host: {pcpus: 1}
domains:
  - {name: hogs, vcpus: [hog, hog]}
  - {name: waker, vcpus: [{workload: {duty: {run: exponential(500us), sleep: exponential(3ms)}}}]}
`;
const FIXED = RANDOM.replace('exponential(500us)', '500us').replace('exponential(3ms)', '3ms');

interface Row {
  readonly table: string;
  readonly dom: number | null;
  readonly row: string;
  readonly metric: string;
  readonly verdict: string;
  readonly change: string;
  readonly seeds: number;
  readonly ratio: number | null;
  readonly difference: number | null;
  readonly baseline_value: number | null;
  readonly value: number | null;
}

function rowsOf(json: string): Row[] {
  return JSON.parse(json).comparison;
}

describe('compare of scenarios', () => {
  const random = file('random.yaml', RANDOM);
  const words = (results: string, ...more: string[]) => [
    'compare',
    random,
    '--schedulers',
    'credit,credit2',
    '--seeds',
    '10',
    '--results',
    scratch.path(results),
    ...more,
  ];

  test('what is known to differ is told: under credit a waker that has lost BOOST waits for slices of 30 ms', () => {
    const { status, stdout, stderr } = runCli(words('one', '-f', 'json'));
    expect(status).toBe(0);
    expect(stderr).toMatch(/20 runs in/);
    const rows = rowsOf(stdout);
    const of = (table: string, dom: number, metric: string, row = '') =>
      rows.find(
        (each) => each.table === table && each.dom === dom && each.metric === metric && each.row === row,
      )!;
    const longest = of('waits_by_domain', 2, 'wait_ns_max', 'cause=wake');
    expect(longest).toMatchObject({ verdict: 'lower', seeds: 10 });
    const shares = of('runstates_by_domain', 1, 'pcpu_share');
    expect(['lower', 'higher', 'equal', 'unclear']).toContain(shares.verdict);
    expect(rows.every(({ seeds }) => seeds <= 10)).toBe(true);
  });

  test('one worker or two, the bytes are the same; a second call simulates nothing', () => {
    const one = runCli(words('one', '-j', '1'));
    const two = runCli(words('two', '-j', '2'));
    expect(two.stdout).toBe(one.stdout);
    expect(one.stdout).toMatch(/credit2 against credit/);
    expect(one.stdout).toMatch(/No difference that 10 seeds can show|Equal within|seeds: (better|worse)/);
    const again = runCli(words('one'));
    expect(again.stdout).toBe(one.stdout);
    expect(again.stderr).toMatch(/20 runs in .*, 20 of which were there/);
  });

  test('what was interrupted goes on where it was, and ends the same', async () => {
    const long = ['--duration', '1s', '--seeds', '8'];
    const reference = runCli(words('whole', ...long));
    const folder = scratch.path('interrupted');
    const child = spawn(process.execPath, [MAIN, ...words('interrupted', ...long, '-j', '1')]);
    let stderr = '';
    child.stderr.on('data', (data) => {
      stderr += data;
    });
    const ended = new Promise<number | null>((done) => child.on('exit', done));
    const results = () => {
      try {
        return readdirSync(folder).filter((name) => name.endsWith('.json'));
      } catch {
        return [];
      }
    };
    while (results().length < 3 && child.exitCode === null) await new Promise((next) => setTimeout(next, 5));
    child.kill('SIGINT');
    expect(await ended).toBe(130);
    expect(stderr).toMatch(/interrupted: \d+ of 16 runs are in .*the same command goes on from there/);
    const before = results();
    expect(before.length).toBeLessThan(16);
    const times = before.map((name) => statSync(`${folder}/${name}`).mtimeMs);
    const resumed = runCli(words('interrupted', ...long));
    expect(resumed.stderr).toMatch(new RegExp(`16 runs in .*, ${before.length} of which were there`));
    expect(resumed.stdout).toBe(reference.stdout);
    expect(before.map((name) => statSync(`${folder}/${name}`).mtimeMs)).toEqual(times);
  });

  test('a result that was cut short is made again', () => {
    const whole = runCli(words('two'));
    const folder = scratch.path('two');
    const [first] = readdirSync(folder);
    const text = readFileSync(`${folder}/${first}`, 'utf8');
    writeFileSync(`${folder}/${first}`, text.slice(0, text.length / 2));
    const again = runCli(words('two'));
    expect(again.stderr).toMatch(/20 runs in .*, 19 of which were there/);
    expect(again.stdout).toBe(whole.stdout);
    expect(readFileSync(`${folder}/${first}`, 'utf8')).toBe(text);
  });

  test('traces are kept on request, and are those that record makes', () => {
    const traces = scratch.path('traces');
    runCli(words('kept', '--keep', traces, '--seeds', '2'));
    const names = readdirSync(traces).sort();
    expect(names).toHaveLength(4);
    const second = names.find((name) => name.startsWith('credit2-seed2-'))!;
    const recorded = scratch.path('recorded.trace');
    runCli(['record', random, '--scheduler', 'credit2', '--seed', '2', '-o', recorded, '-q']);
    expect(readFileSync(`${traces}/${second}`).equals(readFileSync(recorded))).toBe(true);
  });

  test('a scenario that draws nothing at random is recognised: one run says all', () => {
    const fixed = file('fixed.yaml', FIXED);
    const { stdout } = runCli(['compare', fixed, '--set', 'short: sched_credit_tslice_ms=5', '--seeds', '3']);
    expect(stdout).toMatch(/draws nothing at random: all seeds give the same figures, and one run says all/);
    expect(stdout).not.toMatch(/\d seeds:|95 %/);
  });

  test('few seeds are told to be too few, and show nothing', () => {
    const { stdout } = runCli(words('one', '--seeds', '4'));
    expect(stdout).toMatch(/Too few seeds.*take at\s+least \d+/s);
    expect(stdout).not.toMatch(/seeds: (better|worse)/);
  });

  test('sets of parameters, with their own names; what would run the same is left out', () => {
    const set = ['--set', 'heavy: waker.weight=1024', '--set', 'slices: sched_credit_tslice_ms=5'];
    const base = ['compare', random, '--schedulers', 'credit,credit2', ...set, '--seeds', '1'];
    const { stdout, stderr, status } = runCli([...base, '-f', 'json', '--results', scratch.path('sets')]);
    expect(status).toBe(0);
    const names = JSON.parse(stdout).variants.map(({ name }: { name: string }) => name);
    expect(names).toEqual(['credit', 'credit heavy', 'credit slices', 'credit2', 'credit2 heavy']);
    expect(stderr).toMatch(/credit2 slices runs the same as credit2: left out/);
  });

  test('Arrow and CSV have every figure', () => {
    const json = rowsOf(runCli(words('one', '-f', 'json')).stdout);
    const csv = runCli(words('one', '-f', 'csv'))
      .stdout.trimEnd()
      .split('\r\n');
    expect(csv).toHaveLength(json.length + 1);
    const table = tableFromIPC(execFileSync(process.execPath, [MAIN, ...words('one', '-f', 'arrow')]));
    expect(table.numRows).toBe(json.length);
    expect(table.getChild('verdict')?.get(0)).toBe(json[0].verdict);
  });

  test.each([
    [['--schedulers', 'credit,credti'], /unknown scheduler "credti", did you mean "credit"/],
    [['--set', 'x: waker.wieght=1'], /--set "x": .*did you mean "weight"/],
    [['--set', 'x: waker.weight=0'], /--set "x": "weight" is 0, expected a whole number from 1 to 65535/],
    [['--set', 'x'], /should look like key=value/],
    [['--set', 'x: seed=4'], /the seeds are those of --seeds/],
    [[], /one variant only, and nothing to compare it with/],
    [
      ['--schedulers', 'credit,credit2', '--baseline', 'credit3'],
      /no variant "credit3".*did you mean "credit/,
    ],
    [['--schedulers', 'credit,credit2', '--seeds', '0'], /expected a number of seeds/],
    [['--schedulers', 'credit,credit2', '--map', '1=2'], /--map is for traces/],
    [['--schedulers', 'credit,credit2', '--only', 'wait'], /"wait" is no pass; did you mean "waits"/],
    [['--schedulers', 'credit,credit2', '--from', '9s'], /--from lies behind the end/],
    [[realTrace], /a trace cannot be compared with a scenario/],
  ])('what is wrong is told in a sentence: %j', (more, sentence) => {
    const { status, stderr, stdout } = runCli([
      'compare',
      random,
      ...more,
      '--results',
      scratch.path('wrong'),
    ]);
    expect(stderr).toMatch(sentence);
    expect(stderr).not.toMatch(/internal error|^\s+at /m);
    expect(stdout).toBe('');
    expect(status).toBe(2);
  });
});

test('a vCPU and a pCPU that the scenario has not are told', () => {
  const words = ['--schedulers', 'credit,credit2', '--seeds', '1', '--results', scratch.path('unknown')];
  const selection = ['--vcpu', 'd1v0,d2v7', '--pcpu', '0,3'];
  const { stderr } = runCli(['compare', file('known.yaml', FIXED), ...words, ...selection]);
  expect(stderr).toMatch(/known\.yaml tells nothing of d2v7, pCPU 3\n/);
});

describe('compare of traces', () => {
  const record = (name: string, text: string, ...more: string[]) => {
    const path = scratch.path(name);
    runCli(['record', file(`${name}.yaml`, text), '-o', path, '-q', ...more]);
    return path;
  };

  test('of a trace with itself says "same" everywhere', () => {
    const { status, stdout } = runCli(['compare', realTrace, realTrace, '-f', 'json']);
    expect(status).toBe(0);
    const rows = rowsOf(stdout);
    expect(rows.length).toBeGreaterThan(100);
    for (const { change, difference, ratio, value } of rows) {
      expect(change).toBe(value === null ? 'unknown' : 'same');
      expect(difference).toBe(value === null ? null : 0);
      expect([1, null]).toContain(ratio);
    }
    const text = runCli(['compare', realTrace, realTrace]).stdout;
    expect(text).toMatch(/All [\d,]+ figures that both have are the same/);
    expect(text).toMatch(/what differs may be chance/);
    expect(text).not.toMatch(/better|worse|significan/);
  });

  test('differences are those of the two analyses', () => {
    const a = record('a.trace', FIXED);
    const b = record('b.trace', FIXED, '--scheduler', 'credit2');
    const rows = rowsOf(runCli(['compare', a, b, '-f', 'json']).stdout);
    const waitOf = (path: string) =>
      JSON.parse(runCli(['analyze', path, '-f', 'json']).stdout).waits_by_domain.find(
        (row: { dom: number; cause: string }) => row.dom === 2 && row.cause === 'wake',
      ).wait_ns_max;
    const row = rows.find(
      ({ table, dom, row, metric }) =>
        table === 'waits_by_domain' && dom === 2 && row === 'cause=wake' && metric === 'wait_ns_max',
    )!;
    expect(row).toMatchObject({ baseline_value: waitOf(a), value: waitOf(b) });
    expect(row.difference).toBe(waitOf(b) - waitOf(a));
  });

  test('domains are matched by number, by a map, or by name', () => {
    const before = FIXED;
    const after = FIXED.replace('name: hogs,', 'name: hogs, id: 5,').replace(
      'name: waker,',
      'name: waker, id: 9,',
    );
    const [a, b] = [record('before.trace', before), record('after.trace', after)];
    const changes = (...more: string[]) => {
      const { stdout } = runCli(['compare', a, b, '-f', 'json', '--only', 'runstates', ...more]);
      // What is about the whole host is the same however domains are called.
      return new Set(rowsOf(stdout).flatMap(({ dom, row, change }) => ((dom ?? row) === '' ? [] : [change])));
    };
    expect(changes()).toEqual(new Set(['only_baseline', 'only_other']));
    expect(changes('--map', '5=1,9=2')).toEqual(new Set(['same']));
    const scenarios = ['--scenario', `${a}.yaml`, '--scenario', `${b}.yaml`];
    expect(changes('--match', 'name', ...scenarios)).toEqual(new Set(['same']));
    const lists = [
      ['--domains', file('before.list', '[{name: hogs}, {name: waker}]')],
      ['--domains', file('after.list', '[{id: 5, name: hogs}, {id: 9, name: waker}]')],
    ].flat();
    expect(changes('--match', 'name', ...lists)).toEqual(new Set(['same']));
    const text = runCli(['compare', a, b, '--only', 'runstates', ...scenarios]).stdout;
    expect(text).toMatch(/Only in the first: hogs/);
    expect(text).toMatch(/Only in the second: d5/);
  });

  test('a damaged trace is compared, and the exit code says so', () => {
    const cut = scratch.path('cut.trace');
    writeFileSync(cut, readFileSync(realTrace).subarray(0, 40_001));
    const { status, stdout } = runCli(['compare', realTrace, cut]);
    expect(status).toBe(1);
    expect(stdout).toMatch(/damaged and\s+were skipped/);
    expect(stdout).toMatch(/differ in length/);
  });

  test.each([
    [[realTrace], /one trace alone/],
    [[realTrace, 'nowhere.trace'], /nowhere.trace/],
    [[realTrace, realTrace, '--seeds', '3'], /--seeds is for scenarios/],
    [[realTrace, realTrace, '--match', 'name'], /needs the names of the domains/],
    [[realTrace, realTrace, '--map', '1'], /should look like 3=1/],
    [['-', '-'], /only one trace can come from standard input/],
  ])('what is wrong is told in a sentence: %j', (words, sentence) => {
    const { status, stderr, stdout } = runCli(['compare', ...words]);
    expect(stderr).toMatch(sentence);
    expect(stdout).toBe('');
    expect(status).toBe(2);
  });
});
