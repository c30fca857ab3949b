/**
 * What the records of RTDS and of RT-Xen say of the servers, taken out of the stream of records and kept until the
 * vCPUs' states of that time are known too: the timeline works behind the records.
 * @module
 */
import type { RecordBatch } from '../decoder/record-batch.ts';
import type { EventCatalog, LayoutDefinition } from '../format/index.ts';
import { TRC_LOST_RECORDS } from '../format/record.ts';

/** The records of RTDS are this, but for the last three bits. */
const RTDS = 0x22800;
const TRC_RTDS_BUDGET_BURN = 0x22803;
const TRC_RTDS_BUDGET_REPLENISH = 0x22804;
/** Likewise of RT-Xen, whose sporadic servers have no periods: each part of their budget comes back by itself. */
const RTXEN = 0x24200;
const TRC_RTXEN_BUDGET_BURN = 0x24201;
const TRC_RTXEN_BUDGET_REPLENISH = 0x24202;
const TRC_RTXEN_BUDGET_RETURN = 0x24203;

/** Kinds of {@link ServerRecords}. */
export const REPLENISH = 0;
export const BURN = 1;
/** Records were lost: any server's may be among them. */
export const LOSS = 2;
export const RETURN = 3;
/** The record does not say on which level the vCPU runs: Xen before 4.10 has no extra time. */
export const LEVEL_UNKNOWN = -1;

/** A quick look at an event: false for all that {@link ServerRecords.offer} would pass over, but for a few. */
export function mayConcernServers(event: number): boolean {
  const scheduler = event & ~7;
  return scheduler === RTDS || scheduler === RTXEN || event === TRC_LOST_RECORDS;
}

function isBurn(event: number): boolean {
  return event === TRC_RTDS_BUDGET_BURN || event === TRC_RTXEN_BUDGET_BURN;
}

function isReplenishment(event: number): boolean {
  return event === TRC_RTDS_BUDGET_REPLENISH || event === TRC_RTXEN_BUDGET_REPLENISH;
}

/** Where a layout has its fields; all in words, but for the shifts of the two halves of the first. */
interface Fields {
  readonly domWord: number;
  readonly domShift: number;
  readonly vcpuWord: number;
  readonly vcpuShift: number;
  readonly deadline: number;
  readonly budget: number;
  /** -1: none. */
  readonly level: number;
}

/** A queue of the records about servers, oldest first, as a ring of columns. */
export class ServerRecords {
  count = 0;
  /** Time of the oldest record, infinite where there is none. What else is told is of that record too. */
  tNs = Number.POSITIVE_INFINITY;
  readonly #fields: (Fields | undefined)[];
  readonly #capacityMax: number;
  #first = 0;
  #mask = 1023;
  #tNs = new Float64Array(1024);
  #key = new Uint32Array(1024);
  #kind = new Uint8Array(1024);
  #level = new Float64Array(1024);
  #budgetNs = new Float64Array(1024);
  #deadline = new Uint32Array(2048);

  /** @param capacityMax a power of two, see {@link full} */
  constructor(catalog: EventCatalog, capacityMax = 1 << 20) {
    this.#fields = catalog.layouts.map(fieldsOf);
    this.#capacityMax = capacityMax;
  }

  /** Whether there is no room for one more. */
  get full(): boolean {
    return this.count === this.#capacityMax;
  }

  /** `dom << 16 | vcpu`. */
  get key(): number {
    return this.#key[this.#first];
  }

  get kind(): number {
    return this.#kind[this.#first];
  }

  get level(): number {
    return this.#level[this.#first];
  }

  get budgetNs(): number {
    return this.#budgetNs[this.#first];
  }

  /** Of the deadline, in Xen's system time: its low and its high half, as differences beyond 2^53 must be exact. */
  get deadlineLow(): number {
    return this.#deadline[2 * this.#first];
  }

  get deadlineHigh(): number {
    return this.#deadline[2 * this.#first + 1];
  }

  /** Takes the oldest record out. */
  drop(): void {
    this.#first = (this.#first + 1) & this.#mask;
    this.count--;
    this.tNs = this.count > 0 ? this.#tNs[this.#first] : Number.POSITIVE_INFINITY;
  }

