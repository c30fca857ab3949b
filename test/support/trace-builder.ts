/**
 * Hand-made traces for tests, byte by byte, without any code of `src/`: what a test builds here is an outside
 * truth for the reader and for the writer alike.
 *
 *     const trace = new TraceBuilder()
 *       .window(0)
 *       .record(0x28006, 1_000, [vcpuWord(1, 0)])      // d1v0 blocks
 *       .runstate(1_010, 1, 0, 'running', 'blocked')
 *       .window(1)
 *       .lost(2_000, { count: 3, dom: 1, vcpu: 0, firstTsc: 1_500 })
 *       .bytes();
 *
 * A window's length is filled in when the next one starts; `{ bytes }` makes it lie. Records come only after
 * a window.
 */
export class TraceBuilder {
  #bytes = new Uint8Array(1024);
  #length = 0;
  /** Offset of the open window's length word; -1 where none is to be filled in. */
  #windowLengthAt = -1;
  #windowStart = 0;

  /** Starts the window of `pcpu`. With `bytes` its header announces that many, whatever follows. */
  window(pcpu: number, lie: { bytes?: number } = {}): this {
    this.#closeWindow();
    this.#words([0x2001f003, pcpu, lie.bytes ?? 0]);
    this.#windowLengthAt = lie.bytes === undefined ? this.#length - 4 : -1;
    this.#windowStart = this.#length;
    return this;
  }

  /**
   * A record with a cycle count: header, TSC (a bigint where it is beyond 2^53), extra words (their low 32
   * bits).
   */
  record(event: number, tsc: number | bigint, words: readonly number[] = []): this {
    const ticks = BigInt(tsc);
    return this.#words([
      0x80000000 + words.length * 0x10000000 + event,
      Number(ticks & 0xffffffffn),
      Number((ticks >> 32n) & 0xffffffffn),
      ...words,
    ]);
  }

  /** A record without a cycle count, as Xen makes them for HVM handlers. */
  untimed(event: number, words: readonly number[] = []): this {
    return this.#words([words.length * 0x10000000 + event, ...words]);
  }

  /** A wrap record: no time, and whatever words the ring held there. */
  wrap(staleWords: readonly number[] = []): this {
    return this.untimed(0x1f002, staleWords);
  }

  /** A lost-records record; `dom` and `vcpu` were current when it was written (32767 is the idle domain). */
  lost(
    tsc: number | bigint,
    lost: { count: number; dom?: number; vcpu?: number; firstTsc: number | bigint },
  ): this {
    return this.record(0x1f001, tsc, [
      lost.count,
      (lost.dom ?? 32767) + (lost.vcpu ?? 0) * 0x10000,
      ...u64(lost.firstTsc),
    ]);
  }

  /** One runstate change. Its event id holds both states: old in bits 9..8, new in bits 5..4. */
  runstate(tsc: number | bigint, dom: number, vcpu: number, from: Runstate, to: Runstate): this {
    const event = 0x21001 + runstates.indexOf(from) * 0x100 + runstates.indexOf(to) * 0x10;
    return this.record(event, tsc, [vcpuWord(dom, vcpu)]);
  }

  /** Any bytes, counted as part of the open window. */
  raw(bytes: ArrayLike<number>): this {
    this.#append(bytes);
    return this;
  }

  /** Any words, counted as part of the open window. */
  rawWords(words: readonly number[]): this {
    return this.#words(words);
  }

  /** Bytes that belong to no window: the open one ends before them. */
  garbage(bytes: ArrayLike<number>): this {
    this.#closeWindow();
    this.#append(bytes);
    return this;
  }

  /** The offset of the next byte: for tests that damage or look for a place. */
  get length(): number {
    return this.#length;
  }

  /**
   * A copy of the trace so far, without its last `dropLast` bytes (the windows' headers still announce them).
   */
  bytes(dropLast = 0): Uint8Array {
    this.#fillWindowLength();
    return this.#bytes.slice(0, this.#length - dropLast);
  }

  #closeWindow(): void {
    this.#fillWindowLength();
    this.#windowLengthAt = -1;
  }

  #fillWindowLength(): void {
    if (this.#windowLengthAt < 0) return;
    const length = this.#length - this.#windowStart;
    new DataView(this.#bytes.buffer).setUint32(this.#windowLengthAt, length, true);
  }

  #words(words: readonly number[]): this {
    const bytes = new Uint8Array(words.length * 4);
    const view = new DataView(bytes.buffer);
    for (const [index, word] of words.entries()) view.setUint32(index * 4, word, true);
    this.#append(bytes);
    return this;
  }

  #append(bytes: ArrayLike<number>): void {
    if (this.#length + bytes.length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + bytes.length));
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }
}

export type Runstate = 'running' | 'runnable' | 'blocked' | 'offline';
const runstates: readonly Runstate[] = ['running', 'runnable', 'blocked', 'offline'];

/** Xen's packed vCPU: domain in the high half, vCPU in the low one. */
export function vcpuWord(dom: number, vcpu: number): number {
  return dom * 0x10000 + vcpu;
}

/** A 64-bit value as two words, low half first. */
export function u64(value: number | bigint): [number, number] {
  const wide = BigInt.asUintN(64, BigInt(value));
  return [Number(wide & 0xffffffffn), Number(wide >> 32n)];
}
