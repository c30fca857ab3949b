import type { Collection } from './collections.ts';
import type { Holding, Totals } from './hold.ts';

export interface CollectionResult {
  readonly collection: Collection;
  readonly holdings: readonly Holding[];
  readonly totals: Totals;
}

const BEGIN = '<!-- begin: npm run fidelity -- --write -->';
const END = '<!-- end -->';

/** `document` with the tables between its two marks renewed. */
export function writeTable(document: string, results: readonly CollectionResult[]): string {
  const [before, rest] = document.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`there is no ${BEGIN} ... ${END}`);
  return `${before}${BEGIN}\n${tablesOf(results)}${END}${after}`;
}

/** A row for each collection, and a line for each scenario that is not exact. */
export function tablesOf(results: readonly CollectionResult[]): string {
  const heading = [
    '| scheduler | version | Xen that ran | scenarios exact | switches that agree | traces exact | records that agree |',
    '|---|---|---|---|---|---|---|',
  ];
  const rows = results.map(({ collection: { scheduler, xen, source }, totals }) => {
    const of = (part: number, whole: number) => (whole === 0 ? '' : `${grouped(part)} of ${grouped(whole)}`);
    const cells = [
      scheduler,
      xen,
      source,
      of(totals.exact, totals.scenarios),
      of(totals.switchesAgreed, totals.switches),
      of(totals.tracesExact, totals.traces),
      of(totals.recordsAgreed, totals.records),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  const wrong = results.flatMap(({ collection: { xen }, holdings }) =>
    holdings
      .filter(({ difference }) => difference !== undefined)
      .map(({ name, switchesAgreed, switches, difference }) => {
        return `- ${xen} \`${name}\`: ${grouped(switchesAgreed)} of ${grouped(switches)} switches, then ${difference}`;
      }),
  );
  const exceptions = wrong.length === 0 ? ['There is no scenario that is not exact.'] : wrong;
  return [...heading, ...rows, '', ...exceptions, ''].join('\n');
}

function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}