  /** Puts row `row` of a batch in, a record of `event`, where it is about servers; the queue must not be full. */
  offer(batch: RecordBatch, row: number, event: number): void {
    if (isBurn(event)) this.#push(batch, row, BURN);
    else if (isReplenishment(event)) this.#push(batch, row, REPLENISH);
    else if (event === TRC_RTXEN_BUDGET_RETURN) this.#push(batch, row, RETURN);
    else if (event === TRC_LOST_RECORDS) this.#push(batch, row, LOSS);
  }

  #push(batch: RecordBatch, row: number, kind: number): void {
    const fields = this.#fields[batch.layout[row]];
    if (kind !== LOSS && fields === undefined) return;
    if (this.count > this.#mask) this.#grow();
    const at = (this.#first + this.count) & this.#mask;
    this.#tNs[at] = batch.tNs[row];
    if (this.count++ === 0) this.tNs = batch.tNs[row];
    this.#kind[at] = kind;
    if (fields === undefined) return;
    const { words } = batch;
    const base = batch.wordsOffset[row];
    const dom = (words[base + fields.domWord] >>> fields.domShift) & 0xffff;
    const vcpu = (words[base + fields.vcpuWord] >>> fields.vcpuShift) & 0xffff;
    this.#key[at] = (dom << 16) | vcpu;
    this.#level[at] = fields.level < 0 ? LEVEL_UNKNOWN : words[base + fields.level];
    this.#budgetNs[at] = words[base + fields.budget + 1] * 2 ** 32 + words[base + fields.budget];
    if (kind !== REPLENISH) return;
    this.#deadline[2 * at] = words[base + fields.deadline];
    this.#deadline[2 * at + 1] = words[base + fields.deadline + 1];
  }

  #grow(): void {
    const old = { first: this.#first, mask: this.#mask };
    const size = 2 * (this.#mask + 1);
    this.#tNs = unroll(this.#tNs, new Float64Array(size), old.first);
    this.#key = unroll(this.#key, new Uint32Array(size), old.first);
    this.#kind = unroll(this.#kind, new Uint8Array(size), old.first);
    this.#level = unroll(this.#level, new Float64Array(size), old.first);
    this.#budgetNs = unroll(this.#budgetNs, new Float64Array(size), old.first);
    this.#deadline = unroll(this.#deadline, new Uint32Array(2 * size), 2 * old.first);
    this.#first = 0;
    this.#mask = size - 1;
  }
}

/** Puts a full ring into a larger array, its oldest entry first. */
function unroll<T extends Float64Array | Uint32Array | Uint8Array>(ring: T, larger: T, first: number): T {
  larger.set(ring.subarray(first));
  larger.set(ring.subarray(0, first), ring.length - first);
  return larger;
}

/** Undefined for other events, and for a layout that does not say what it takes. */
function fieldsOf(layout: LayoutDefinition | undefined): Fields | undefined {
  const event = layout?.event.id;
  if (layout === undefined || event === undefined) return;
  if (!isBurn(event) && !isReplenishment(event) && event !== TRC_RTXEN_BUDGET_RETURN) return;
  const bitOf = (name: string, width: number) => {
    const field = layout.fields.find((candidate) => candidate.name === name);
    const whole = field !== undefined && field.width === width && field.offset % Math.min(width, 32) === 0;
    return whole ? field.offset : -32;
  };
  const [dom, vcpu] = [bitOf('dom', 16), bitOf('vcpu', 16)];
  const fields = {
    domWord: dom >> 5,
    domShift: dom & 31,
    vcpuWord: vcpu >> 5,
    vcpuShift: vcpu & 31,
    deadline: bitOf('deadline_ns', 64) >> 5,
    budget: bitOf('budget_ns', 64) >> 5,
    level: bitOf('priority_level', 32) >> 5,
  };
  const needed = [dom, vcpu, fields.budget, isReplenishment(event) ? fields.deadline : 0];
  return needed.every((place) => place >= 0) ? fields : undefined;
}
