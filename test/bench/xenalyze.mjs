/**
 * `npm run bench:xenalyze`: the drop-in against the real xenalyze, as whole processes, output to /dev/null.
 *
 *     node test/bench/xenalyze.mjs [records] [pairs] [traces...]          default: 10 million, 5, none
 *
 * Recorded traces that are given are repeated to 400 MB, and read with --svm-mode, which only those of AMD hosts heed.
 * The two run in turns, so that a busy machine slows both; of each, the median is told. Needs dist/ and xenalyze.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { countArgument } from './count-argument.mjs';
import { generateTrace } from './generate-trace.mjs';
import { repeatTrace } from './repeat-trace.mjs';

/** How many pCPUs, and how many vCPUs take turns on each: many of both, and many vCPUs on few pCPUs. */
const HOSTS = [
  [4, 4],
  [4, 250],
  [250, 4],
];
const MAIN = resolve(import.meta.dirname, '../../dist/cli/main.js');
const records = countArgument(process.argv[2], 10_000_000);
const pairs = countArgument(process.argv[3], 5);
const recorded = process.argv.slice(4);
const REPEATED_BYTES = 400e6;
const nowhere = openSync('/dev/null', 'w');
// What a workplace may have set for other programs: Node reads the certificates at every start, for 50 ms.
const { NODE_EXTRA_CA_CERTS, NODE_OPTIONS, ...env } = process.env;

function secondsOf(command, words) {
  const start = performance.now();
  const { error } = spawnSync(command, words, { env, stdio: ['ignore', nowhere, nowhere] });
  if (error) throw error;
  return (performance.now() - start) / 1000;
}

/** Prints a row for each kind of output. */
function compare(name, options, trace) {
  for (const output of ['--summary', '--dump-all']) {
    const real = [];
    const ours = [];
    for (let pair = 0; pair < pairs; pair++) {
      real.push(secondsOf('xenalyze', [output, ...options, trace]));
      ours.push(secondsOf(process.execPath, [MAIN, 'xenalyze', output, ...options, trace]));
    }
    const [a, b] = [median(real), median(ours)];
    console.log(`| ${name} | ${output} | ${a.toFixed(2)} | ${b.toFixed(2)} | ${(a / b).toFixed(2)} |`);
  }
}

const median = (numbers) => numbers.slice().sort((a, b) => a - b)[numbers.length >> 1];

const folder = mkdtempSync(join(tmpdir(), 'xenscope-bench-'));
try {
  console.log(`${records} records; seconds, the median of ${pairs} pairs\n`);
  console.log('| pCPUs | vCPUs | options | xenalyze | xenscope xenalyze | ratio |');
  console.log('| ---: | ---: | --- | ---: | ---: | ---: |');
  const trace = join(folder, 'a.trace');
  for (const [pcpus, vcpusOfPcpu] of HOSTS) {
    generateTrace(trace, { records, pcpus, vcpusOfPcpu });
    compare(`${pcpus} | ${pcpus * vcpusOfPcpu}`, [], trace);
  }
  if (recorded.length > 0) {
    console.log('\n| recorded trace | options | xenalyze | xenscope xenalyze | ratio |');
    console.log('| --- | --- | ---: | ---: | ---: |');
  }
  for (const path of recorded) {
    repeatTrace(path, trace, REPEATED_BYTES);
    compare(basename(path), ['--svm-mode'], trace);
  }
} finally {
  rmSync(folder, { recursive: true });
}
