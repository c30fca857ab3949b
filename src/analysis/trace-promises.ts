/**
 * What a trace tells of weights, caps and reservations.
 *
 * credit2: no record has a domain's weight, but what a vCPU pays for the time it ran tells it: Xen's t2c_update
 *   takes time x (highest weight of the run queue) / weight from its credit, and TRC_CSCHED2_CREDIT_BURN has both
 *   the time and the credit left. TRC_CSCHED2_RUNQ_MAX_WEIGHT has the highest weight; in a trace that begins after
 *   it, only ratios of weights are known. A burn also says whether the domain has a cap, but not how high it is.
 * RTDS: TRC_RTDS_BUDGET_REPLENISH has the budget; deadlines move by the period, or by several after a sleep. RT-Xen's
 *   servers likewise, but for sporadic ones.
 * Nothing carries the weights and caps of credit.
 * @module
 */
import type { RecordBatch } from '../decoder/record-batch.ts';
import type { EventCatalog } from '../format/index.ts';
import { VcpuTable } from '../timeline/index.ts';
import type { Reservation } from './analysis.ts';
import { RecordFields } from './record-fields.ts';
import type { RunQueues } from './run-queues.ts';

const EVENTS = {
  TRC_CSCHED2_CREDIT_BURN: ['vcpu', 'dom', 'credit', 'delta_ns', 'budget_ns?'],
  TRC_CSCHED2_CREDIT_RESET: ['vcpu', 'dom', 'credit_end'],
  TRC_CSCHED2_RUNQ_MAX_WEIGHT: ['runqueue', 'max_weight'],
  TRC_RTDS_BUDGET_REPLENISH: ['vcpu', 'dom', 'deadline_ns', 'budget_ns'],
  TRC_RTXEN_BUDGET_REPLENISH: ['vcpu', 'dom', 'deadline_ns', 'budget_ns'],
} as const;
const BURN = 1;
const RESET = 2;
const MAX_WEIGHT = 3;

/** In TRC_CSCHED2_CREDIT_BURN: the domain has no cap (INT_MIN). */
const NO_CAP = -2147483648;
/** Credit does not fall below this (CSCHED2_CREDIT_MIN): a vCPU that comes to it paid less than it owed. */
const CREDIT_MIN = -10_000_000;
/** Shorter times tell a weight too coarsely: credit is paid in whole units. */
const BURN_NS_MIN = 100_000;
/** How far an estimate may be off the whole number that every weight is. */
const WEIGHT_ERROR = 0.05;
/** How far two ratios may be apart to be the same one. */
const RATIO_ERROR = 1e-3;
/** As what the highest weight is shown where only ratios are known; Xen's default. */
const HIGHEST_SHOWN = 256;

/** What a domain's weight is by its records. */
export interface TracedWeight {
  readonly weight: number;
  /** Only ratios are known: the highest weight is taken to be 256. */
  readonly isRelative: boolean;
}

/** Parameters that did not change, and how long they held. */
interface Server {
  budgetNs: number;
  /** 0: not known yet. */
  periodNs: number;
  heldNs: number;
}

/** What was learnt of one vCPU. */
interface Vcpu {
  /** What the last record left; NaN: none yet. */
  credit: number;
  /** Where it last paid: a change of pCPU is compensated with credit that no record tells. */
  pcpu: number;
  /** Its weight by the last burn, and for how long those before agreed on it. */
  weight: number;
  weightNs: number;
  /** Its weight over the highest one, by the last burn. */
  ratio: number;
  deadlineNs: number;
  server: Server;
  /** That of all before which held longest. */
  longest: Server;
}

export class TracePromises {
  readonly #fields: RecordFields;
  readonly #table = new VcpuTable();
  readonly #vcpus: Vcpu[] = [];
  readonly #runQueues: RunQueues;
  /** By run queue; 0: not known. */
  readonly #maxWeights = new Uint16Array(0x10000);
  /** By domain: for how long which weight was paid for. */
  readonly #weightNs = new Map<number, Map<number, number>>();
  /** By domain: the ratios of its weight to the highest that were paid by, times ns, and those ns. */
  readonly #ratios = new Map<number, { sum: number; ns: number }>();
  /** By domain: 1, no cap was seen; 2, one was seen. */
  readonly #caps = new Uint8Array(0x10000);

  /** @param runQueues hears of each batch of records before this does */
  constructor(catalog: EventCatalog, runQueues: RunQueues) {
    this.#runQueues = runQueues;
    this.#fields = new RecordFields(catalog, EVENTS);
  }

  onRecords(batch: RecordBatch): void {
    const { kinds } = this.#fields;
    const { count, layout } = batch;
    for (let row = 0; row < count; row++) {
      const kind = kinds[layout[row]];
      if (kind !== 0) this.#onRecord(batch, row, kind);
    }
  }

