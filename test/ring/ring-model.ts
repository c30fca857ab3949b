/**
 * Xen's rules for a trace buffer, told a second time in the plainest way: everything ever written stands in
 * one endless list of words, of which the ring shows the last `dataWords`. Positions are counted from the
 * start of that list and never wrap, and placing a record is tried out on a copy of the position before it is
 * done.
 */
export class RingModel {
  /** All words ever written, wrap records and their stale words among them. */
  readonly written: number[] = [];
  consumed = 0;
  lost = 0;
  #firstLost: readonly [number, number] = [0, 0];
  readonly #dataWords: number;

  constructor(dataBytes: number) {
    this.#dataWords = dataBytes / 4;
  }

  /** Whether the record was kept. `tsc` is [low, high]. */
  insert(
    event: number,
    cycles: boolean,
    tsc: readonly [number, number],
    extra: readonly number[],
    current: readonly [number, number],
  ): boolean {
    const record = [header(event, extra.length, cycles), ...(cycles ? tsc : []), ...extra];
    const group: number[][] = [];
    if (this.lost > 0) {
      const [dom, vcpu] = current;
      group.push([header(0x1f001, 4, true), ...tsc, this.lost, dom + vcpu * 0x10000, ...this.#firstLost]);
    }
    group.push(record);

    // Dry run: where would each of them start and what does all of it take?
    let end = this.written.length;
    for (const { length } of group) end += this.#gapBefore(end, length) + length;
    if (end - this.consumed > this.#dataWords) {
      if (this.lost === 0) this.#firstLost = tsc;
      this.lost += 1;
      return false;
    }
    for (const words of group) {
      const gap = this.#gapBefore(this.written.length, words.length);
      if (gap > 0) this.#wrap(gap, tsc);
      this.written.push(...words);
    }
    this.lost = 0;
    return true;
  }

  /** The words written since the last call. */
  take(): number[] {
    const words = this.written.slice(this.consumed);
    this.consumed = this.written.length;
    return words;
  }

  /**
   * Words left up to the end of the ring, if a record of `length` words at `position` would straddle it; else
   * 0.
   */
  #gapBefore(position: number, length: number): number {
    const left = this.#dataWords - (position % this.#dataWords);
    return length > left ? left : 0;
  }

  #wrap(gap: number, tsc: readonly [number, number]): void {
    const cycles = gap - 1 > 7;
    const head = [header(0x1f002, gap - 1 - (cycles ? 2 : 0), cycles), ...(cycles ? tsc : [])];
    const stale: number[] = [];
    for (let index = head.length; index < gap; index += 1) {
      stale.push(this.written[this.written.length + index - this.#dataWords] ?? 0);
    }
    this.written.push(...head, ...stale);
  }
}

function header(event: number, extraWords: number, cycles: boolean): number {
  return event + extraWords * 0x10000000 + (cycles ? 0x80000000 : 0);
}
