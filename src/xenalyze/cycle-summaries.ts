import type { Analyser } from './analyser.ts';
import { CycleSummary } from './cycle-summary.ts';
import type { XenalyzeOptions } from './options.ts';
import { printEventSummary } from './summary-lines.ts';

/** Summaries by number; each is made when something is first counted. */
export class CycleSummaries {
  readonly #summaries: (CycleSummary | undefined)[] = [];

  add(number: number, cycles: number, options: XenalyzeOptions): void {
    let summary = this.#summaries[number];
    if (summary === undefined) {
      summary = new CycleSummary();
      this.#summaries[number] = summary;
    }
    summary.add(cycles, options);
  }

  /** The line of {@link printEventSummary}; nothing where nothing was counted. */
  print(a: Analyser, number: number, name: string): void {
    const summary = this.#summaries[number];
    if (summary !== undefined) printEventSummary(a, summary, name);
  }
}
