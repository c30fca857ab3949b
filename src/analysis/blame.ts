import {
  BLAME_REASONS,
  type BlameBatch,
  DOM_IDLE,
  domLabel,
  NOBODY,
  vcpuLabel,
  type WaitBatch,
} from '../timeline/index.ts';
import type { Analysis, AnalysisRun, Cell, Column, ResultTable } from './analysis.ts';
import { countColumn, DOM, nsColumn, ratioColumn, VCPU } from './columns.ts';
import { COVERAGE, type Coverage } from './coverage.ts';
import { PairSums } from './pair-sums.ts';

const REASON_DOCS: Readonly<Record<(typeof BLAME_REASONS)[number], string>> = {
  boost: 'another was boosted (credit)',
  priority:
    'another went before by priority: more credit (credit2), an earlier deadline or a lower priority level (RTDS)',
  turn: 'another had its turn, and nothing in the trace shows that it had a higher priority',
  ratelimit: 'another was kept running because it had not run for the ratelimit yet',
  throttled: 'its own budget or cap kept it back',
  no_tickle: 'a pCPU where it could have run idled, and no pCPU had been told since it woke',
  idle: 'a pCPU where it could have run idled all the same: work conservation was lost',
  dispatch: 'the pCPU that took it had been told, or was deciding, and had not switched yet',
  unknown: 'nobody can tell who ran',
};

const REASONS: readonly Column[] = BLAME_REASONS.map((reason) =>
  nsColumn(`${reason}_ns`, `Part of it in which ${REASON_DOCS[reason]}.`, { text: 'nonzero' }),
);
const VICTIM: readonly Column[] = [
  countColumn('waits', 'Waits: times runnable that ended by running, start and end seen.'),
  nsColumn('wait_ns_total', 'Sum of the waits; the parts by reason sum to it exactly.', {
    heading: 'waited',
    better: 'lower',
  }),
  ...REASONS,
  {
    name: 'top_culprit',
    type: 'string',
    doc: 'Who has the largest part in it, the idle domain and itself included.',
  },
  ratioColumn('top_share', 'That part over wait_ns_total.'),
  COVERAGE,
];
const CULPRIT_DOM: Column = {
  ...DOM,
  name: 'culprit_dom',
  doc: 'Domain of the one that it waited for; 32767 where a pCPU idled, null where nobody can tell.',
};
const CULPRIT_VCPU: Column = {
  ...VCPU,
  name: 'culprit_vcpu',
  doc: 'Its vCPU; the pCPU where that idled.',
};
const BLAMED: readonly Column[] = [
  nsColumn('blamed_ns', 'Part of its waits that this one has.', {
    heading: 'waited for it',
    better: 'lower',
  }),
  ratioColumn('share', 'The same over all its waits.'),
  ...REASONS,
  nsColumn(
    'returned_ns',
    'Part that it has in the waits of the other: who is as much victim as culprit takes turns.',
    {
      heading: 'the other for it',
    },
  ),
];
const EMPTY = 'no wait ended.';

/** A victim or a culprit: a vCPU, or a domain. -1 where nobody can tell. */
type Key = number;

class BlameRun implements AnalysisRun {
  readonly listener = {
    onWaits: (batch: WaitBatch) => this.#onWaits(batch),
    onBlames: (batch: BlameBatch) => this.#onBlames(batch),
  };
  readonly #coverage: Coverage;
  /** By victim and culprit, as vCPU indices: a sum for each reason. */
  readonly #pairs = new PairSums(BLAME_REASONS.length);
  /** Index of a vCPU -> its key, `dom << 16 | vcpu`. */
  readonly #keys: number[] = [];
  /** By index of a vCPU. */
  readonly #waits: number[] = [];
  readonly #waitNs: number[] = [];

  constructor(coverage: Coverage) {
    this.#coverage = coverage;
  }

