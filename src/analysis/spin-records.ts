/**
 * Signs that a vCPU spins, from the records: it yields, or it leaves its guest for executing PAUSE too often.
 * @module
 */
import type { RecordBatch } from '../decoder/record-batch.ts';
import { type EventCatalog, type FieldDefinition, readField } from '../format/index.ts';

const TRC_SCHED_YIELD = 0x28005;
/** The class of the records of which TRC_SCHED_YIELD is one: without any, nobody asked for them. */
const TRC_SCHED_VERBOSE = 0x28000;
const CLASS_MASK = 0x0ffff000;
/** Exit reasons: Intel's EXIT_REASON_PAUSE_INSTRUCTION and AMD's VMEXIT_PAUSE. Neither means anything to the other. */
const PAUSE_VMX = 40;
const PAUSE_SVM = 0x77;
const VMEXIT_NAME = /^TRC_HVM_(VMEXIT|VMX_EXIT|SVM_EXIT)/;

/** Spin records held back at most: 20 MiB. They wait for the timeline, which works behind the records. */
const CAPACITY_MAX = 1 << 20;

/** Takes one sign of spinning: a yield of the vCPU `who` (dom << 16 | vcpu), or a PAUSE exit on the pCPU `who`. */
export type TakeSpin = (tNs: number, who: number, isYield: boolean) => void;

/** The spin records ahead of the timeline, in a ring. */
export class SpinRecords {
  /** Whether the trace has records of the classes at all; without them, none of a kind means nothing. */
  yieldsTold = false;
  exitsTold = false;
  /** More were held back than there is room for: counts are too low. */
  overflowed = false;
  /** By layout: where the exit reason is. */
  readonly #reasons: readonly (FieldDefinition | undefined)[];
  readonly #isExit: Uint8Array;
  /** A power of two of them. */
  #tNs = new Float64Array(1024);
  #who = new Uint32Array(1024);
  #isYield = new Uint8Array(1024);
  #taken = 0;
  #pushed = 0;

  constructor(catalog: EventCatalog) {
    this.#reasons = catalog.layouts.map((layout) => {
      if (layout === undefined || !VMEXIT_NAME.test(layout.event.name)) return undefined;
      return layout.fields.find(({ name }) => name === 'exit_reason');
    });
    this.#isExit = Uint8Array.from(this.#reasons, (reason) => (reason === undefined ? 0 : 1));
  }

  onRecords(batch: RecordBatch): void {
    const { event, layout, pcpu, tNs, wordsOffset, words } = batch;
    const isExit = this.#isExit;
    if (!this.yieldsTold) this.yieldsTold = hasClass(batch, TRC_SCHED_VERBOSE);
    for (let row = 0; row < batch.count; row++) {
      const at = wordsOffset[row];
      if (event[row] === TRC_SCHED_YIELD) {
        if (wordsOffset[row + 1] - at >= 2) {
          this.#push(tNs[row], ((words[at] << 16) | (words[at + 1] & 0xffff)) >>> 0, 1);
        }
      } else if (isExit[layout[row]] === 1) {
        this.exitsTold = true;
        const reason = readField(words, at, this.#reasons[layout[row]]!);
        if (reason === PAUSE_VMX || reason === PAUSE_SVM) this.#push(tNs[row], pcpu[row], 0);
      }
    }
  }

  /** When the next one is; infinity where there is none. */
  get nextNs(): number {
    return this.#taken === this.#pushed
      ? Number.POSITIVE_INFINITY
      : this.#tNs[this.#taken & (this.#tNs.length - 1)];
  }

  /** Hands over those up to `tNs`, in their order. */
  take(tNs: number, take: TakeSpin): void {
    while (this.nextNs <= tNs) {
      const at = this.#taken++ & (this.#tNs.length - 1);
      take(this.#tNs[at], this.#who[at], this.#isYield[at] === 1);
    }
  }

  #push(tNs: number, who: number, isYield: number): void {
    if (this.#pushed - this.#taken === this.#tNs.length && !this.#grow()) return;
    const at = this.#pushed++ & (this.#tNs.length - 1);
    this.#tNs[at] = tNs;
    this.#who[at] = who;
    this.#isYield[at] = isYield;
  }

  /** Makes room, or says that there is none to be had. */
  #grow(): boolean {
    const size = this.#tNs.length;
    if (size === CAPACITY_MAX) {
      this.overflowed = true;
      return false;
    }
    const order = Array.from({ length: size }, (_, index) => (this.#taken + index) % size);
    const [tNs, who, isYield] = [this.#tNs, this.#who, this.#isYield];
    this.#tNs = new Float64Array(size * 2);
    this.#tNs.set(order.map((at) => tNs[at]));
    this.#who = new Uint32Array(size * 2);
    this.#who.set(order.map((at) => who[at]));
    this.#isYield = new Uint8Array(size * 2);
    this.#isYield.set(order.map((at) => isYield[at]));
    this.#taken = 0;
    this.#pushed = size;
    return true;
  }
}

function hasClass(batch: RecordBatch, id: number): boolean {
  for (let row = 0; row < batch.count; row++) if ((batch.event[row] & CLASS_MASK) === id) return true;
  return false;
}
