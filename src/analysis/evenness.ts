/**
 * How evenly a stretch of time was divided among domains and vCPUs. The measures are declared once, for the whole run
 * and for windows.
 * @module
 */
import type { Cell, Column } from './analysis.ts';
import type { DomainClaim } from './division.ts';
import { coefficientOfVariation, giniIndex, jainIndex, maxMinRatio } from './statistics.ts';

/** What a measure compares: a list of quotients in {@link Stretch}. */
type Basis = 'byWeight' | 'byEntitlement' | 'vcpusByEntitlement';

interface Measure {
  /** Name of its column. */
  readonly name: string;
  readonly heading: string;
  readonly better: 'lower' | 'higher';
  readonly basis: Basis;
  readonly of: (quotients: readonly number[]) => number | null;
  /** Windows are judged by it too. */
  readonly ofWindows: boolean;
  /** People see it. */
  readonly shown: boolean;
}

const JAIN = { of: jainIndex, better: 'higher', ofWindows: true } as const;
const GINI = { of: giniIndex, better: 'lower', shown: false } as const;
const COV = { of: coefficientOfVariation, better: 'lower', shown: false } as const;
const MAX_MIN = { of: maxMinRatio, better: 'lower', shown: false } as const;
const WEIGHTS = { basis: 'byWeight', ofWindows: false } as const;
const ENTITLEMENTS = { basis: 'byEntitlement', ofWindows: true } as const;

const MEASURES: readonly Measure[] = [
  { name: 'jain', heading: 'jain', ...WEIGHTS, ...JAIN, shown: false },
  { name: 'jain_entitled', heading: 'jain entitled', ...ENTITLEMENTS, ...JAIN, shown: true },
  {
    name: 'jain_entitled_vcpus',
    heading: 'jain of vcpus',
    basis: 'vcpusByEntitlement',
    ...JAIN,
    shown: false,
  },
  { name: 'gini', heading: 'gini', ...WEIGHTS, ...GINI },
  { name: 'gini_entitled', heading: 'gini entitled', ...ENTITLEMENTS, ...GINI },
  { name: 'cov', heading: 'cov', ...WEIGHTS, ...COV },
  { name: 'cov_entitled', heading: 'cov entitled', ...ENTITLEMENTS, ...COV },
  { name: 'max_min', heading: 'max/min', ...WEIGHTS, ...MAX_MIN },
  { name: 'max_min_entitled', heading: 'max/min entitled', ...ENTITLEMENTS, ...MAX_MIN },
];
const WINDOW_MEASURES = MEASURES.filter(({ ofWindows }) => ofWindows);

const BASIS_DOCS: Record<Basis, string> = {
  byWeight: "domains' run_ns / weight, null where reservations take the place of weights",
  byEntitlement: "domains' run_ns / entitlement_ns",
  vcpusByEntitlement: "vCPUs' run_ns / entitlement_ns",
};
const MEASURE_DOCS = new Map<Measure['of'], string>([
  [jainIndex, "Jain's index, 1 if even,"],
  [giniIndex, 'Gini index, 0 if even,'],
  [coefficientOfVariation, 'Coefficient of variation, 0 if even,'],
  [maxMinRatio, 'Largest over smallest, null where that is 0,'],
]);
const docOf = (measure: Measure) => `${MEASURE_DOCS.get(measure.of)} of ${BASIS_DOCS[measure.basis]}`;

/** Columns of the whole run's measures. */
export const EVENNESS_COLUMNS: readonly Column[] = MEASURES.map((measure): Column => {
  const { name, heading, better, shown } = measure;
  const doc = `${docOf(measure)}.`;
  return { name, heading, type: 'float', unit: 'ratio', doc, better, ...(!shown && { text: 'never' }) };
});

