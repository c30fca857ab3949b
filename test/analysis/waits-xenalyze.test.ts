/**
 * The sums of waits are xenalyze's, to the cycle, on real traces.
 *
 * With one tick a nanosecond our nanoseconds are its cycles. It prints a number and an average, rounded down.
 * Where it defines otherwise: it counts from the first record on by which a vCPU runs; its `wake` is our wake
 * and resume; it takes an interval runnable that does not end by running for a wait (a vCPU that credit parks
 * for its cap while it waits); it leaves out waits without length.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import type { Analysis } from '../../src/analysis/index.ts';
import { waits } from '../../src/analysis/waits.ts';
import { analyze } from './analyze-bytes.ts';

const TRACES = join(import.meta.dirname, '../../../shared/traces');
const XENALYZE = '/usr/bin/xenalyze';
/** Without losses or unrecorded pCPUs, as beyond those xenalyze guesses. */
const NAMES = [
  'arinc653-frame40.trace',
  'credit-1p-clean-caps.trace',
  'credit-weights.trace',
  'credit2-1p-clean.trace',
  'credit2-caps.trace',
  'credit2-dom0-hogper.trace',
  'null-fit.trace',
  'rtds-2p-icount-clean.trace',
  'rtds-params-all.trace.gz',
];
/** Where vCPUs are parked while they wait: xenalyze has more waits, and longer ones. */
const PARKED = ['credit-1p-clean-caps.trace d2v0 preempt', 'credit-1p-clean-caps.trace d3v0 preempt'];

const DOM_IDLE = 0x7fff;
const MODULE = 0x0ffff000;
const RUNSTATE = 0x21000;
const CHANGE = 1;
const CONTINUE = 2;

interface Line {
  readonly count: number;
  readonly mean: number;
}

/** `d1v0 wake` -> what xenalyze says of it. */
function xenalyzeWaits(path: string): Map<string, Line> {
  const text = execFileSync(XENALYZE, ['--summary', '--cpu-hz=1G', path], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: 1 << 28,
  });
  const lines = new Map<string, Line>();
  let dom = '';
  let vcpu = '';
  for (const line of text.split('\n')) {
    dom = /^\|-- Domain (\d+) --\|/.exec(line)?.[1] ?? dom;
    vcpu = /^-- v(\d+) --/.exec(line)?.[1] ?? vcpu;
    const wait = /^ +(wake|preempt|other): +(\d+) +[\d.]+s +(\d+) /.exec(line);
    if (wait !== null)
      lines.set(`d${dom}v${vcpu} ${wait[1]}`, { count: Number(wait[2]), mean: Number(wait[3]) });
  }
  return lines;
}

/**
 * Finds when each vCPU, by its key, is first said to run, and the waits up to then: xenalyze does not count
 * those.
 */
function untilFirstRun() {
  const runsFromNs = new Map<number, number>();
  const early = new Map<string, number>();
  const pass: Analysis = {
    name: 'until-first-run',
    title: '',
    doc: '',
    create: () => ({
      listener: {
        onWaits(batch) {
          for (let row = 0; row < batch.count; row++) {
            const name = `d${batch.dom[row]}v${batch.vcpu[row]} ${batch.cause[row] === 1 ? 'preempt' : 'wake'}`;
            const ranNs = runsFromNs.get(batch.dom[row] * 0x10000 + batch.vcpu[row])!;
            if (batch.endNs[row] <= ranNs) early.set(name, batch.endNs[row] - batch.startNs[row]);
          }
        },
      },
      onRecords(batch) {
        for (let row = 0; row < batch.count; row++) {
          const event = batch.event[row];
          if ((event & MODULE) !== RUNSTATE) continue;
          const runs = (event & 0xf) === CONTINUE || ((event & 0xf) === CHANGE && (event & 0xf0) === 0);
          const key = batch.words[batch.wordsOffset[row]];
          if (runs && !runsFromNs.has(key)) runsFromNs.set(key, batch.tNs[row]);
        }
      },
      finish: () => [],
    }),
  };
  return { pass, early };
}

describe.skipIf(!existsSync(XENALYZE) || !existsSync(TRACES))(
  'the sums of waits are those of xenalyze',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'xenscope-xenalyze-'));
    afterAll(() => rmSync(folder, { recursive: true }));

    test.each(NAMES)('%s', async (name) => {
      const content = readFileSync(join(TRACES, name));
      const bytes = name.endsWith('.gz') ? gunzipSync(content) : content;
      const path = join(folder, 'a.trace');
      writeFileSync(path, bytes);
      const { pass, early } = untilFirstRun();
      const { rows } = await analyze(bytes, { analyses: [pass, waits] });
      const ours = new Map<string, { count: number; totalNs: number }>();
      for (const { dom, vcpu, cause, count, wait_ns_total } of rows('waits')) {
        const key = `d${dom}v${vcpu} ${cause === 'preempt' ? 'preempt' : 'wake'}`;
        const sums = ours.get(key) ?? { count: 0, totalNs: 0 };
        sums.count += Number(count);
        sums.totalNs += Number(wait_ns_total);
        ours.set(key, sums);
      }
      const theirs = xenalyzeWaits(path);
      let waited = 0;
      for (const [key, { count, totalNs }] of ours) {
        const earlyNs = early.get(key);
        const expected = {
          count: count - (earlyNs === undefined ? 0 : 1),
          totalNs: totalNs - (earlyNs ?? 0),
        };
        const line = theirs.get(key) ?? { count: 0, mean: 0 };
        if (PARKED.includes(`${name} ${key}`)) {
          expect(line.count, key).toBeGreaterThan(expected.count);
          expect(line.count * line.mean, key).toBeGreaterThan(expected.totalNs);
          continue;
        }
        const mean = expected.count === 0 ? 0 : Math.floor(expected.totalNs / expected.count);
        expect({ key, count: expected.count, mean }).toEqual({ key, ...line });
        waited += expected.count;
      }
      const unexpected = [...theirs.keys()].filter(
        (key) => !ours.has(key) && !key.startsWith(`d${DOM_IDLE}`),
      );
      expect(unexpected).toEqual([]);
      expect(waited).toBeGreaterThan(300);
    });
  },
);