  finish(): ResultTable[] {
    const vcpus = new Matrix();
    const doms = new Matrix();
    const waits = new Map<Key, Waited>();
    const domWaits = new Map<Key, Waited>();
    for (let index = 0; index < this.#pairs.count; index++) {
      const victim = this.#keys[this.#pairs.first[index]];
      const second = this.#pairs.second[index];
      const culprit = second === NOBODY ? -1 : this.#keys[second];
      const sums = this.#pairs.sums(index);
      vcpus.add(victim, culprit, sums);
      doms.add(domOf(victim), domOf(culprit), sums);
    }
    for (const [index, count] of this.#waits.entries()) {
      if (count === undefined) continue;
      addWaited(waits, this.#keys[index], count, this.#waitNs[index]);
      addWaited(domWaits, domOf(this.#keys[index]), count, this.#waitNs[index]);
    }
    const vcpuCells = (key: Key) => (key < 0 ? [null, null] : [Math.floor(key / 0x10000), key % 0x10000]);
    const vcpuName = (key: Key) => vcpuLabel(Math.floor(key / 0x10000), key % 0x10000);
    const domCells = (dom: Key) => [dom < 0 ? null : dom];
    return [
      {
        name: 'blame',
        title: 'Why each vCPU waited',
        doc: 'The waits of each vCPU, by the reason why who ran meanwhile did not stand aside.',
        columns: [DOM, VCPU, ...VICTIM],
        rows: [...waits]
          .sort(([a], [b]) => a - b)
          .map(([key, waited]) => [
            ...vcpuCells(key),
            ...victimCells(waited, vcpus.culpritsOf(key), vcpuName),
            this.#coverage.ofVcpu(key),
          ]),
        sampleColumn: 'waits',
        empty: EMPTY,
      },
      {
        name: 'blame_by_domain',
        title: 'Why each domain waited',
        doc: 'The same over all vCPUs of a domain; its own other vCPUs may be culprits.',
        columns: [DOM, ...VICTIM],
        rows: [...domWaits]
          .sort(([a], [b]) => a - b)
          .map(([dom, waited]) => [
            dom,
            ...victimCells(waited, doms.culpritsOf(dom), domLabel),
            this.#coverage.ofDomain(dom),
          ]),
        sampleColumn: 'waits',
        empty: EMPTY,
      },
      {
        name: 'antagonists',
        title: 'Who waited for whom, by vCPU',
        doc: 'Each vCPU that waited with each that it waited for. The parts of a vCPU sum to its waits exactly.',
        columns: [DOM, VCPU, CULPRIT_DOM, CULPRIT_VCPU, ...BLAMED],
        rows: antagonistRows(vcpus, waits, vcpuCells),
        detail: true,
        empty: EMPTY,
      },
      {
        name: 'antagonists_by_domain',
        title: 'Who waited for whom, by domain',
        doc: 'The same by domain.',
        columns: [DOM, CULPRIT_DOM, ...BLAMED],
        rows: antagonistRows(doms, domWaits, domCells),
        empty: EMPTY,
      },
      {
        name: 'mutual_antagonists',
        title: 'Who takes turns with whom',
        doc: 'Pairs of vCPUs that waited for each other: the more equal the two sums, the more they take turns.',
        columns: [
          DOM,
          VCPU,
          { ...CULPRIT_DOM, name: 'other_dom', doc: 'Domain of the other one.' },
          { ...CULPRIT_VCPU, name: 'other_vcpu', doc: 'Its vCPU.' },
          nsColumn(
            'mutual_ns',
            'Twice the smaller of the two sums: waiting that the one did for the other and back.',
          ),
          nsColumn('for_other_ns', 'Time that the first waited for the other.'),
          nsColumn('for_first_ns', 'Time that the other waited for the first.'),
        ],
        rows: mutualRows(vcpus, vcpuCells),
        detail: true,
        empty: 'no two vCPUs waited for each other.',
      },
    ];
  }

  #onWaits(batch: WaitBatch): void {
    for (let row = 0; row < batch.count; row++) {
      const index = batch.vcpuIndex[row];
      this.#keys[index] = ((batch.dom[row] << 16) | batch.vcpu[row]) >>> 0;
      this.#waits[index] = (this.#waits[index] ?? 0) + 1;
      this.#waitNs[index] = (this.#waitNs[index] ?? 0) + batch.endNs[row] - batch.startNs[row];
    }
  }

  #onBlames(batch: BlameBatch): void {
    const { vcpuIndex, vcpuKey, culpritIndex, culpritKey, reason, ns } = batch;
    for (let row = 0; row < batch.count; row++) {
      const victim = vcpuIndex[row];
      const culprit = culpritIndex[row];
      this.#keys[victim] = vcpuKey[row];
      if (culprit >= 0) this.#keys[culprit] = culpritKey[row];
      this.#pairs.add(victim, culprit, reason[row], ns[row]);
    }
  }
}

interface Waited {
  count: number;
  ns: number;
}

interface Culprit {
  readonly key: Key;
  /** By reason. */
  readonly sums: number[];
  ns: number;
}

/** Victims' parts by culprit and reason. */
class Matrix {
  readonly #victims = new Map<Key, Map<Key, Culprit>>();

