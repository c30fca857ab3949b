import type { Analyser } from '../analyser.ts';
import { type PageFaults, VA } from './page-faults.ts';

/** Of a guest with so many levels of page tables. */
interface Paging {
  /** First bit of each part of an address: the entry within the lowest page table, then one for each level. */
  readonly shifts: readonly number[];
  readonly masks: readonly number[];
  /** The entry by which Windows maps the page tables themselves, and how many of the next lower ones may be in use. */
  readonly linearSlot: number;
  readonly linearSlots: number;
}

const PAGING: readonly (Paging | undefined)[] = [
  undefined,
  undefined,
  { shifts: [2, 12, 22], masks: [0x3ff, 0x3ff, 0x3ff], linearSlot: 768, linearSlots: 1024 },
  { shifts: [3, 12, 21, 30], masks: [0x1ff, 0x1ff, 0x1ff, 3], linearSlot: 3, linearSlots: 4 },
  {
    shifts: [3, 12, 21, 30, 39],
    masks: [0x1ff, 0x1ff, 0x1ff, 0x1ff, 0x1ff],
    linearSlot: 0x1ed,
    linearSlots: 512,
  },
];

/** No address: of an entry that is not in a linear map. */
const NO_ADDRESS = 0xffff_ffff_ffff_ffffn;

/**
 * Takes the address of a page fault apart, as a guest with `levels` levels of page tables does, and tells whether it
 * lies in Windows' linear map of the page tables: `levels`, `indices` and `level`.
 */
export function walkGuest(a: Analyser, fault: PageFaults, levels: number): void {
  fault.level = 0;
  const paging = PAGING[levels];
  if (paging === undefined) {
    if (levels !== 0) a.warn.printf("Don't know how to handle %d-level pagetables\n", levels);
    return;
  }
  const high = fault.high(VA);
  const low = fault.low(VA);
  if (levels === 4 && !isCanonical(high))
    a.warn.printf('Strange, va %llx not properly sign extended for 4-level pagetables\n', fault.get(VA));
  const { indices } = fault;
  const { shifts, masks, linearSlot, linearSlots } = paging;
  for (let i = 0; i <= levels; i++) indices[i] = bitsFrom(high, low, shifts[i]) & masks[i];
  fault.levels = levels;
  let top = levels;
  while (top > 0 && indices[top] === linearSlot && indices[top - 1] < linearSlots) top--;
  fault.level = levels - top;
}

/** The last address that the entry maps which a page fault was on; all ones if that is in no linear map. */
export function mappedVa({ indices, level, levels }: PageFaults): bigint {
  const paging = PAGING[levels];
  if (level === 0 || paging === undefined) return NO_ADDRESS;
  const { shifts } = paging;
  let va = (1n << BigInt(shifts[level])) - 1n;
  for (let i = 0; i <= levels - level; i++) {
    // With three levels, xenalyze takes a wrong entry here.
    const index = levels === 3 && level === 2 && i === 0 ? indices[2] : indices[i];
    va |= BigInt(index) << BigInt(shifts[i + level]);
  }
  return levels === 4 && (va & (1n << 47n)) !== 0n ? va | 0xffff_0000_0000_0000n : va;
}

/** Whether the bits above the 48 of an address are like the highest of those. */
export function isCanonical(high: number): boolean {
  return high >>> 16 === ((high & 0x8000) === 0 ? 0 : 0xffff);
}

function bitsFrom(high: number, low: number, shift: number): number {
  if (shift >= 32) return high >>> (shift - 32);
  return (low >>> shift) | (high << (32 - shift));
}
