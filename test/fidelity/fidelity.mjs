/**
 * `npm run fidelity`: holds the simulator against what Xen's own C code did, scenario by scenario.
 *
 *     node test/fidelity/fidelity.mjs [--only PATTERN] [--scheduler NAME] [--version XEN] [--quiet] [--write]
 *
 * Prints for each scenario and version how many context switches and trace records agree before the first
 * difference, that difference, and the totals. --only takes a regular expression for names of scenarios; --quiet
 * leaves out the lines of those that are exact; --write puts the table into docs/fidelity.md. Exits with 1 if
 * anything differs. Without the whole collection of results beside the project it goes over the part in the tree.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runnerImport } from 'vite';

const here = import.meta.dirname;
const load = async (file) => (await runnerImport(join(here, file))).module;
const { collections, scenarioNames } = await load('collections.ts');
const { hold, totalsOf } = await load('hold.ts');
const { REFERENCE_PART, REFERENCE_ROOT } = await load('../simulator/reference-folder.ts');
const { writeTable } = await load('table.ts');

// Whoever reads this may have seen enough.
process.stdout.on('error', ({ code }) => process.exit(code === 'EPIPE' ? 0 : 1));

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    scheduler: { type: 'string' },
    version: { type: 'string' },
    quiet: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});
const isWhole = REFERENCE_ROOT !== REFERENCE_PART && !values.only && !values.scheduler && !values.version;
if (values.write && !isWhole) {
  console.error('--write goes with the whole collection and without --only, --scheduler and --version.');
  process.exit(2);
}

const pattern = new RegExp(values.only);
const work = collections
  .filter(({ scheduler }) => values.scheduler === undefined || scheduler === values.scheduler)
  .filter(({ xen }) => values.version === undefined || xen === values.version)
  .map((collection) => {
    const names = scenarioNames(REFERENCE_ROOT, collection).filter((name) => pattern.test(name));
    return { collection, names };
  })
  .filter(({ names }) => names.length > 0);
const count = work.reduce((sum, { names }) => sum + names.length, 0);

let done = 0;
const results = work.map(({ collection, names }) => {
  const title = `${collection.scheduler} of Xen ${collection.xen} (${collection.source})`;
  const holdings = names.map((name) => {
    progress(`${done}/${count} ${collection.xen} ${name}`);
    done += 1;
    const holding = hold(REFERENCE_ROOT, collection, name);
    progress('');
    if (!values.quiet || holding.difference !== undefined) console.log(lineOf(collection, holding));
    return holding;
  });
  const totals = totalsOf(holdings);
  console.log(`${title}: ${sentenceOf(totals)}\n`);
  return { collection, holdings, totals };
});
const all = totalsOf(results.flatMap(({ holdings }) => holdings));
console.log(`All: ${sentenceOf(all)}`);
if (values.write) {
  const path = join(here, '..', '..', 'docs', 'fidelity.md');
  writeFileSync(path, writeTable(readFileSync(path, 'utf8'), results));
}
process.exitCode = all.exact === all.scenarios ? 0 : 1;

function lineOf({ xen }, { name, switches, switchesAgreed, records, recordsAgreed, difference }) {
  const traced = records === undefined ? 'no trace to compare' : `records ${recordsAgreed}/${records}`;
  const verdict = difference === undefined ? 'exact' : `DIFFERS: ${difference}`;
  return `${xen} ${name}: switches ${switchesAgreed}/${switches}, ${traced}: ${verdict}`;
}

function sentenceOf({
  scenarios,
  exact,
  switches,
  switchesAgreed,
  traces,
  tracesExact,
  records,
  recordsAgreed,
}) {
  const traced =
    traces === 0
      ? 'no traces compared'
      : `${recordsAgreed} of ${records} records in ${traces} traces, ${tracesExact} of them exact`;
  return `${exact} of ${scenarios} scenarios exact; ${switchesAgreed} of ${switches} switches; ${traced}`;
}

/** Where we are, on one line of a terminal that is overwritten. */
function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}
