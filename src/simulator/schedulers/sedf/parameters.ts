import type { SedfParameters } from '../../../scenario/scenario.ts';
import type { Vcpu } from '../../vcpu.ts';
import { type SedfVcpu, sedfOf, WEIGHT_PERIOD_NS } from './state.ts';

/** Of each WEIGHT_PERIOD_NS so much is not given to weights (WEIGHT_SAFETY). */
const WEIGHT_SAFETY_NS = 5_000_000;

/**
 * Sets the parameters of one vCPU as sedf_adjust() does: a weight counts more than a period and a slice. With
 * extra time and no period a weight is a share of extra time only, else of the pCPU's time.
 */
export function setParameters(sedf: SedfVcpu, given: SedfParameters): void {
  const { periodNs, sliceNs, extratime, weight } = given;
  if (weight === 0) {
    sedf.weight = 0;
    sedf.extraweight = 0;
    sedf.setPeriodNs = periodNs;
    sedf.periodNs = periodNs;
    sedf.setSliceNs = sliceNs;
    sedf.sliceNs = sliceNs;
  } else if (extratime && periodNs === 0) {
    sedf.extraweight = weight;
    sedf.weight = 0;
    sedf.sliceNs = 0;
    sedf.periodNs = WEIGHT_PERIOD_NS;
  } else {
    sedf.weight = weight;
  }
}

/**
 * sedf_adjust_weights(): turns the weights of `vcpus`, all of a pool, into slices of what others leave of
 * their pCPU. Where they leave nothing slices are negative, as in Xen: never less than used up.
 */
export function turnWeightsIntoSlices(vcpus: readonly Vcpu[]): void {
  const weights = new Map<number, number>();
  const takenNs = new Map<number, number>();
  const add = (sums: Map<number, number>, pcpu: number, what: number) =>
    sums.set(pcpu, (sums.get(pcpu) ?? 0) + what);
  for (const vcpu of vcpus) {
    const { weight, setPeriodNs, setSliceNs } = sedfOf(vcpu);
    if (weight > 0) add(weights, vcpu.processor, weight);
    else add(takenNs, vcpu.processor, dividedShare(WEIGHT_PERIOD_NS, setSliceNs, setPeriodNs));
  }
  for (const vcpu of vcpus) {
    const sedf = sedfOf(vcpu);
    if (sedf.weight === 0) continue;
    const leftNs = WEIGHT_PERIOD_NS - WEIGHT_SAFETY_NS - (takenNs.get(vcpu.processor) ?? 0);
    sedf.setPeriodNs = WEIGHT_PERIOD_NS;
    sedf.periodNs = WEIGHT_PERIOD_NS;
    sedf.setSliceNs = Math.trunc((sedf.weight * leftNs) / weights.get(vcpu.processor)!);
    sedf.sliceNs = sedf.setSliceNs;
  }
}

/** `periodNs` x `partNs` / `ofNs` of integers, rounded down; the product may be beyond 2^53. */
function dividedShare(periodNs: number, partNs: number, ofNs: number): number {
  return Number((BigInt(periodNs) * BigInt(partNs)) / BigInt(ofNs));
}