  /** Nothing more comes. */
  finish(): void {
    for (const [index, vcpu] of this.#vcpus.entries()) this.#noteWeight(this.#table.keys[index] >>> 16, vcpu);
  }

  /** The weight that held longest; undefined where the trace does not tell. */
  weightOf(dom: number): TracedWeight | undefined {
    const exact = [...(this.#weightNs.get(dom) ?? [])];
    if (exact.length > 0) {
      return { weight: exact.reduce((a, b) => (b[1] > a[1] ? b : a))[0], isRelative: false };
    }
    // Ratios to the highest weights of several run queues do not go together.
    if (this.#runQueues.count > 1) return undefined;
    const ratios = this.#ratios.get(dom);
    if (ratios === undefined) return undefined;
    const ratio = Math.min(1, ratios.sum / ratios.ns);
    const weight = Math.max(1, Math.round(HIGHEST_SHOWN * ratio));
    return { weight, isRelative: true };
  }

  /** Whether the domain has a cap; undefined where the trace does not tell. */
  hasCap(dom: number): boolean | undefined {
    return this.#caps[dom] === 0 ? undefined : this.#caps[dom] > 1;
  }

  /** What a vCPU of RTDS or RT-Xen had longest; undefined where the trace does not tell. */
  reservationOf(dom: number, vcpu: number): Reservation | undefined {
    const index = this.#table.find(((dom << 16) | vcpu) >>> 0);
    if (index < 0) return undefined;
    const { server, longest } = this.#vcpus[index];
    const { budgetNs, periodNs } = longest.heldNs > server.heldNs ? longest : server;
    return periodNs > 0 && budgetNs > 0 ? { budgetNs, periodNs } : undefined;
  }

  #onRecord({ layout, wordsOffset, words, pcpu }: RecordBatch, row: number, kind: number): void {
    const fields = this.#fields;
    const base = wordsOffset[row];
    const of = layout[row];
    const first = fields.word(words, base, of, 0) & 0xffff;
    const second = fields.word(words, base, of, 1) & 0xffff;
    if (kind === MAX_WEIGHT) {
      this.#maxWeights[first] = second;
      return;
    }
    const vcpu = this.#vcpu(((second << 16) | first) >>> 0);
    if (vcpu === undefined) return;
    if (kind === BURN) {
      const credit = fields.word(words, base, of, 2) | 0;
      this.#pay(vcpu, second, credit, fields.word(words, base, of, 3) | 0, pcpu[row]);
      if (fields.has(of, 4)) {
        this.#caps[second] |= (fields.word(words, base, of, 4) | 0) === NO_CAP ? 1 : 2;
      }
    } else if (kind === RESET) {
      vcpu.credit = fields.word(words, base, of, 2) | 0;
    } else {
      replenish(vcpu, fields.wide(words, base, of, 2), fields.wide(words, base, of, 3));
    }
  }

  /** `vcpu` paid for `ns`, on `pcpu`, and has `credit` left. */
  #pay(vcpu: Vcpu, dom: number, credit: number, ns: number, pcpu: number): void {
    const paid = vcpu.credit - credit;
    const stayed = vcpu.pcpu === pcpu;
    vcpu.credit = credit;
    vcpu.pcpu = pcpu;
    if (ns < BURN_NS_MIN || !stayed || !(paid > 0) || credit <= CREDIT_MIN) return;
    const ratio = ns / paid;
    const agrees = Math.abs(ratio - vcpu.ratio) <= RATIO_ERROR * ratio;
    vcpu.ratio = ratio;
    if (agrees) this.#agreeOnRatio(dom, ratio, ns);
    const runqueue = this.#runQueues.ofPcpu(pcpu);
    const estimate = runqueue < 0 ? 0 : this.#maxWeights[runqueue] * ratio;
    const weight = Math.round(estimate);
    if (weight === 0 || Math.abs(estimate - weight) > WEIGHT_ERROR) return;
    if (weight !== vcpu.weight) {
      this.#noteWeight(dom, vcpu);
      vcpu.weight = weight;
    } else {
      vcpu.weightNs += ns;
    }
  }

  #agreeOnRatio(dom: number, ratio: number, ns: number): void {
    let ratios = this.#ratios.get(dom);
    if (ratios === undefined) {
      ratios = { sum: 0, ns: 0 };
      this.#ratios.set(dom, ratios);
    }
    ratios.sum += ratio * ns;
    ratios.ns += ns;
  }

  /** Puts what a vCPU's burns agreed on to its domain. */
  #noteWeight(dom: number, vcpu: Vcpu): void {
    if (vcpu.weightNs === 0) return;
    let weights = this.#weightNs.get(dom);
    if (weights === undefined) {
      weights = new Map();
      this.#weightNs.set(dom, weights);
    }
    weights.set(vcpu.weight, (weights.get(vcpu.weight) ?? 0) + vcpu.weightNs);
    vcpu.weightNs = 0;
  }

  #vcpu(key: number): Vcpu | undefined {
    const index = this.#table.indexOf(key);
    if (index < 0) return undefined;
    this.#vcpus[index] ??= {
      credit: Number.NaN,
      pcpu: -1,
      weight: 0,
      weightNs: 0,
      ratio: 0,
      deadlineNs: Number.NaN,
      server: { budgetNs: 0, periodNs: 0, heldNs: 0 },
      longest: { budgetNs: 0, periodNs: 0, heldNs: 0 },
    };
    return this.#vcpus[index];
  }
}

/**
 * The deadline moved to `deadlineNs`, and the budget is `budgetNs` again. Steps of the deadline are multiples of the
 * period, so it is their greatest common divisor; if that is less than the budget, or the budget is another, then
 * parameters changed.
 */
function replenish(vcpu: Vcpu, deadlineNs: number, newBudgetNs: number): void {
  const stepNs = deadlineNs - vcpu.deadlineNs;
  vcpu.deadlineNs = deadlineNs;
  const { server } = vcpu;
  // RT-Xen's polling servers get none where they have nothing to do.
  const budgetNs = newBudgetNs > 0 ? newBudgetNs : server.budgetNs;
  // NaN at the first one: whether it holds the same is not known.
  if (!(stepNs > 0)) {
    server.budgetNs = budgetNs;
    return;
  }
  const periodNs = server.periodNs > 0 ? greatestCommonDivisor(server.periodNs, stepNs) : stepNs;
  if (budgetNs !== server.budgetNs || periodNs < budgetNs) {
    if (server.heldNs > vcpu.longest.heldNs) vcpu.longest = server;
    vcpu.server = { budgetNs, periodNs: stepNs, heldNs: stepNs };
    return;
  }
  server.periodNs = periodNs;
  server.heldNs += stepNs;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
