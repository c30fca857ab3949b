/**
 * What people type to find something in a timeline.
 * @module
 */
import { parseNanoseconds } from '../../base/nanoseconds.ts';
import { MARK_NAMES } from '../page-data.ts';
import { formatExact } from './time-format.ts';
import { type Interval, type Lane, STATE_NAMES, type TimelineModel } from './timeline-model.ts';

export const SEARCH_EXAMPLES = 'd1v0, 1.25s, miss, d1v0 runnable > 5ms';
const HINT = `try ${SEARCH_EXAMPLES}, pCPU 2, wake, migration, reset, replenishment, lost`;

/** Xen's names for what is found by other words. */
const EVENTS: Record<string, string> = {
  trc_sched_wake: 'wake',
  trc_csched2_credit_reset: 'reset',
  trc_rtds_budget_replenish: 'replenishment',
  trc_rtxen_budget_replenish: 'replenishment',
  trc_rtxen_budget_return: 'replenishment',
  trc_lost_records: 'lost',
};

export type Direction = 1 | -1;

export interface Search {
  readonly lanes: readonly Lane[];
  readonly tNs: number | undefined;
  readonly state: number | undefined;
  readonly mark: number | undefined;
  readonly lost: boolean;
  readonly longerNs: number;
}

export interface Found {
  readonly lane?: Lane | undefined;
  readonly tNs?: number | undefined;
  readonly interval?: Interval | undefined;
  readonly note?: string | undefined;
}

/** A sentence where the text makes no sense. */
export function parseSearch(text: string, model: TimelineModel): Search | string {
  const words = text
    .trim()
    .replace(/>\s*/g, '>')
    .replace(/\bpcpu\s+/gi, 'pcpu')
    .split(/\s+/);
  const search = {
    lanes: model.lanes.filter(({ kind }) => kind === 'vcpu'),
    tNs: undefined as number | undefined,
    state: undefined as number | undefined,
    mark: undefined as number | undefined,
    lost: false,
    longerNs: 0,
  };
  for (const word of words) {
    const lower = EVENTS[word.toLowerCase()] ?? word.toLowerCase();
    const singular = lower
      .replace(/-ups?$/, '')
      .replace(/ses$/, 's')
      .replace(/([^s])s$/, '$1');
    const state = STATE_NAMES.findIndex(
      (name) => name === lower || (lower === 'wait' && name === 'runnable'),
    );
    const mark = MARK_NAMES.findIndex((name) => name === lower || name === singular);
    const lanes = model.lanes.filter(({ label }) => matches(label, lower));
    if (lanes.length > 0) search.lanes = lanes;
    else if (state >= 0) search.state = state;
    else if (mark >= 0) search.mark = mark;
    else if (lower === 'lost') search.lost = true;
    else if (/^>/.test(word)) {
      const ns = durationOf(word.slice(1));
      if (ns === undefined) return `"${word.slice(1)}" is no duration; ${HINT}`;
      search.longerNs = ns;
    } else {
      const tNs = durationOf(word);
      if (tNs === undefined) return `nothing is called "${word}"; ${HINT}`;
      search.tNs = tNs;
    }
  }
  if (search.longerNs > 0) search.state ??= 1;
  return search;
}

/** `d1` is all vCPUs of d1. */
function matches(label: string, word: string): boolean {
  const name = label.toLowerCase().replace(/\s+/g, '');
  return name === word || (/^d\d+$/.test(word) && name.startsWith(`${word}v`));
}

/** Plain numbers are seconds. */
function durationOf(text: string): number | undefined {
  try {
    return parseNanoseconds(/^\d+(\.\d+)?$/.test(text) ? `${text}s` : text);
  } catch {
    return undefined;
  }
}

