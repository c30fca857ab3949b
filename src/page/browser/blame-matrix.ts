import type { Cell } from '../../analysis/analysis.ts';
import { formatPercent } from '../../report/quantities.ts';
import { renderResultCsv } from '../../report/result-csv.ts';
import { domLabel, vcpuLabel } from '../../timeline/vcpu-label.ts';
import { h } from './dom.ts';
import { chooser, figure } from './figure.ts';
import type { Results } from './results.ts';
import { formatNs } from './time-format.ts';

/** More would not be legible. */
const SIDE_MAX = 40;
const REASONS = [
  'boost_ns',
  'priority_ns',
  'turn_ns',
  'ratelimit_ns',
  'throttled_ns',
  'no_tickle_ns',
  'idle_ns',
  'dispatch_ns',
  'unknown_ns',
] as const;

interface Blamed {
  readonly victim: string;
  readonly culprit: string;
  readonly ns: number;
  readonly row: Record<string, Cell>;
}

/** Who waited for whom: a table whose cells are as dark as the time is long. */
export function blameMatrix(results: Results): HTMLElement | null {
  const all = [
    { name: 'antagonists_by_domain', label: 'by domain', cells: blamedDomains(results) },
    { name: 'antagonists', label: 'by vCPU', cells: blamedVcpus(results) },
  ].filter(({ cells }) => cells.length > 0);
  if (all.length === 0) return null;
  const tables = all.filter(({ cells }) => sideOf(cells) <= SIDE_MAX);
  if (tables.length === 0) {
    return h(
      'p',
      { class: 'note' },
      `No matrix of more than ${SIDE_MAX} domains: the tables below have all.`,
    );
  }
  const room = h('div', {
    class: 'scroll',
    tabindex: 0,
    role: 'region',
    'aria-label': 'Who waited for whom',
  });
  let [shown, measure] = [tables[0], 'blamed_ns'];
  const show = () => room.replaceChildren(matrix(shown.cells, measure));
  show();
  const reasons = REASONS.filter((name) =>
    tables.some(({ cells }) => cells.some(({ row }) => Number(row[name]) > 0)),
  );
  return figure(
    'Who waited for whom',
    'Rows waited, columns are whom they waited for; in each cell, for how long.',
    () => renderResultCsv(results.table(shown.name)!),
    chooser(
      'Show',
      tables.map(({ label }) => label),
      (index) => {
        shown = tables[index];
        show();
      },
    ),
    chooser(
      'because of',
      ['everything', ...reasons.map((name) => name.replace(/_ns$/, '').replace('_', ' '))],
      (index) => {
        measure = index === 0 ? 'blamed_ns' : reasons[index - 1];
        show();
      },
    ),
    room,
  );
}

function blamedDomains(results: Results): Blamed[] {
  return results.rows('antagonists_by_domain').map((row) => ({
    victim: domLabel(Number(row.dom)),
    culprit: row.culprit_dom === null ? 'nobody known' : domLabel(Number(row.culprit_dom)),
    ns: Number(row.blamed_ns),
    row,
  }));
}

function blamedVcpus(results: Results): Blamed[] {
  return results.rows('antagonists').map((row) => ({
    victim: vcpuLabel(Number(row.dom), Number(row.vcpu)),
    culprit:
      row.culprit_dom === null
        ? 'nobody known'
        : vcpuLabel(Number(row.culprit_dom), Number(row.culprit_vcpu)),
    ns: Number(row.blamed_ns),
    row,
  }));
}

function sideOf(cells: readonly Blamed[]): number {
  return Math.max(
    new Set(cells.map(({ victim }) => victim)).size,
    new Set(cells.map(({ culprit }) => culprit)).size,
  );
}

function matrix(cells: readonly Blamed[], measure: string): HTMLElement {
  const victims = [...new Set(cells.map(({ victim }) => victim))];
  // In the order of the victims where they are the same ones, so that the diagonal is oneself.
  const others = [...new Set(cells.map(({ culprit }) => culprit))].filter(
    (culprit) => !victims.includes(culprit),
  );
  const culprits = [
    ...victims.filter((name) => cells.some(({ culprit }) => culprit === name)),
    ...others.sort(),
  ];
  const nsOf = (victim: string, culprit: string) => {
    const row = cells.find((cell) => cell.victim === victim && cell.culprit === culprit)?.row;
    return row === undefined ? 0 : Number(row[measure]);
  };
  const most = Math.max(1, ...cells.map(({ row }) => Number(row[measure])));
  return h(
    'table',
    { class: 'matrix' },
    h(
      'thead',
      {},
      h('tr', {}, h('td', {}, 'waited \\ for'), ...culprits.map((name) => h('th', { scope: 'col' }, name))),
    ),
    h(
      'tbody',
      {},
      ...victims.map((victim) => {
        const total = culprits.reduce((sum, culprit) => sum + nsOf(victim, culprit), 0);
        return h(
          'tr',
          {},
          h('th', { scope: 'row' }, victim),
          ...culprits.map((culprit) => {
            const ns = nsOf(victim, culprit);
            const strength = ns > 0 ? Math.max(4, Math.round(Math.sqrt(ns / most) * 100)) : 0;
            const title =
              ns > 0
                ? `${victim} waited ${formatNs(ns)} for ${culprit}: ${formatPercent(ns / total)} of its waits`
                : '';
            return h(
              'td',
              {
                class: strength > 90 ? 'strong' : strength > 75 ? 'rather' : '',
                style: `--strength:${strength}%`,
                title,
              },
              ns > 0 ? formatNs(ns) : '',
            );
          }),
        );
      }),
    ),
  );
}
