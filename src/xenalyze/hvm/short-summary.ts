import type { Analyser } from '../analyser.ts';
import type { CycleSummary } from '../cycle-summary.ts';
import { HVM_SHORT_NAMES } from '../state.ts';
import { printCyclePercentSummary } from '../summary-lines.ts';
import type { HvmVcpu } from './hvm-vcpu.ts';

/** What an exit was for: indices into HVM_SHORT_NAMES. */
export const SHORT_EMULATE = 0;
export const SHORT_UNSYNC = 1;
export const SHORT_FIXUP = 2;
export const SHORT_MMIO = 3;
export const SHORT_PROPAGATE = 4;
export const SHORT_CR3 = 5;
export const SHORT_VMCALL = 6;
export const SHORT_INTERRUPT = 7;
export const SHORT_HLT = 8;
export const SHORT_OTHER = 9;

/** Counts the exit that ends as being for `purpose`, for its domain and for its top-level page table. */
export function updateShortSummary({ options }: Analyser, h: HvmVcpu, purpose: number): void {
  h.cr3Data?.hvm[purpose].add(h.arcCycles, options);
  h.vcpu.domain.hvmShort[purpose].add(h.arcCycles, options);
  h.shortSummaryDone = true;
}

export function printShortSummary(
  a: Analyser,
  summaries: readonly CycleSummary[],
  total: number,
  prefix: string,
): void {
  for (const [purpose, summary] of summaries.entries())
    printCyclePercentSummary(a, summary, total, prefix + HVM_SHORT_NAMES[purpose]);
}
