import { spawnSync } from 'node:child_process';
import { relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { UserError } from '../base/errors.ts';
import { makeFolder } from '../base/make-folder.ts';

const samples = fileURLToPath(new URL('../../samples', import.meta.url));

/** `xenscope demo`: the whole road once, on a simulated host and on a real trace, each step shown as it is typed. */
export function define(verb: Command, exit: (code: number) => void): void {
  verb
    .option('-o, --output <folder>', 'where traces, tables and the report page go', 'out/demo')
    .addHelpText('after', '\nExamples:\n  xenscope demo -o /tmp/demo')
    .action((options: { output: string }) => {
      makeFolder(options.output);
      const folder = relative('.', resolve(options.output)) || '.';
      for (const words of steps(folder)) exit(runStep(words));
      process.stdout.write(ending(folder));
    });
}

const sample = (name: string) => relative('.', `${samples}/${name}`);

function steps(folder: string): string[][] {
  const scenario = sample('busy-host.yaml');
  const realTrace = sample('traces/credit-caps.trace');
  return [
    ['record', scenario, '-o', `${folder}/busy-host.trace`],
    ['decode', `${folder}/busy-host.trace`, '-o', `${folder}/busy-host-tables`],
    ['analyze', `${folder}/busy-host.trace`, '--scenario', scenario],
    ['report', `${folder}/busy-host.trace`, '--scenario', scenario, '-o', `${folder}/busy-host.html`],
    ['info', realTrace],
    ['decode', realTrace, '-o', `${folder}/credit-caps-tables`],
    ['analyze', realTrace, '--weights', '1=128,2=256,3=512', '--caps', '2=30,3=40'],
    ['export', realTrace, '--to', 'perfetto', '-o', `${folder}/credit-caps.pftrace`],
  ];
}

function runStep(words: readonly string[]): number {
  process.stdout.write(`\n$ xenscope ${words.join(' ')}\n`);
  const main = fileURLToPath(new URL('./main.js', import.meta.url));
  const { status, error } = spawnSync(process.execPath, [main, ...words], { stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0) throw new UserError('demo-step', `the step above ended with exit code ${status}`);
  return 0;
}

/** What there is to look at now, and what to type next. */
function ending(folder: string): string {
  const compare = `xenscope compare ${sample('busy-host.yaml')} --schedulers credit,credit2 --seeds 10`;
  return [
    '',
    ...section('What there is now', [
      [`${folder}/busy-host.html`, 'the simulated host as a page: open it in a browser, click on a wait'],
      [`${folder}/busy-host-tables`, 'its Arrow tables: pandas.read_feather, pl.read_ipc, DuckDB'],
      [`${folder}/busy-host.trace`, 'its trace, as xentrace writes it, for any of the verbs'],
      [`${folder}/credit-caps.pftrace`, 'the trace of the real host, for https://ui.perfetto.dev'],
      [`${folder}/credit-caps-tables`, 'its Arrow tables'],
    ]),
    '',
    ...section('What to try next', [
      [compare, 'which is better, and how surely'],
      ['ssh dom0 xentrace -D -T 10 /dev/stdout | xenscope analyze -', 'a host of your own'],
      ['xenscope --help', 'all verbs; in a checkout, xenscope is node dist/cli/main.js'],
    ]),
    '',
  ].join('\n');
}

function section(title: string, rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return [title, '-'.repeat(title.length), ...rows.map(([left, right]) => `${left.padEnd(width)}  ${right}`)];
}
