import type { Analyser } from '../analyser.ts';
import { CycleSummary } from '../cycle-summary.ts';
import type { XenalyzeOptions } from '../options.ts';
import { printEventSummary } from '../summary-lines.ts';
import { sprintf } from '../text-output.ts';

interface IoAddress {
  /** The address in the guest that was seen first; 0 if none. */
  readonly va: number;
  readonly read: CycleSummary;
  readonly write: CycleSummary;
}

/** What it took to read and write ports, or memory of devices, by address (32 bits). */
export class IoAddresses {
  readonly #addresses = new Map<number, IoAddress>();

  add(pa: number, isWrite: boolean, cycles: number, va: number, options: XenalyzeOptions): void {
    let address = this.#addresses.get(pa);
    if (address === undefined) {
      address = { va, read: new CycleSummary(), write: new CycleSummary() };
      this.#addresses.set(pa, address);
    }
    (isWrite ? address.write : address.read).add(cycles, options);
  }

  print(a: Analyser, title: string): void {
    if (this.#addresses.size === 0) return;
    a.out.printf('%s\n', title);
    for (const [pa, { va, read, write }] of [...this.#addresses].sort(([p], [q]) => p - q)) {
      const name = va === 0 ? sprintf('%8x', pa) : sprintf('%8x@%8x', pa, va);
      printEventSummary(a, read, `${name}:[r] `);
      printEventSummary(a, write, `${name}:[w] `);
    }
  }
}
