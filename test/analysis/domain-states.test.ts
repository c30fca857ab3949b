/**
 * The states of domains on real traces, against two outside truths: a sweep over all intervals at once, which needs no
 * memory of the past; and the cycles that the real xenalyze adds up.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { domains } from '../../src/analysis/domains.ts';
import { createRecordBatch, openTrace } from '../../src/decoder/index.ts';
import { whyNoXenalyze } from '../recorder/xenalyze.ts';
import { type Interval, readTimeline } from '../timeline/read-timeline.ts';
import { analyze, type Row } from './analyze-bytes.ts';

const BESIDE = join(import.meta.dirname, '../../../shared/traces');
const SHIPPED = join(import.meta.dirname, '../../samples/traces');
const FOLDER = existsSync(BESIDE) ? BESIDE : SHIPPED;
const traces = readdirSync(FOLDER).filter((name) => /\.trace(\.gz)?$/.test(name));
/** Whole ones with domains of several vCPUs, one or two for each scheduler. */
const WHOLE =
  /^(credit-caps|credit-weights|credit-dom0-mix|credit-shutdown|credit2-2rq-mix|credit2-core-mix-all|credit2-dom0-hogper|credit2-2p.*|null-fit|rtds-params.*)\.trace/;
const LOSSY =
  /^(credit2-lost-S1-all|credit-lost-S1-all|credit-cpupool|credit-boot-boot|credit2-weights-cpu1)\.trace/;

const DOM_IDLE = 32767;

/** One TSC tick is one nanosecond: sums are cycles. */
const TICKS = { cpuHz: 1e9 };

function timesOf(rows: readonly Row[]): Map<string, number> {
  return new Map(rows.map(({ dom, state, time_ns }) => [`d${dom} ${state}`, Number(time_ns)]));
}

/** The state of a domain by its vCPUs' runstates, in xenalyze's words. */
function stateOf(states: readonly string[]): string {
  const some = (...wanted: string[]) => wanted.some((state) => states.includes(state));
  if (some('running') && some('runnable')) return 'concurrency hazard';
  if (some('unknown')) return 'unknown';
  const rest = some('blocked', 'offline');
  if (some('running')) return rest ? 'partial run' : 'full run';
  if (some('runnable')) return rest ? 'partial contention' : 'full contention';
  return 'blocked';
}

/** Time in each state of each domain, from all its intervals; `longest` gets the longest hazards. */
function sweep(intervals: readonly Interval[], longest = new Map<string, number>()): Map<string, number> {
  const times = new Map<string, number>();
  const doms = new Set(intervals.map(({ vcpu }) => vcpu.split('v')[0]).filter((dom) => dom !== 'd[IDLE]'));
  for (const dom of doms) {
    const own = intervals.filter(({ vcpu }) => vcpu.startsWith(`${dom}v`));
    const edges = own.flatMap(({ vcpu, xenState, startNs, endNs }) => [
      { at: endNs, vcpu, state: undefined },
      { at: startNs, vcpu, state: xenState },
    ]);
    // At one instant, ends before beginnings; intervals of no length say nothing.
    const length = new Map(own.map((interval) => [interval, interval.endNs - interval.startNs]));
    const lasting = edges.filter((_, index) => length.get(own[index >> 1]) !== 0);
    lasting.sort((a, b) => a.at - b.at || Number(a.state !== undefined) - Number(b.state !== undefined));
    const now = new Map<string, string>();
    let sinceNs = 0;
    let hazardNs = 0;
    for (const { at, vcpu, state } of lasting) {
      if (at > sinceNs && now.size > 0) {
        const state = stateOf([...now.values()]);
        const key = `${dom} ${state}`;
        times.set(key, (times.get(key) ?? 0) + at - sinceNs);
        hazardNs = state === 'concurrency hazard' ? hazardNs + at - sinceNs : 0;
        if (hazardNs > (longest.get(dom) ?? 0)) longest.set(dom, hazardNs);
      }
      sinceNs = at;
      if (state === undefined) now.delete(vcpu);
      else now.set(vcpu, state);
    }
  }
  return times;
}

const sorted = (times: Map<string, number>) => [...times].sort(([a], [b]) => (a < b ? -1 : 1));

