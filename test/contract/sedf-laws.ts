import type { Scenario, SedfParameters } from '../../src/scenario/scenario.ts';
import type { Law } from './law.ts';
import { type Checker, RUNNING, type SeenVcpu } from './observe.ts';

const ofSedf = ({ scheduler }: Scenario) => (scheduler === 'sedf' ? undefined : 'of SEDF only');

const home: Law = {
  name: 'a vCPU never leaves its pCPU',
  whyNot: ofSedf,
  create(): Checker {
    const homes = new Map<SeenVcpu, number>();
    return {
      switched: (_host, _tNs, pcpu, next) => {
        if (next === undefined) return undefined;
        const before = homes.get(next) ?? pcpu;
        homes.set(next, pcpu);
        return before === pcpu ? undefined : `${next.name} was on pCPU ${before}, enters ${pcpu}`;
      },
    };
  },
};

/** A hog with a slice, and what it gets from each deadline to the next: it never blocks, so that these are known. */
class Periods {
  readonly vcpu: SeenVcpu;
  readonly #sedf: SedfParameters;
  /** End of the present period; the first one begins when a slice has passed since it woke. */
  #endNs: number;
  /** undefined before the first one. */
  #servedNs: number | undefined = undefined;

  constructor(vcpu: SeenVcpu, sedf: SedfParameters, offsetNs: number) {
    this.vcpu = vcpu;
    this.#sedf = sedf;
    this.#endNs = offsetNs + sedf.sliceNs;
  }

  /** It stays in its state from `nowNs` to `untilNs`. Answers with what is wrong of a period that ends. */
  pass(nowNs: number, untilNs: number): string | undefined {
    const { periodNs, sliceNs, extratime } = this.#sedf;
    let problem: string | undefined;
    for (let atNs = nowNs; atNs < untilNs; ) {
      const toNs = Math.min(untilNs, this.#endNs);
      if (this.vcpu.state === RUNNING && this.#servedNs !== undefined) this.#servedNs += toNs - atNs;
      atNs = toNs;
      if (atNs < this.#endNs) continue;
      const servedNs = this.#servedNs ?? sliceNs;
      if (servedNs < sliceNs || (servedNs > sliceNs && !extratime)) {
        problem = `${this.vcpu.name} gets ${servedNs} ns in a period, its slice is ${sliceNs} ns`;
      }
      this.#endNs += periodNs;
      this.#servedNs = 0;
    }
    return problem;
  }
}

const slices: Law = {
  name: 'a hog gets its slice in each period, and no more without extra time',
  whyNot(scenario) {
    const { domains, host } = scenario;
    const why = ofSedf(scenario);
    if (why !== undefined) return why;
    if (host.timerJitterNs > 0) return 'SEDF: slices and periods end late with late timers';
    if (domains.some(({ weight, sedf }) => (weight ?? sedf?.weight ?? 0) > 0))
      return 'SEDF: whose weight leads to which slice hangs on who is where';
    const promised = domains.reduce((sum, { sedf, vcpus }) => {
      return sum + (sedf === undefined ? 0 : (vcpus.length * sedf.sliceNs) / sedf.periodNs);
    }, 0);
    if (promised > 1) return 'SEDF: more may be promised than a pCPU has';
    return domains.some(({ sedf, vcpus }) => sedf && vcpus.some(({ workload }) => workload.kind === 'hog'))
      ? undefined
      : 'no hog with a slice';
  },
  create({ domains }): Checker {
    let all: Periods[] | undefined;
    return {
      rest({ vcpus }, nowNs, untilNs) {
        all ??= vcpus.flatMap((vcpu) => {
          const domain = domains.find(({ id }) => id === vcpu.dom)!;
          const { workload } = domain.vcpus[vcpu.vcpu]!;
          if (domain.sedf === undefined || workload.kind !== 'hog') return [];
          return [new Periods(vcpu, domain.sedf, workload.offsetNs)];
        });
        for (const periods of all) {
          const problem = periods.pass(nowNs, untilNs);
          if (problem !== undefined) return problem;
        }
        return undefined;
      },
    };
  },
};

export const sedfLaws: readonly Law[] = [home, slices];