  add(victim: Key, culprit: Key, sums: Float64Array): void {
    let culprits = this.#victims.get(victim);
    if (culprits === undefined) {
      culprits = new Map();
      this.#victims.set(victim, culprits);
    }
    let own = culprits.get(culprit);
    if (own === undefined) {
      own = { key: culprit, sums: BLAME_REASONS.map(() => 0), ns: 0 };
      culprits.set(culprit, own);
    }
    for (const [reason, ns] of sums.entries()) {
      own.sums[reason] += ns;
      own.ns += ns;
    }
  }

  /** The largest part first. */
  culpritsOf(victim: Key): Culprit[] {
    return [...(this.#victims.get(victim)?.values() ?? [])].sort((a, b) => b.ns - a.ns || a.key - b.key);
  }

  /** What part `culprit` has in the waits of `victim`. */
  nsOf(victim: Key, culprit: Key): number {
    return this.#victims.get(victim)?.get(culprit)?.ns ?? 0;
  }

  victims(): Key[] {
    return [...this.#victims.keys()].sort((a, b) => a - b);
  }
}

function domOf(key: Key): number {
  return key < 0 ? -1 : Math.floor(key / 0x10000);
}

function addWaited(waited: Map<Key, Waited>, key: Key, count: number, ns: number): void {
  const own = waited.get(key) ?? { count: 0, ns: 0 };
  own.count += count;
  own.ns += ns;
  waited.set(key, own);
}

function victimCells(
  { count, ns }: Waited,
  culprits: readonly Culprit[],
  name: (key: Key) => string,
): Cell[] {
  const [top] = culprits;
  const byReason = BLAME_REASONS.map((_, reason) =>
    culprits.reduce((sum, { sums }) => sum + sums[reason], 0),
  );
  const topName = top === undefined ? null : top.key < 0 ? 'unknown' : name(top.key);
  return [count, ns, ...byReason, topName, top === undefined ? null : top.ns / ns];
}

function antagonistRows(
  matrix: Matrix,
  waited: ReadonlyMap<Key, Waited>,
  cells: (key: Key) => (number | null)[],
): Cell[][] {
  return matrix.victims().flatMap((victim) =>
    matrix.culpritsOf(victim).map(({ key, sums, ns }) => {
      const totalNs = waited.get(victim)?.ns ?? 0;
      const returnedNs = key === victim ? 0 : matrix.nsOf(key, victim);
      return [...cells(victim), ...cells(key), ns, totalNs > 0 ? ns / totalNs : null, ...sums, returnedNs];
    }),
  );
}

function mutualRows(matrix: Matrix, cells: (key: Key) => (number | null)[]): Cell[][] {
  const isGuest = (key: Key) => key >= 0 && domOf(key) !== DOM_IDLE;
  const pairs = matrix.victims().flatMap((first) =>
    matrix
      .culpritsOf(first)
      .filter(({ key }) => isGuest(key) && key > first && matrix.nsOf(key, first) > 0)
      .map(({ key, ns }) => ({ first, key, ns, backNs: matrix.nsOf(key, first) })),
  );
  pairs.sort(
    (a, b) => Math.min(b.ns, b.backNs) - Math.min(a.ns, a.backNs) || a.first - b.first || a.key - b.key,
  );
  return pairs.map(({ first, key, ns, backNs }) => {
    return [...cells(first), ...cells(key), 2 * Math.min(ns, backNs), ns, backNs];
  });
}

/** Who is to blame for the waits, and why. Definitions: docs/metrics.md. */
export const blame: Analysis = {
  name: 'blame',
  title: 'Who waited because of whom, and why',
  doc: 'For each wait who ran meanwhile where the waiter could have run, for how long, and why it did not stand aside.',
  hears: 'all',
  create: ({ coverage }) => new BlameRun(coverage),
};
