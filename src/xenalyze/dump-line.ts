import type { Analyser } from './analyser.ts';

/** A line that is not about an exit of an HVM guest, or changes nothing about it. */
export const PLAIN = 0x20;
/** A line about an exit of an HVM guest. */
export const IN_EXIT = 0x5d;
/** A line of a record that cannot be made sense of: the exit that it belongs to was not seen. */
export const NO_EXIT = 0x21;

/** Begins the line of a record: a mark, the time, what the pCPUs do, the vCPU. */
export function startLine(a: Analyser, mark: number): void {
  a.out.reserve();
  a.out.byte(mark);
  a.writeHeader();
}
