import type { TextOutput } from '../text-output.ts';
import type { Cr3Value } from './cr3-values.ts';
import type { ExitReasons } from './exit-reasons.ts';

/** What the processing of HVM records remembers beyond the single vCPU. */
export class HvmRun {
  /** Top-level page tables of all domains, in the order in which they appeared: their ids. */
  readonly cr3Values: Cr3Value[] = [];
  /** Exits come from an AMD processor: an option or an event said so. */
  svm: boolean;
  /** Those of the first exit. */
  reasons: ExitReasons | undefined;
  /** The exit reason under which a handler's summary is printed, by the handler's number. */
  readonly reasonOfHandler = new Map<number, number>();
  /** The callers that had a summary handler set. */
  readonly summarySites = new Set<string>();
  /** Exit reasons that were told to have no handler. */
  readonly missingHandlers = new Set<number>();
  /** Exit reasons that were told to share a handler with another. */
  readonly sharedHandlers = new Set<number>();
  readonly #said = new Set<string>();

  constructor(svm: boolean) {
    this.svm = svm;
  }

  warnOnce(warn: TextOutput, text: string): void {
    if (this.#said.has(text)) return;
    this.#said.add(text);
    warn.text(text);
  }
}
