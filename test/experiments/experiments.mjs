/**
 * `npm run experiments`: runs the published experiments again and says of each what comes out.
 *
 *     node test/experiments/experiments.mjs [--only E1,E3]
 *
 * Prints what is checked, what is expected and where that is from, what came out, and the verdict. The whole
 * collection is also written to docs/experiments.md. Exits with 1 if a check fails; one that is known to
 * differ, and is explained, does not. Needs `npm run build`: the runs are done by the workers of
 * `xenscope compare`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runnerImport } from 'vite';
import { doRuns } from '../../dist/cli/run-pool.js';

const here = import.meta.dirname;
const load = async (file) => (await runnerImport(join(here, file))).module;
const { experiments } = await load('index.ts');
const { tasksOf } = await load('run-tasks.ts');
const { Outcome } = await load('outcome.ts');
const { verdictOf } = await load('experiment.ts');
const { countsOf, reportText, writeReports } = await load('report.ts');

const { values } = parseArgs({ options: { only: { type: 'string' } } });
const ids = values.only?.split(',');
const chosen = experiments.filter(({ id }) => ids === undefined || ids.includes(id));

const named = chosen.flatMap(tasksOf);
const tables = named.map(() => undefined);
const requests = named.map(({ task }, index) => ({ index, task, tracePath: undefined }));
let done = 0;
await doRuns(requests, availableParallelism(), (index, json) => {
  tables[index] = JSON.parse(json).tables;
  done += 1;
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${done}/${requests.length}`);
});
if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');

const reports = chosen.map((experiment) => {
  const outcomes = {};
  for (const run of Object.keys(experiment.runs)) {
    const own = tables.filter((_, at) => named[at].experiment === experiment.id && named[at].run === run);
    outcomes[run] = new Outcome(own);
  }
  return { experiment, checks: experiment.checks(outcomes) };
});
for (const report of reports) console.log(`${reportText(report)}\n`);
console.log(countsOf(reports));
if (ids === undefined) {
  const path = join(here, '../../docs/experiments.md');
  writeFileSync(path, writeReports(readFileSync(path, 'utf8'), reports));
}
const hasFailed = reports.some(({ checks }) => checks.some((check) => verdictOf(check) === 'FAILS'));
process.exitCode = hasFailed ? 1 : 0;
