/** The page fault that a vCPU is in, and what became of those before. */
export class PageFaults {
  /** Forgets the one at hand: the guest has been left anew. */
  clear(): void {}
}
