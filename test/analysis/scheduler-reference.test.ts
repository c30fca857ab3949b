/**
 * Counts of the scheduler pass: on traces of Xen's own C schedulers they must be what Xen's own counters were
 * at the end, and on real traces what the real xenalyze shows line by line.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { scheduler } from '../../src/analysis/scheduler.ts';
import { createRecordBatch, openTrace } from '../../src/decoder/index.ts';
import { whyNoXenalyze } from '../recorder/xenalyze.ts';
import { analyze } from './analyze-bytes.ts';

/** The whole collections where they lie beside the project; else what ships with it. */
const BESIDE = join(import.meta.dirname, '../../../shared');
const C_BESIDE = join(BESIDE, 'reference/xen-c-schedulers');
const C_SCHEDULERS = existsSync(C_BESIDE) ? C_BESIDE : join(import.meta.dirname, '../simulator/reference');
const REAL = existsSync(BESIDE) ? join(BESIDE, 'traces') : join(import.meta.dirname, '../../samples/traces');
/** One in so many: all of them take ten seconds. */
const STEP = 8;

interface Reference {
  readonly duration_ns: number;
  readonly trace_end_ns: number;
  readonly totals: Readonly<Record<string, number | undefined>>;
  readonly perfc: Readonly<Record<string, number | undefined>>;
}

/** Runs whose trace goes to the end. */
function wholeRuns(version: string) {
  const folder = join(C_SCHEDULERS, version);
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => ({
      name: file.slice(0, -'.json'.length),
      trace: join(folder, file.replace(/\.json$/, '.trace.gz')),
      reference: JSON.parse(readFileSync(join(folder, file), 'utf8')) as Reference,
    }))
    .filter(({ trace, reference }) => {
      return existsSync(trace) && reference.trace_end_ns === reference.duration_ns;
    })
    .filter((_, index) => index % STEP === 0);
}

async function eventsOf(trace: string, options: { cpuHz?: number; endNs?: number } = {}) {
  const { rows } = await analyze(trace, { analyses: [scheduler], ...options });
  return new Map(rows('scheduler').map(({ event, count }) => [String(event), Number(count)]));
}

describe.each(['xen-4.17.7', 'xen-head'])('what the C schedulers of %s counted', (version) => {
  test.each(wholeRuns(version))('$name', async ({ trace, reference: { duration_ns, totals, perfc } }) => {
    const events = await eventsOf(trace, { cpuHz: 1e9, endNs: duration_ns });
    const count = (event: string) => events.get(event) ?? 0;
    const tickles = Object.entries(perfc).filter(([name]) => /^tickled_(idle|busy)/.test(name));
    expect({
      calls: count('schedule_calls'),
      switches: count('switches'),
      migrations: count('migrations'),
      replenishments: count('replenishments'),
      resets: count('credit_resets'),
      boosts: count('boosts'),
      tickles: count('tickles_sent'),
    }).toEqual({
      calls: totals.schedule_calls,
      switches: totals.context_switches,
      migrations: totals.migrations,
      replenishments: totals.rtds_replenishments ?? 0,
      resets: perfc.credit_reset ?? 0,
      boosts: perfc.unit_boost ?? 0,
      tickles: tickles.reduce((sum, [, ticks]) => sum + ticks!, 0),
    });
    const sumOf = (pattern: RegExp) =>
      [...events].reduce((sum, [event, value]) => sum + (pattern.test(event) ? value : 0), 0);
    expect(sumOf(/^calls_/)).toBe(count('schedule_calls'));
    expect(sumOf(/^switches_(?!to)/)).toBe(count('switches'));
    expect(sumOf(/^migrations_/)).toBe(count('migrations'));
    expect(count('continuations') + count('switches')).toBe(count('schedule_calls'));
  });
});

/** SCHEDULE records of RTDS in which it says that its pCPU was tickled: bits 24 to 27. */
async function callsSaidTickled(path: string): Promise<number> {
  const reader = await openTrace(path);
  const batch = createRecordBatch();
  let said = 0;
  for (let more = true; more; ) {
    more = reader.readBatch(batch);
    for (let row = 0; row < batch.count; row++) {
      if (batch.event[row] === 0x22806) said += (batch.words[batch.wordsOffset[row]] >>> 24) & 15 ? 1 : 0;
    }
  }
  reader.close();
  return said;
}

const real = (pattern: RegExp) => readdirSync(REAL).filter((name) => pattern.test(name));

test.each(real(/^rtds.*(clean|params).*\.trace(\.gz)?$/))(
  '%s: calls by tickle are those of which RTDS says so',
  async (name) => {
    const path = join(REAL, name);
    expect((await eventsOf(path)).get('calls_tickle')).toBe(await callsSaidTickled(path));
  },
);

/** What xenalyze calls the records of an event. */
const XENALYZE_LINES: Readonly<Record<string, RegExp>> = {
  schedule_calls: /(csched2?|rtds|null):schedule/g,
  switches: / sched_switch next/g,
  continuations: / sched_switch continue/g,
  tickles_sent: /:runq_tickle(?!_)/g,
  steals: /csched:stolen_vcpu/g,
  steal_checks: /csched:load_balance/g,
  ratelimits: /:ratelimit/g,
  accounting_starts: /csched:acct_start/g,
  accounting_stops: /csched:acct_stop/g,
  runqueue_moves: /csched2:migrate/g,
  load_balances: /csched2:load_balance_begin/g,
  replenishments: /rtds:repl_budget/g,
};

describe.skipIf(whyNoXenalyze !== undefined)(
  'counts of real traces are the lines of xenalyze --dump-all',
  () => {
    test.each(real(/^(credit-dom0-mix|credit-caps|credit2-2rq-mix|rtds-2p-icount-clean|null-fit)\.trace$/))(
      '%s',
      async (name) => {
        const { stdout } = spawnSync('xenalyze', ['--cpu-hz', '2500M', '--dump-all', join(REAL, name)], {
          encoding: 'utf8',
          maxBuffer: 1 << 29,
        });
        const events = await eventsOf(join(REAL, name));
        const ours = Object.keys(XENALYZE_LINES).map((event) => [event, events.get(event) ?? 0]);
        const theirs = Object.entries(XENALYZE_LINES).map(([event, line]) => [
          event,
          stdout.match(line)?.length ?? 0,
        ]);
        expect(Object.fromEntries(ours)).toEqual(Object.fromEntries(theirs));
      },
    );
  },
);