/** The next match in time, after `afterNs`; a sentence where there is none. */
export function findNext(
  model: TimelineModel,
  search: Search,
  afterNs: number,
  direction: Direction,
): Found | string {
  const { lanes, tNs, state, mark, lost } = search;
  if (tNs !== undefined) return findTime(model, search, tNs);
  if (lost) return findLost(model, afterNs, direction);
  if (mark !== undefined) return findMark(model, search, mark, afterNs, direction);
  if (state !== undefined) return findInterval(model, search, state, afterNs, direction);
  return {
    lane: lanes[0],
    note: lanes.length > 1 ? `${lanes.length} lanes match; this is the first` : undefined,
  };
}

function findTime({ data }: TimelineModel, { lanes }: Search, tNs: number): Found | string {
  if (tNs < data.fromNs || tNs > data.endNs) return 'that is not within the trace';
  const lane = lanes.length === 1 ? lanes[0] : undefined;
  return { tNs, lane, note: lane === undefined ? `The line is at ${formatExact(tNs)}.` : undefined };
}

function findLost({ data, lanes }: TimelineModel, afterNs: number, direction: Direction): Found | string {
  const best = nearest(data.lost.spans, ([, fromNs]) => fromNs, afterNs, direction);
  if (best === undefined) return 'no loss of records';
  const [pcpu, tNs, , records] = best;
  const lane = lanes.find(({ kind, of }) => kind === 'pcpu' && of === pcpu);
  return { tNs, lane, note: `Xen lost ${records} records here.` };
}

function findInterval(
  model: TimelineModel,
  { lanes, longerNs }: Search,
  state: number,
  afterNs: number,
  direction: Direction,
): Found | string {
  let best: Interval | undefined;
  for (const lane of lanes) {
    if (lane.kind === 'pcpu') continue;
    const { startNs, endNs, what } = model.ofVcpu[lane.of];
    for (let index = 0; index < what.length; index++) {
      if (what[index] !== state || endNs[index] - startNs[index] <= longerNs) continue;
      if ((startNs[index] - afterNs) * direction <= 0) continue;
      if (best !== undefined && (startNs[index] - best.startNs) * direction >= 0) continue;
      best = model.interval(lane, index);
    }
  }
  return best === undefined
    ? 'nothing of the kind among the single intervals on this page'
    : { interval: best };
}

function findMark(
  model: TimelineModel,
  { lanes }: Search,
  kind: number,
  afterNs: number,
  direction: Direction,
): Found | string {
  const vcpus = new Map(lanes.map((lane) => [lane.of, lane]));
  const told = model.marks.filter((mark) => mark.kind === kind && vcpus.has(mark.vcpu));
  for (const [vcpu] of vcpus) {
    const { startNs } = model.ofVcpu[vcpu] ?? { startNs: [] };
    for (let index = 1; index < startNs.length; index++) {
      if (model.markOf(vcpu, index) === kind) told.push({ tNs: startNs[index], kind, vcpu, value: 0 });
    }
  }
  const best = nearest(told, ({ tNs }) => tNs, afterNs, direction);
  if (best === undefined) return `no ${MARK_NAMES[kind]} is on this page one by one`;
  return { tNs: best.tNs, lane: vcpus.get(best.vcpu), note: noteOf(kind, best.value) };
}

function noteOf(kind: number, value: number): string {
  const name = MARK_NAMES[kind];
  if (name === 'miss')
    return value < 0 ? 'A deadline was missed.' : `A deadline was missed by ${value / 1e6} ms.`;
  if (name === 'reset') return `Its credit was reset to ${value}.`;
  return name === 'replenishment' ? `Its budget was replenished to ${value / 1e6} ms.` : `A ${name}.`;
}

function nearest<T>(
  all: readonly T[],
  timeOf: (item: T) => number,
  afterNs: number,
  direction: Direction,
): T | undefined {
  let best: T | undefined;
  for (const item of all) {
    if ((timeOf(item) - afterNs) * direction <= 0) continue;
    if (best === undefined || (timeOf(item) - timeOf(best)) * direction < 0) best = item;
  }
  return best;
}
