/**
 * The intervals in view as a table and as CSV, for those who cannot see the picture and for spreadsheets.
 * @module
 */
import { csvLine } from '../../report/result-csv.ts';
import { h } from './dom.ts';
import { formatExact, formatNs } from './time-format.ts';
import { firstEndingAfter, type Interval, STATE_NAMES, type TimelineModel } from './timeline-model.ts';

const TABLE_ROWS_MAX = 300;
const CSV_ROWS_MAX = 200_000;

export function viewTable(model: TimelineModel, fromNs: number, toNs: number): HTMLElement {
  const { rows, more } = intervalsIn(model, fromNs, toNs, TABLE_ROWS_MAX);
  const body = rows
    .sort((a, b) => a.startNs - b.startNs)
    .map((interval) =>
      h(
        'tr',
        {},
        h('th', { scope: 'row' }, interval.lane.label),
        h('td', {}, STATE_NAMES[interval.what]),
        h('td', { class: 'number' }, interval.pcpu < 0 ? '-' : String(interval.pcpu)),
        h('td', { class: 'number' }, formatExact(interval.startNs)),
        h('td', { class: 'number' }, formatNs(interval.endNs - interval.startNs)),
      ),
    );
  const heads = ['vCPU', 'state', 'pCPU', 'from', 'for'].map((text) => h('th', { scope: 'col' }, text));
  return h(
    'div',
    {},
    more ? h('p', { class: 'note' }, `The first ${TABLE_ROWS_MAX}, lane by lane: zoom in to see all.`) : null,
    rows.length === 0
      ? h('p', { class: 'note' }, 'There are no single intervals here: the page has sums.')
      : null,
    h('table', {}, h('thead', {}, h('tr', {}, ...heads)), h('tbody', {}, ...body)),
  );
}

/** Single intervals where they are on the page, and the shares of bins where they are not. */
export function viewCsv(model: TimelineModel, fromNs: number, toNs: number): string {
  const { rows } = intervalsIn(model, fromNs, toNs, CSV_ROWS_MAX);
  const lines = rows.map(({ lane, what, pcpu, startNs, endNs }) =>
    csvLine([lane.label, STATE_NAMES[what], pcpu < 0 ? null : pcpu, startNs, endNs, 1]),
  );
  const shares = new Float64Array(STATE_NAMES.length + 3);
  const { widthNs } = model.data.bins;
  const origin = model.data.fromNs;
  for (const piece of model.pieces(fromNs, toNs)) {
    if (piece.exact) continue;
    const first = origin + Math.floor((piece.fromNs - origin) / widthNs) * widthNs;
    for (let at = first; at < piece.toNs && lines.length < CSV_ROWS_MAX; at += widthNs) {
      for (const lane of model.lanes) {
        if (lane.kind === 'pcpu') continue;
        model.sharesOf(lane, at, at + widthNs, shares);
        for (const [state, name] of STATE_NAMES.entries()) {
          if (shares[state] > 0) {
            lines.push(csvLine([lane.label, name, null, at, at + widthNs, Number(shares[state].toFixed(3))]));
          }
        }
      }
    }
  }
  return csvLine(['vcpu', 'state', 'pcpu', 'start_ns', 'end_ns', 'share']) + lines.join('');
}

function intervalsIn(
  model: TimelineModel,
  fromNs: number,
  toNs: number,
  rowsMax: number,
): { rows: Interval[]; more: boolean } {
  const rows: Interval[] = [];
  for (const lane of model.lanes) {
    if (lane.kind === 'pcpu') continue;
    const { startNs, endNs } = model.ofVcpu[lane.of];
    for (let index = firstEndingAfter(endNs, fromNs); index < endNs.length; index++) {
      if (startNs[index] >= toNs) break;
      if (rows.length === rowsMax) return { rows, more: true };
      rows.push(model.interval(lane, index)!);
    }
  }
  return { rows, more: false };
}
