import { type Analysis, type AnalysisRun, LogHistogram } from '../analysis/index.ts';
import { WAIT_CAUSES, type WaitBatch } from '../timeline/index.ts';
import type { DistributionData } from './page-data.ts';

/** Buckets for each power of two: lengths are told to 1/64. */
const BITS = 6;
/** Points of a curve for each power of ten. */
const POINTS_PER_DECADE = 40;

/** How long waits are, by domain and cause, as curves; of the vCPUs that the user wants to know of. */
export class WaitDistributions implements Analysis, AnalysisRun {
  readonly name = 'wait_distributions';
  readonly title = 'How long waits are';
  readonly doc = 'What the page draws of them.';
  readonly listener = { onWaits: (batch: WaitBatch) => this.#onWaits(batch) };
  /** By domain, then cause. */
  readonly #histograms = new Map<number, Distribution[]>();

  create(): AnalysisRun {
    return this;
  }

  finish(): [] {
    return [];
  }

  /** @internal */
  curves(): DistributionData[] {
    return [...this.#histograms]
      .sort(([a], [b]) => a - b)
      .flatMap(([dom, ofDomain]) =>
        ofDomain.flatMap((distribution, index) =>
          distribution.count > 0
            ? [{ dom, cause: WAIT_CAUSES[index] ?? 'all', ...distribution.curve() }]
            : [],
        ),
      );
  }

  #onWaits({ count, dom, cause, startNs, endNs }: WaitBatch): void {
    for (let row = 0; row < count; row++) {
      const ns = endNs[row] - startNs[row];
      let ofDomain = this.#histograms.get(dom[row]);
      if (ofDomain === undefined) {
        ofDomain = [...WAIT_CAUSES, 'all'].map(() => new Distribution());
        this.#histograms.set(dom[row], ofDomain);
      }
      ofDomain[cause[row]].add(ns);
      ofDomain[WAIT_CAUSES.length].add(ns);
    }
  }
}

class Distribution {
  count = 0;
  #max = 0;
  readonly #histogram = new LogHistogram(BITS);

  add(ns: number): void {
    this.count++;
    if (ns > this.#max) this.#max = ns;
    this.#histogram.add(ns);
  }

  curve(): Omit<DistributionData, 'dom' | 'cause'> {
    const ns: number[] = [];
    const share: number[] = [];
    const points = Math.ceil(Math.log10(Math.max(2, this.#max)) * POINTS_PER_DECADE);
    let before = 0;
    for (let point = 0; point <= points; point++) {
      const at = Math.min(this.#max, Math.round(10 ** (point / POINTS_PER_DECADE)));
      const upTo = at === this.#max ? this.count : this.#histogram.countUpTo(at);
      if (upTo === before) continue;
      // The step begins where nothing had changed yet.
      const lastAt = Math.round(10 ** ((point - 1) / POINTS_PER_DECADE));
      if (lastAt > (ns.at(-1) ?? 0) && lastAt < at) {
        ns.push(lastAt);
        share.push(before / this.count);
      }
      if (at > (ns.at(-1) ?? -1)) {
        ns.push(at);
        share.push(upTo / this.count);
      }
      before = upTo;
      if (upTo === this.count) break;
    }
    return { count: this.count, ns, share };
  }
}
