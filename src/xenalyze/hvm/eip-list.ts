import type { Analyser } from '../analyser.ts';
import { CycleSummary } from '../cycle-summary.ts';
import type { XenalyzeOptions } from '../options.ts';
import { printEventSummary } from '../summary-lines.ts';
import { sprintf } from '../text-output.ts';

interface Eip {
  readonly high: number;
  readonly low: number;
  readonly summary: CycleSummary;
}

/** Addresses in guests: how often, and how many cycles. */
export class EipList {
  /** By high word, then by low word. */
  readonly #eips = new Map<number, Map<number, Eip>>();

  add(high: number, low: number, cycles: number, options: XenalyzeOptions): void {
    let half = this.#eips.get(high);
    if (half === undefined) {
      half = new Map();
      this.#eips.set(high, half);
    }
    let eip = half.get(low);
    if (eip === undefined) {
      eip = { high, low, summary: new CycleSummary() };
      half.set(low, eip);
    }
    eip.summary.add(cycles, options);
  }

  /** Those of the most cycles first. */
  sorted(): Eip[] {
    return [...this.#eips.values()]
      .flatMap((half) => [...half.values()])
      .sort(
        (p, q) =>
          q.summary.cycles - p.summary.cycles ||
          q.summary.count - p.summary.count ||
          p.high - q.high ||
          p.low - q.low,
      );
  }
}

export function printEips(a: Analyser, list: EipList | undefined): void {
  if (list === undefined) return;
  const { out, symbols } = a;
  const eips = list.sorted();
  // Interrupts are counted without cycles: xenalyze 4.17 finds no samples then, and shows shares of nothing.
  const total = eips.reduce((sum, { summary }) => sum + summary.count, 0);
  out.printf('   Total samples: %d\n', total);
  for (const { high, low, summary } of eips) {
    const address = (BigInt(high) << 32n) | BigInt(low);
    const name = sprintf('   %12llx%-45s: ', address, symbols.find(high, low));
    if (summary.cycles !== 0) printEventSummary(a, summary, name);
    else out.printf('%s %7d %5.2lf%%\n', name, summary.count, (summary.count * 100) / total);
  }
}