/** Columns of what {@link Evenness} gathers of windows. */
export const WINDOW_EVENNESS_COLUMNS: readonly Column[] = WINDOW_MEASURES.flatMap((measure): Column[] => {
  const { name, heading, better, shown } = measure;
  const hidden = shown ? {} : ({ text: 'never' } as const);
  const ratio = { type: 'float', unit: 'ratio', better, ...hidden } as const;
  return [
    { name: `${name}_mean`, heading: `${heading} mean`, doc: `Mean: ${docOf(measure)}.`, ...ratio },
    { name: `${name}_worst`, heading: 'worst', doc: `That of the worst window.`, ...ratio },
    {
      name: `${name}_worst_start_ns`,
      heading: 'at',
      type: 'int',
      unit: 'ns',
      instant: true,
      doc: 'When that window began.',
      ...hidden,
    },
  ];
});

/** Somebody's quotients within one stretch of time; reused. */
export class Stretch {
  byWeight: number[] = [];
  byEntitlement: number[] = [];
  vcpusByEntitlement: number[] = [];
  /** Domains that are compared. */
  domains = 0;
  /** Whether one of them got nothing. */
  isOneStarved = false;
  /** What the one that got least of its entitlement lacked. */
  shortfallNs = 0;
  shortfallDom = 0;

  /**
   * @param ranNs by vCPU: for how long it ran
   * @param shareNs by vCPU: what it was entitled to
   * @param entitledMinNs domains and vCPUs entitled to less are left out
   */
  compare(
    domains: readonly DomainClaim[],
    ranNs: Float64Array,
    shareNs: Float64Array,
    entitledMinNs: number,
  ): void {
    this.byWeight.length = 0;
    this.byEntitlement.length = 0;
    this.vcpusByEntitlement.length = 0;
    this.domains = 0;
    this.isOneStarved = false;
    this.shortfallNs = 0;
    let areWeighed = true;
    for (const { dom, from, to, weight, isReserved } of domains) {
      let domainRanNs = 0;
      let domainShareNs = 0;
      for (let vcpu = from; vcpu < to; vcpu++) {
        domainRanNs += ranNs[vcpu];
        domainShareNs += shareNs[vcpu];
        if (isCompared(shareNs[vcpu], entitledMinNs)) {
          this.vcpusByEntitlement.push(ranNs[vcpu] / shareNs[vcpu]);
        }
      }
      if (!isCompared(domainShareNs, entitledMinNs)) continue;
      this.domains++;
      areWeighed &&= !isReserved;
      this.byWeight.push(domainRanNs / weight);
      this.byEntitlement.push(domainRanNs / domainShareNs);
      this.isOneStarved ||= domainRanNs === 0;
      if (domainShareNs - domainRanNs > this.shortfallNs) {
        this.shortfallNs = domainShareNs - domainRanNs;
        this.shortfallDom = dom;
      }
    }
    if (!areWeighed) this.byWeight.length = 0;
  }

  /** By column of {@link EVENNESS_COLUMNS}. */
  cells(): Cell[] {
    return MEASURES.map(({ of, basis }) => of(this[basis]));
  }
}

function isCompared(shareNs: number, entitledMinNs: number): boolean {
  return shareNs > 0 && shareNs >= entitledMinNs;
}

/** Mean and worst of each measure over windows. */
export class Evenness {
  readonly #tallies = WINDOW_MEASURES.map(() => new Tally());

  add(stretch: Stretch, startNs: number): void {
    for (let index = 0; index < WINDOW_MEASURES.length; index++) {
      const { of, basis, better } = WINDOW_MEASURES[index];
      const value = of(stretch[basis]);
      if (value !== null) this.#tallies[index].add(value, better, startNs);
    }
  }

  /** By column of {@link WINDOW_EVENNESS_COLUMNS}. */
  cells(): Cell[] {
    return this.#tallies.flatMap(({ count, sum, worst, worstAtNs }) => {
      return count === 0 ? [null, null, null] : [sum / count, worst, worstAtNs];
    });
  }
}

class Tally {
  count = 0;
  sum = 0;
  worst = 0;
  worstAtNs = 0;

  add(value: number, better: Measure['better'], atNs: number): void {
    if (this.count === 0 || (better === 'higher' ? value < this.worst : value > this.worst)) {
      this.worst = value;
      this.worstAtNs = atNs;
    }
    this.count++;
    this.sum += value;
  }
}
