/**
 * What people are told of an interval, and of an instant.
 * @module
 */
import { formatPercent } from '../../report/quantities.ts';
import { BLAME_REASONS } from '../../timeline/blame-batch.ts';
import { DOMAIN_SLOTS, PCPU_COMPONENTS } from '../page-data.ts';
import { h } from './dom.ts';
import { formatExact, formatNs } from './time-format.ts';
import {
  BLOCKED,
  type Interval,
  type Lane,
  RUNNABLE,
  RUNNING,
  STATE_NAMES,
  THROTTLED,
  type TimelineModel,
} from './timeline-model.ts';

/** In the order of {@link BLAME_REASONS}. */
const REASON_WORDS = [
  'it was boosted',
  "it went before by the scheduler's own order",
  'it had its turn',
  'the ratelimit kept it running',
  'its own budget or cap kept it back',
  'the pCPU was idle, and nobody told it',
  'the pCPU was idle all the same',
  'the pCPU was told and had not switched yet',
  'nobody can tell who ran',
] as const;

/** One line for the pointer: what a lane is at an instant. */
export function describe(model: TimelineModel, lane: Lane, tNs: number): string {
  const interval = model.intervalAt(lane, tNs);
  const at = `${lane.label} at ${(tNs / 1e9).toFixed(6)} s`;
  if (interval !== undefined)
    return `${at}: ${stateOf(model, interval)} for ${formatNs(interval.endNs - interval.startNs)}`;
  if (model.isExact(tNs)) return `${at}: not known`;
  const { fromNs, bins } = model.data;
  const { widthNs } = bins;
  const start = fromNs + Math.floor((tNs - fromNs) / widthNs) * widthNs;
  const shares = new Float64Array(PCPU_COMPONENTS);
  model.sharesOf(lane, start, start + widthNs, shares);
  const names =
    lane.kind === 'pcpu'
      ? [...Array.from({ length: DOMAIN_SLOTS }, (_, slot) => model.slotName(slot)), 'idle']
      : [...STATE_NAMES];
  const told = names.flatMap((name, index) =>
    shares[index] > 0 ? [`${name} ${formatPercent(shares[index])}`] : [],
  );
  return `${at}, summed over ${formatNs(widthNs)}: ${told.join(', ') || 'nothing is known'}`;
}

function stateOf(model: TimelineModel, { lane, what, pcpu }: Interval): string {
  if (lane.kind === 'pcpu') return model.isIdle(what) ? 'idle' : `${model.nameOf(what)} ran`;
  return what === RUNNING && pcpu >= 0 ? `running on pCPU ${pcpu}` : STATE_NAMES[what];
}

/** All that is known of an interval; of a wait, who delayed it. */
export function intervalDetails(
  model: TimelineModel,
  interval: Interval,
  goTo: (vcpu: number) => void,
): HTMLElement {
  const { lane, startNs, endNs } = interval;
  const title = `${lane.label}: ${stateOf(model, interval)} for ${formatNs(endNs - startNs)}`;
  const place = `From ${formatExact(startNs)} to ${formatExact(endNs)}. ${contextOf(model, interval)}`;
  return h('div', {}, h('h4', {}, title), h('p', {}, place), blameOf(model, interval, goTo));
}

/** What came before and after. */
function contextOf(model: TimelineModel, interval: Interval): string {
  const before = model.interval(interval.lane, interval.index - 1);
  const after = model.interval(interval.lane, interval.index + 1);
  const parts: string[] = [];
  if (before?.endNs === interval.startNs) parts.push(`Before: ${stateOf(model, before)}.`);
  if (after?.startNs === interval.endNs) parts.push(`After: ${stateOf(model, after)}.`);
  if (before?.endNs === interval.startNs && (interval.what === RUNNABLE || interval.what === THROTTLED)) {
    if (before.what === BLOCKED) parts.unshift('It woke up.');
    if (before.what === RUNNING) parts.unshift('It was preempted, or yielded.');
  }
  return interval.lane.kind === 'vcpu' ? parts.join(' ') : '';
}

function blameOf(model: TimelineModel, interval: Interval, goTo: (vcpu: number) => void): HTMLElement | null {
  if (interval.lane.kind === 'pcpu') {
    const vcpu = interval.what;
    if (model.isIdle(vcpu)) return null;
    return h(
      'p',
      {},
      h('button', { type: 'button', onclick: () => goTo(vcpu) }, `to the lane of ${model.nameOf(vcpu)}`),
    );
  }
  if (interval.what !== RUNNABLE && interval.what !== THROTTLED) return null;
  const wait = model.waitOf(interval);
  if (wait === undefined) {
    return h(
      'p',
      {},
      'Who delayed it is not known: its start or its end was not seen, or the page had no room for it.',
    );
  }
  const rows = [...wait.parts].sort((a, b) => b.ns - a.ns);
  return h(
    'table',
    { class: 'blame' },
    h('caption', {}, `Who delayed it: the wait of ${formatNs(wait.ns)} from ${formatExact(wait.startNs)}`),
    h(
      'thead',
      {},
      h(
        'tr',
        {},
        ...['delayed by', 'for', 'share', 'because'].map((text) => h('th', { scope: 'col' }, text)),
      ),
    ),
    h(
      'tbody',
      {},
      ...rows.map(({ culprit, reason, ns }) =>
        h(
          'tr',
          {},
          h('th', { scope: 'row' }, culpritCell(model, culprit, goTo)),
          h('td', { class: 'number' }, formatNs(ns)),
          h('td', { class: 'number' }, formatPercent(ns / wait.ns)),
          h('td', {}, `${BLAME_REASONS[reason]}: ${REASON_WORDS[reason]}`),
        ),
      ),
    ),
  );
}

function culpritCell(
  model: TimelineModel,
  culprit: number,
  goTo: (vcpu: number) => void,
): HTMLElement | string {
  if (culprit < 0) return 'nobody known';
  const name = model.nameOf(culprit);
  if (model.laneOfVcpu(culprit) === undefined) return name;
  return h('button', { type: 'button', class: 'link', onclick: () => goTo(culprit) }, name);
}
