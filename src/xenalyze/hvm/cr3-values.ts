import { CycleSummary } from '../cycle-summary.ts';
import { HVM_SHORT_NAMES } from '../state.ts';

/** A guest's top-level page table: how long it was in use, and what the guest's exits were for meanwhile. */
export class Cr3Value {
  readonly totalTime = new CycleSummary();
  readonly hvm = HVM_SHORT_NAMES.map(() => new CycleSummary());
}
