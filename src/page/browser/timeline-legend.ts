import { DOMAIN_SLOTS, MARK_NAMES } from '../page-data.ts';
import { h } from './dom.ts';
import { formatNs } from './time-format.ts';
import { STATE_NAMES, type TimelineModel } from './timeline-model.ts';

const MARK_LABELS = ['wake-ups', 'migrations', 'misses', 'resets', 'replenishments'] as const;

/** What the colours mean, and which marks are shown; what is summed is said. */
export function timelineLegend(model: TimelineModel, shown: boolean[], onChange: () => void): HTMLElement {
  const chip = (color: string, text: string, extra = '') =>
    h(
      'span',
      { class: 'chip' },
      h('i', { class: `swatch ${extra}`, style: `background:var(--${color})` }),
      text,
    );
  const guests = [...model.data.vcpuKeys.keys()].filter((vcpu) => !model.isIdle(vcpu));
  const doms = guests.map((vcpu) => model.domainOf(vcpu)).sort((a, b) => a - b);
  // In the order of domains; those that share a colour come last.
  const slots = [...new Set(doms.map((dom) => model.slotOf(dom)))].sort(
    (a, b) => Number(a === DOMAIN_SLOTS - 1) - Number(b === DOMAIN_SLOTS - 1),
  );
  return h(
    'div',
    { class: 'legend' },
    h(
      'div',
      {},
      h('b', {}, 'vCPUs'),
      ...STATE_NAMES.map((name) => chip(`state-${name}`, name, name === 'unknown' ? 'hatched' : '')),
    ),
    h(
      'div',
      {},
      h('b', {}, 'pCPUs'),
      ...slots.map((slot) => chip(`series-${slot}`, model.slotName(slot))),
      chip('lane-idle', 'idle'),
      chip('state-unknown', 'unknown', 'hatched'),
      chip('lost', `lost records (${model.data.lost.spansInAll})`, 'hatched'),
    ),
    h(
      'div',
      {},
      h('b', {}, 'Marks'),
      ...MARK_NAMES.map((name, kind) => {
        const box = h('input', {
          type: 'checkbox',
          checked: true,
          onchange: () => {
            shown[kind] = box.checked;
            onChange();
          },
        });
        const count = model.data.markCounts[kind].toLocaleString('en');
        return h(
          'label',
          { class: 'chip' },
          box,
          h('i', { class: `mark mark-${name}` }),
          `${MARK_LABELS[kind]} (${count})`,
        );
      }),
    ),
    h('p', { class: 'note' }, exactSentence(model)),
  );
}

/** What is summed and what is not. */
export function exactSentence({ data, intervals }: TimelineModel): string {
  const { bins, exact, lanesLeftOut, lost } = data;
  const covered = exact.stretches.reduce((sum, at, index) => sum + (index % 2 === 0 ? -at : at), 0);
  const share = covered / Math.max(1, data.endNs - data.fromNs);
  const width = formatNs(bins.widthNs);
  const sentences =
    share >= 0.9999
      ? [
          `All ${intervals.toLocaleString('en')} intervals of the trace are on this page, to the nanosecond. ` +
            `Seen from afar, they are summed over ${width} or a pixel.`,
        ]
      : [
          `Single intervals are on this page for ${(share * 100).toFixed(1)} % of the time (blue under the ruler): ` +
            'the stretches with the longest waits and with misses, the start, and others evenly. ' +
            `The rest is summed over ${width}: heights are shares of time. ` +
            '--from and --to make a report of a part, --exact gives more room.',
        ];
  if (lanesLeftOut > 0) sentences.push(`${lanesLeftOut} vCPUs have no lane: there is no room for them.`);
  if (lost.spansInAll > lost.spans.length)
    sentences.push(`Of ${lost.spansInAll} losses of records the ${lost.spans.length} longest are shown.`);
  return sentences.join(' ');
}