describe.each(traces.filter((name) => WHOLE.test(name)))('%s', (name) => {
  const path = join(FOLDER, name);
  const folder = mkdtempSync(join(tmpdir(), 'xenscope-'));
  const plain = join(folder, 'a.trace');
  beforeAll(() => {
    const bytes = readFileSync(path);
    writeFileSync(plain, name.endsWith('.gz') ? gunzipSync(bytes) : bytes);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('has the times, and the longest hazards, that a sweep over all intervals gives', async () => {
    const { intervals } = await readTimeline(path, TICKS);
    const { rows } = await analyze(path, { analyses: [domains], ...TICKS });
    const longest = new Map<string, number>();
    expect(sorted(timesOf(rows('domain_states')))).toEqual(sorted(sweep(intervals, longest)));
    expect(rows('coscheduling').length).toBeGreaterThan(0);
    for (const { dom, hazard_ns_max } of rows('coscheduling')) {
      expect(hazard_ns_max, `d${dom}`).toBe(longest.get(`d${dom}`) ?? null);
    }
  });

  // xenalyze dies on traces of hosts with core scheduling.
  test.skipIf(whyNoXenalyze !== undefined || name.includes('core'))(
    "xenalyze's cycles follow from the same records by its own rules, to the cycle",
    async () => {
      expect(sorted(await byXenalyzesRules(plain))).toEqual(sorted(xenalyzeCycles(plain)));
    },
  );
});

describe.each(traces.filter((name) => LOSSY.test(name)))('%s, which is not whole,', (name) => {
  test('is told to be unknown where it is, and claims nothing that the intervals do not', async () => {
    const path = join(FOLDER, name);
    const { intervals } = await readTimeline(path, TICKS);
    const truth = sweep(intervals);
    const { rows } = await analyze(path, { analyses: [domains], ...TICKS });
    const told = timesOf(rows('domain_states'));
    let knownNs = 0;
    for (const [key, ns] of told) {
      if (key.endsWith('unknown')) continue;
      knownNs += ns;
      expect(ns, key).toBeLessThanOrEqual(truth.get(key) ?? 0);
    }
    expect(knownNs).toBeGreaterThan(0);
    const sum = (times: Map<string, number>) => [...times.values()].reduce((total, ns) => total + ns, 0);
    expect(sum(told)).toBe(sum(truth));
  });
});

/** The cycles in each state of each domain that the real xenalyze gives: at 1 Hz, its seconds are cycles. */
function xenalyzeCycles(path: string): Map<string, number> {
  const { stdout } = spawnSync('xenalyze', ['--summary', '--cpu-hz', '1', path], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  const cycles = new Map<string, number>();
  let dom: string | undefined;
  for (const line of stdout.split('\n')) {
    const heading = /^\|-- Domain (\d+) --\|/.exec(line);
    if (heading !== null) dom = `d${heading[1]}`;
    else if (/^(-- v| Grant)/.test(line)) dom = undefined;
    const state = /^ +([a-z_ ]+): +\d+ +([\d.]+)s/.exec(line);
    if (dom === undefined || state === null || dom === 'd32767' || dom === 'd32768') continue;
    cycles.set(`${dom} ${state[1].trim().replace('_', ' ')}`, Number(state[2]));
  }
  return cycles;
}

/**
 * What xenalyze 4.17 makes of a trace without losses (sched_runstate_process, vcpu_start, deactivate_pcpu). It differs in
 * two ways from what the records say, and so from ours:
 *
 * 1. A vCPU counts from the first record on that takes it to running. Before, it is as if it were not there. Where
 *    that record says that it runs on, it ran since its pCPU's first record.
 * 2. After a pCPU's last record nothing is known of the vCPU that runs there: it is lost, and counts for its domain's
 *    state only if all are. The last state of a domain counts up to its last record and not to the end of the trace.
 */
async function byXenalyzesRules(path: string): Promise<Map<string, number>> {
  const names = ['running', 'runnable', 'blocked', 'offline'];
  const states = new Map<number, Map<number, string>>();
  const told = new Map<number, { readonly state: string; readonly atNs: number }>();
  const times = new Map<string, number>();
  const update = (tNs: number, dom: number, vcpu: number, state: string) => {
    const last = told.get(dom);
    if (last !== undefined && last.atNs < tNs) {
      const key = `d${dom} ${last.state}`;
      times.set(key, (times.get(key) ?? 0) + tNs - last.atNs);
    }
    if (!states.has(dom)) states.set(dom, new Map());
    states.get(dom)!.set(vcpu, state);
    const known = [...states.get(dom)!.values()].filter((other) => other !== 'lost');
    told.set(dom, { state: known.length === 0 ? 'lost' : stateOf(known), atNs: tNs });
  };
  const { records, firstNs, lastRow } = await recordsOf(path);
  const current = new Map<number, number>();
  for (const [row, { tNs, pcpu, event, word }] of records.entries()) {
    const isChange = (event & 0x0ffffccf) === 0x21001;
    const [dom, vcpu] = [word >>> 16, word & 0xffff];
    const from = isChange ? names[(event >>> 8) & 3] : 'running';
    const to = isChange ? names[(event >>> 4) & 3] : 'running';
    const state = states.get(dom)?.get(vcpu);
    if (isChange || event === 0x21002) {
      if (from === 'running' && to !== 'running') current.delete(pcpu);
      if (to === 'running') current.set(pcpu, word);
      if (dom !== DOM_IDLE && (to === 'running' || (state !== undefined && state !== 'lost'))) {
        update(state === undefined && !isChange ? firstNs.get(pcpu)! : tNs, dom, vcpu, to);
      }
    }
    const last = current.get(pcpu);
    if (lastRow.get(pcpu) !== row || last === undefined || last >>> 16 === DOM_IDLE) continue;
    update(tNs, last >>> 16, last & 0xffff, 'lost');
  }
  return times;
}

/** Every record of a trace in time order, with its first word, and where each pCPU's begin and end. */
async function recordsOf(path: string) {
  const reader = await openTrace(path, TICKS);
  const batch = createRecordBatch();
  const records: { tNs: number; pcpu: number; event: number; word: number }[] = [];
  const firstNs = new Map<number, number>();
  const lastRow = new Map<number, number>();
  for (let more = true; more; ) {
    more = reader.readBatch(batch);
    for (let row = 0; row < batch.count; row++) {
      const pcpu = batch.pcpu[row];
      if (batch.hasTsc[row] === 1 && !firstNs.has(pcpu)) firstNs.set(pcpu, batch.tNs[row]);
      lastRow.set(pcpu, records.length);
      records.push({
        tNs: batch.tNs[row],
        pcpu,
        event: batch.event[row],
        word: batch.words[batch.wordsOffset[row]],
      });
    }
  }
  reader.close();
  return { records, firstNs, lastRow };
}
