/**
 * `npm run bench`: how fast a trace is decoded and turned into Arrow files, and how much memory that takes.
 *
 *     node test/bench/bench.mjs [records]          default: 10 million, on 4 and on 250 pCPUs
 *
 * Each figure is the best of three runs, each in a process of its own, so that its peak memory is its own too.
 * Machines differ and are shared: read the ratios to the rivals, measured in the same run. Needs dist/.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { countArgument } from './count-argument.mjs';
import { generateTrace } from './generate-trace.mjs';

const RUNS = 3;
const SELF = fileURLToPath(import.meta.url);

/** What is measured: each takes a trace and a folder of its own and returns how many records it went over. */
const measurements = {
  async decode(path) {
    const { createRecordBatch, openTrace } = await import('../../dist/decoder/index.js');
    const reader = await openTrace(path);
    const batch = createRecordBatch();
    while (reader.readBatch(batch));
    return reader.counts().records;
  },

  /** Every pass, as `xenscope analyze` reads a large file: decoded, and its timeline followed, in a thread of its own. */
  async analyze(path) {
    const { TraceAhead } = await import('../../dist/timeline/index.js');
    const { analyzeTrace } = await import('../../dist/analysis/index.js');
    const trace = await TraceAhead.open(path);
    analyzeTrace(trace);
    const { records } = trace.counts();
    trace.close();
    return records;
  },

  async recordsTable(path, folder) {
    const { openTrace } = await import('../../dist/decoder/index.js');
    const { writeTables } = await import('../../dist/tables/index.js');
    const reader = await openTrace(path);
    writeTables(reader, folder, { tables: ['records'] });
    return reader.counts().records;
  },

  async allTables(path, folder) {
    const { openTrace } = await import('../../dist/decoder/index.js');
    const { writeTables } = await import('../../dist/tables/index.js');
    const reader = await openTrace(path);
    writeTables(reader, folder);
    return reader.counts().records;
  },

  /** The obvious way: the whole file in memory, a DataView, an object per record, and a sort for the time order. */
  naive(path) {
    const bytes = readFileSync(path);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const rows = [];
    for (let at = 0; at < bytes.length; ) {
      const pcpu = view.getUint32(at + 4, true);
      const end = at + 12 + view.getUint32(at + 8, true);
      for (at += 12; at < end; ) {
        const header = view.getUint32(at, true);
        at += 4;
        const record = { pcpu, event: header & 0x0fffffff, tsc: 0n, words: [] };
        if (header >>> 31) {
          record.tsc = view.getBigUint64(at, true);
          at += 8;
        }
        for (let words = (header >>> 28) & 7; words > 0; words--, at += 4) {
          record.words.push(view.getUint32(at, true));
        }
        rows.push(record);
      }
    }
    rows.sort((a, b) => (a.tsc < b.tsc ? -1 : a.tsc > b.tsc ? 1 : a.pcpu - b.pcpu));
    return rows.length;
  },
};

const titles = {
  decode: 'decode, in time order',
  analyze: 'analyze, every pass',
  recordsTable: 'file to Arrow: table records',
  allTables: 'file to Arrow: all tables',
  naive: 'rival: objects from a DataView, sorted',
};

async function measureHere(name, path) {
  const folder = mkdtempSync(join(tmpdir(), 'xenscope-bench-out-'));
  try {
    const start = process.hrtime.bigint();
    const records = await measurements[name](path, folder);
    const seconds = Number(process.hrtime.bigint() - start) / 1e9;
    const { maxRSS } = process.resourceUsage();
    console.log(JSON.stringify({ records, seconds, peakMiB: maxRSS / 1024 }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Measures `name` on each of the traces, in turn, so that what else the machine does hits all of them. */
function measure(name, traces) {
  const best = new Map();
  for (let run = 0; run < RUNS; run++) {
    for (const { path, label } of traces) {
      const output = execFileSync(process.execPath, [SELF, '--measure', name, path], { encoding: 'utf8' });
      const result = JSON.parse(output);
      if (!best.has(label) || result.seconds < best.get(label).seconds) best.set(label, result);
    }
  }
  return [...best].map(([label, { records, seconds, peakMiB }]) => {
    return { title: `${titles[name]}${label}`, rate: records / seconds, peakMiB };
  });
}

/** The real xenalyze, where it is installed. */
function measureXenalyze(path, records) {
  const start = process.hrtime.bigint();
  const { status, error } = spawnSync('xenalyze', ['--summary', '--cpu-hz=2.4G', path], { stdio: 'ignore' });
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  if (error) return undefined;
  return { title: `rival: xenalyze --summary${status === 0 ? '' : ' (gave up)'}`, rate: records / seconds };
}

function print(rows, reference) {
  for (const { title, rate, peakMiB } of rows) {
    const cells = [
      title.padEnd(44),
      `${(rate / 1e6).toFixed(2).padStart(7)} M records/s`,
      `${(rate / reference).toFixed(2).padStart(7)} x rival`,
      peakMiB === undefined ? '' : `${peakMiB.toFixed(0).padStart(6)} MiB at most`,
    ];
    console.log(cells.join('  ').trimEnd());
  }
}

function main(records) {
  const folder = mkdtempSync(join(tmpdir(), 'xenscope-bench-'));
  try {
    const few = join(folder, '4.trace');
    const many = join(folder, '250.trace');
    const made = generateTrace(few, { records, pcpus: 4 });
    generateTrace(many, { records, pcpus: 250 });
    // Objects need memory by the gigabyte: the rival gets a shorter trace, as its rate falls with the length.
    const short = join(folder, 'short.trace');
    generateTrace(short, { records: Math.min(records, 1_000_000), pcpus: 4 });
    const mib = (made.bytes / 2 ** 20).toFixed(0);
    console.log(`${made.records} records, ${mib} MiB, Node ${process.version}, best of ${RUNS}\n`);
    const [naive] = measure('naive', [{ path: short, label: '' }]);
    const both = [
      { path: few, label: ', 4 pCPUs' },
      { path: many, label: ', 250 pCPUs' },
    ];
    const rows = ['decode', 'analyze', 'recordsTable', 'allTables'].flatMap((name) => measure(name, both));
    const xenalyze = measureXenalyze(few, made.records);
    const [decode, , analyze] = rows;
    print([...rows, naive, ...(xenalyze ? [xenalyze] : [])], naive.rate);
    console.log(
      `\nEvery pass takes ${(decode.rate / analyze.rate).toFixed(2)} times as long as decoding alone.`,
    );
    if (!xenalyze)
      console.log('\nxenalyze is not installed (Debian: xen-utils-4.17): no comparison with it.');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const [first, name, path] = process.argv.slice(2);
if (first === '--measure') await measureHere(name, path);
else main(countArgument(first, 10_000_000));
