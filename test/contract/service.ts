import { type ObservedRun, RUNNING } from './observe.ts';

/** When a vCPU ran, as a function that any window can be asked of. */
export class Service {
  /** Half-open intervals, in order. */
  readonly runs: readonly { readonly startNs: number; readonly endNs: number }[];

  constructor({ host, scenario }: ObservedRun, name: string) {
    const { history } = host.vcpus.find((vcpu) => vcpu.name === name)!;
    const runs: { startNs: number; endNs: number }[] = [];
    for (const [i, { tNs: startNs, to }] of history.entries()) {
      const endNs = history[i + 1]?.tNs ?? scenario.durationNs;
      const last = runs.at(-1);
      if (to !== RUNNING || endNs === startNs) continue;
      if (last?.endNs === startNs) last.endNs = endNs;
      else runs.push({ startNs, endNs });
    }
    this.runs = runs;
  }

  /** CPU time from `fromNs` up to `toNs`. */
  between(fromNs: number, toNs: number): number {
    let sum = 0;
    for (const { startNs, endNs } of this.runs) {
      sum += Math.max(0, Math.min(endNs, toNs) - Math.max(startNs, fromNs));
    }
    return sum;
  }

  /** The longest time without service within [fromNs, toNs). */
  longestGap(fromNs: number, toNs: number): number {
    let lastNs = fromNs;
    let gapNs = 0;
    for (const { startNs, endNs } of this.runs) {
      if (endNs <= fromNs) continue;
      if (startNs >= toNs) break;
      gapNs = Math.max(gapNs, startNs - lastNs);
      lastNs = endNs;
    }
    return Math.max(gapNs, toNs - lastNs);
  }

  /** How much each period of `periodNs`, from `fromNs` on, lacks to `budgetNs`; whole periods only. */
  unserved(periodNs: number, budgetNs: number, fromNs: number, toNs: number): number[] {
    const lacks: number[] = [];
    for (let ns = fromNs; ns + periodNs <= toNs; ns += periodNs) {
      lacks.push(budgetNs - this.between(ns, ns + periodNs));
    }
    return lacks;
  }

  /**
   * The least that a window has beyond `supply` of its length, over all windows within [fromNs, toNs). The worst
   * windows begin where service ends and end where it begins, since supply never falls.
   */
  leastSurplus(supply: (lengthNs: number) => number, fromNs: number, toNs: number): number {
    const inside = this.runs.filter(({ startNs, endNs }) => endNs > fromNs && startNs < toNs);
    const begins = [fromNs, ...inside.map(({ endNs }) => endNs)];
    const ends = [...inside.map(({ startNs }) => startNs), toNs];
    let least = Infinity;
    for (const [i, beginNs] of begins.entries()) {
      let servedNs = 0;
      for (let j = i; j < ends.length; j += 1) {
        const endNs = ends[j]!;
        if (j > i)
          servedNs += Math.min(inside[j - 1]!.endNs, toNs) - Math.max(inside[j - 1]!.startNs, fromNs);
        if (endNs > beginNs) least = Math.min(least, servedNs - supply(endNs - beginNs));
      }
    }
    return least;
  }
}
