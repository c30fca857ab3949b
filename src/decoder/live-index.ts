import type { Window, WindowQueue } from './window-index.ts';

/** The windows of a stream that have come and were not read yet, by pCPU. */
export class LiveIndex {
  readonly #queues = new Map<number, LiveQueue>();
  windows = 0;

  /** pCPUs that have had windows. */
  get count(): number {
    return this.#queues.size;
  }

  /** pCPUs that have had windows, ascending. */
  get pcpus(): number[] {
    return [...this.#queues.keys()].sort((a, b) => a - b);
  }

  add(offset: number, bytes: number, pcpu: number): void {
    let queue = this.#queues.get(pcpu);
    if (queue === undefined) {
      queue = new LiveQueue();
      this.#queues.set(pcpu, queue);
    }
    queue.add({ offset, bytes, pcpu });
    this.windows++;
  }

  /** By pCPU, ascending; always the same queues. */
  feeds(): WindowQueue[] {
    return this.pcpus.map((pcpu) => this.#queues.get(pcpu)!);
  }

  /** Where the first window starts that was not read yet; infinite where there is none. */
  get firstOffset(): number {
    let first = Number.POSITIVE_INFINITY;
    for (const { firstOffset } of this.#queues.values()) first = Math.min(first, firstOffset);
    return first;
  }
}

class LiveQueue implements WindowQueue {
  readonly #windows: Window[] = [];

  get firstOffset(): number {
    return this.#windows[0]?.offset ?? Number.POSITIVE_INFINITY;
  }

  add(window: Window): void {
    this.#windows.push(window);
  }

  next(): Window | undefined {
    return this.#windows.shift();
  }

  insert(window: Window): void {
    const behind = this.#windows.findIndex(({ offset }) => offset > window.offset);
    this.#windows.splice(behind < 0 ? this.#windows.length : behind, 0, window);
  }
}
