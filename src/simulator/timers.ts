import { EventQueue } from '../base/event-queue.ts';
import { FLOAT_ZERO } from '../base/zero.ts';

/** A timer of Xen's: runs `fire(data)` on its pCPU when it expires. */
export class Timer {
  readonly slot: number;
  readonly fire: (data: number) => void;
  readonly data: number;
  pcpu: number;
  /** When it expires or last expired, without jitter. */
  expiresNs = FLOAT_ZERO;
  killed = false;

  constructor(slot: number, fire: (data: number) => void, data: number, pcpu: number) {
    this.slot = slot;
    this.fire = fire;
    this.data = data;
    this.pcpu = pcpu;
  }
}

/**
 * All timers of the machine. A timer fires exactly at its expiry, plus the jitter if there is any; one that
 * is set to the past fires at once. Expired timers of a pCPU run in the order (expiry, arming).
 *
 * Differs from Xen's timer.c on purpose: no 50 us slop, and ties by arming instead of by place in a heap.
 */
export class Timers {
  readonly #queue = new EventQueue();
  readonly #timers: Timer[] = [];
  #jitter: JitterSource | undefined;
  /** A timer that is set to the present or the past fires so much later. */
  minimumNs = 0;

  /** From now on each arming fires U[0, `jitterNs`) late; 0 is not at all. */
  setJitter(jitterNs: number, seed: number): void {
    this.#jitter = jitterNs > 0 ? new JitterSource(jitterNs, seed) : undefined;
  }

  /** A new, inactive timer on `pcpu` (init_timer). */
  init(fire: (data: number) => void, data: number, pcpu: number): Timer {
    const timer = new Timer(this.#queue.addSlot(), fire, data, pcpu);
    this.#timers.push(timer);
    return timer;
  }

  /** Arms or re-arms it (set_timer). `nowNs` is the present. */
  set(timer: Timer, expiresNs: number, nowNs: number): void {
    if (timer.killed) return;
    const from = expiresNs <= nowNs && this.minimumNs > 0 ? nowNs + this.minimumNs : expiresNs;
    timer.expiresNs = from;
    const due = this.#jitter === undefined ? from : from + this.#jitter.next();
    this.#queue.set(timer.slot, Math.max(due, nowNs), timer.pcpu, due);
  }

  /** Arms it for exactly this instant, which may be the present. */
  setExactly(timer: Timer, expiresNs: number): void {
    if (timer.killed) return;
    timer.expiresNs = expiresNs;
    this.#queue.set(timer.slot, expiresNs, timer.pcpu, expiresNs);
  }

  stop(timer: Timer): void {
    this.#queue.clear(timer.slot);
  }

  /** Stopped for good: setting it again does nothing (kill_timer). */
  kill(timer: Timer): void {
    this.stop(timer);
    timer.killed = true;
  }

  isActive(timer: Timer): boolean {
    return this.#queue.isSet(timer.slot);
  }

  /** Moves it to another pCPU (migrate_timer); an active one counts as armed anew, with the same expiry. */
  migrate(timer: Timer, pcpu: number, nowNs: number): void {
    if (timer.pcpu === pcpu) return;
    timer.pcpu = pcpu;
    if (!this.isActive(timer)) return;
    const due = this.#queue.timeOf(timer.slot);
    this.#queue.set(timer.slot, Math.max(due, nowNs), pcpu, due);
  }

  /** When the next timer fires, Infinity if none is active. */
  get nextNs(): number {
    return this.#queue.nextTime;
  }

  /** The lowest pCPU with a timer that expires next. */
  get nextPcpu(): number {
    return this.#queue.rankOf(this.#queue.nextSlot);
  }

  /**
   * Takes the first timer of `pcpu` that has expired by `nowNs`, made inactive; undefined if there is none.
   */
  takeExpired(pcpu: number, nowNs: number): Timer | undefined {
    const queue = this.#queue;
    if (queue.nextTime > nowNs) return undefined;
    let slot = queue.nextSlot;
    // Only a timer that was armed for this instant on a lower pCPU, while this one's ran, can be in front.
    if (queue.rankOf(slot) !== pcpu) slot = queue.nextSlotOfRank(pcpu, nowNs);
    if (slot < 0) return undefined;
    queue.clear(slot);
    return this.#timers[slot]!;
  }
}

/**
 * The generator of the reference machine: Marsaglia's xorshift64 with the shifts 13, 7, 17, started from
 * 88172645463325252 + seed * 2^64/phi, its value modulo J. One draw for each arming.
 */
class JitterSource {
  readonly #jitterNs: bigint;
  #state: bigint;

  constructor(jitterNs: number, seed: number) {
    this.#jitterNs = BigInt(jitterNs);
    this.#state = (88172645463325252n + BigInt(seed) * 0x9e3779b97f4a7c15n) & MASK_64;
  }

  next(): number {
    let x = this.#state;
    x ^= (x << 13n) & MASK_64;
    x ^= x >> 7n;
    x ^= (x << 17n) & MASK_64;
    this.#state = x;
    return Number(x % this.#jitterNs);
  }
}

const MASK_64 = (1n << 64n) - 1n;
