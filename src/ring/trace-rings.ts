import { assert } from '../base/assert.ts';
import type { TraceSink } from '../simulator/trace-sink.ts';
import { EVENT_MASK_ALL, eventMatches } from './event-mask.ts';
import { KEPT_AND_CROSSED_HIGH_WATER, LOST, TraceRing } from './trace-ring.ts';

/** The size of the rings, and what goes into them. */
export interface TraceRingsOptions {
  readonly pcpus: number;
  /** Bytes for records in each pCPU's ring, a multiple of 4. */
  readonly dataBytes: number;
  /** Xen's tb_event_mask; TRC_ALL unless given. */
  readonly eventMask?: number | undefined;
  /** Which pCPUs are traced; all unless given. */
  readonly tracesPcpu?: ((pcpu: number) => boolean) | undefined;
  /** Whether tracing starts switched on; it does unless given. */
  readonly enabled?: boolean | undefined;
}

/**
 * Xen's tracing as a whole: a ring per pCPU, the event and the cpu mask, and the switch that turns it on and
 * off. The simulated hypervisor writes to it ({@link TraceSink}), the recorder reads from it.
 */
export class TraceRings implements TraceSink {
  readonly pcpus: number;
  readonly eventMask: number;
  readonly #rings: readonly TraceRing[];
  readonly #traced: Uint8Array;
  #enabled: boolean;
  #kept = 0;
  #lost = 0;
  #forgotten = 0;
  #notifications = 0;
  /**
   * Called when a ring has filled up to its high-water mark, half its size, from below: the virtual interrupt
   * VIRQ_TBUF, which wakes xentrace.
   */
  onHighWater: (() => void) | undefined;
  /**
   * Called in front of every wanted record while set. What a consumer would do by now it can do then, at the
   * latest.
   */
  beforeRecord: (() => void) | undefined;

  constructor(options: TraceRingsOptions) {
    // The records are written as the host's own words, and a trace file is little-endian.
    assert(new Uint8Array(new Uint32Array([1]).buffer)[0] === 1, 'this needs a little-endian machine');
    this.pcpus = options.pcpus;
    this.eventMask = options.eventMask ?? EVENT_MASK_ALL;
    this.#rings = Array.from({ length: options.pcpus }, () => new TraceRing(options.dataBytes));
    this.#traced = Uint8Array.from(this.#rings, (_, pcpu) => ((options.tracesPcpu?.(pcpu) ?? true) ? 1 : 0));
    this.#enabled = options.enabled ?? true;
  }

  wants(pcpu: number, event: number): boolean {
    return this.#enabled && this.#traced[pcpu] === 1 && eventMatches(this.eventMask, event);
  }

  emit(
    pcpu: number,
    event: number,
    tscLow: number,
    tscHigh: number,
    words: Uint32Array,
    wordCount: number,
    currentDom: number,
    currentVcpu: number,
  ): void {
    if (!this.wants(pcpu, event)) return;
    if (this.beforeRecord !== undefined) this.beforeRecord();
    const outcome = this.#rings[pcpu]!.insert(
      event,
      true,
      tscLow,
      tscHigh,
      words,
      wordCount,
      currentDom,
      currentVcpu,
    );
    if (outcome === LOST) {
      this.#lost += 1;
      return;
    }
    this.#kept += 1;
    if (outcome === KEPT_AND_CROSSED_HIGH_WATER) {
      this.#notifications += 1;
      this.onHighWater?.();
    }
  }

  /** Switches tracing on (XEN_SYSCTL_TBUFOP_enable). */
  enable(): void {
    this.#enabled = true;
  }

  /**
   * Switches tracing off (XEN_SYSCTL_TBUFOP_disable). What the rings hold stays. What was lost and not yet
   * told is forgotten, so that the next trace does not begin with it.
   */
  disable(): void {
    this.#enabled = false;
    for (const ring of this.#rings) {
      this.#forgotten += ring.lostRecords;
      ring.lostRecords = 0;
    }
  }

  get enabled(): boolean {
    return this.#enabled;
  }

  /** The ring of a pCPU, for its consumer. */
  ring(pcpu: number): TraceRing {
    return this.#rings[pcpu]!;
  }

  /** Records of the hypervisor that went into a ring; wrap and lost-records records are not among them. */
  get keptRecords(): number {
    return this.#kept;
  }

  /** Records that found no space, told in the trace or not. */
  get lostRecords(): number {
    return this.#lost;
  }

  /** Those of them that no lost-records record in a ring tells of: not yet, or never. */
  get untoldLostRecords(): number {
    return this.#rings.reduce((sum, ring) => sum + ring.lostRecords, this.#forgotten);
  }

  /** How often a ring has reached its high-water mark. */
  get notifications(): number {
    return this.#notifications;
  }
}
