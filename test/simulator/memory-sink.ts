import { headerWord } from '../../src/format/record.ts';
import type { TraceSink } from '../../src/simulator/index.ts';

/** Keeps the records of each pCPU, as xentrace would write them, without limit. */
export class MemorySink implements TraceSink {
  enabled = true;
  records = 0;
  readonly #mask: number;
  readonly #words: Uint32Array[] = [];
  readonly #used: number[] = [];

  /** `mask` is xentrace's event mask, by class and subclass. */
  constructor(pcpus: number, mask = 0x0fffffff) {
    this.#mask = mask;
    for (let pcpu = 0; pcpu < pcpus; pcpu += 1) {
      this.#words.push(new Uint32Array(1024));
      this.#used.push(0);
    }
  }

  wants(_pcpu: number, event: number): boolean {
    const common = event & this.#mask;
    return this.enabled && (common & 0x0fff0000) !== 0 && (common & 0xf000) !== 0;
  }

  emit(
    pcpu: number,
    event: number,
    tscLow: number,
    tscHigh: number,
    words: Uint32Array,
    wordCount: number,
  ): void {
    let into = this.#words[pcpu]!;
    const at = this.#used[pcpu]!;
    if (at + 10 > into.length) {
      const wider = new Uint32Array(into.length * 2);
      wider.set(into);
      this.#words[pcpu] = into = wider;
    }
    into[at] = headerWord(event, wordCount, true);
    into[at + 1] = tscLow;
    into[at + 2] = tscHigh;
    for (let i = 0; i < wordCount; i += 1) into[at + 3 + i] = words[i]!;
    this.#used[pcpu] = at + 3 + wordCount;
    this.records += 1;
  }

  /** The words that pCPU has left since the last time. */
  drain(pcpu: number): Uint32Array {
    const words = this.#words[pcpu]!.slice(0, this.#used[pcpu]);
    this.#used[pcpu] = 0;
    return words;
  }
}
