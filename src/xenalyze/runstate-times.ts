/** What comes of a {@link RunstateLog}. What it adds up to is known at the end only, so that a thread can do it. */
export interface RunstateTimes {
  /** Takes some words of the log, which are not there any more afterwards. */
  take(words: Int32Array): void;
  /** What was counted. Nothing can be taken afterwards. */
  lines(): RunstateLines;
}

/**
 * Lines of the summary, as {@link printCycleSummary} writes them, in bytes that the next call changes. vCPUs and
 * domains are given as their indexes.
 */
export interface RunstateLines {
  /**
   * How long a vCPU was in each of {@link RUNSTATE_NAMES}, and runnable for each of {@link RUNNABLE_CAUSE_NAMES}; how
   * long it stayed on which pCPU.
   */
  ofVcpu(index: number): Uint8Array;
  /** Lines of the vCPU that are left, which are those of its stays on pCPUs; nothing if there are none. */
  rest(): Uint8Array;
  /**
   * How often and how long exits of a vCPU were that are counted for a key of {@link RunstateLog.countExit}, as
   * {@link printEventSummary} has it behind the name; nothing if there were none. `total`: what they are a share of.
   */
  ofExits(index: number, key: number, total: number): Uint8Array;
  /** How long a domain was in each of {@link DOMAIN_RUNSTATE_NAMES}. */
  ofDomain(index: number): Uint8Array;
}
