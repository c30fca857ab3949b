import type { TextOutput } from '../text-output.ts';

// What the shadow code did on the way of a page fault: bits of the flags of a record (Xen: TRCE_SFLAG_).

export const SET_AD = 1 << 0;
export const SET_A = 1 << 1;
export const GET_REF = 1 << 2;
export const PUT_REF = 1 << 3;
export const SET_CHANGED = 1 << 5;
export const SET_FLUSH = 1 << 6;
export const SET_ERROR = 1 << 7;
export const DEMOTE = 1 << 8;
export const PROMOTE = 1 << 9;
export const WRMAP = 1 << 10;
export const WRMAP_GUESS_FOUND = 1 << 11;
export const WRMAP_BRUTE_FORCE = 1 << 12;
export const EARLY_UNSHADOW = 1 << 13;
export const PREALLOC_UNHOOK = 1 << 17;
export const UNSYNC = 1 << 18;
export const OOS_FIXUP_ADD = 1 << 19;
export const OOS_FIXUP_EVICT = 1 << 20;

/** One letter each, in the order of the columns. */
const COLUMNS = (
  [
    ['g', GET_REF],
    ['p', PUT_REF],
    ['D', DEMOTE],
    ['P', PROMOTE],
    ['w', WRMAP],
    ['G', WRMAP_GUESS_FOUND],
    ['e', EARLY_UNSHADOW],
    ['H', PREALLOC_UNHOOK],
    ['u', UNSYNC],
    ['a', OOS_FIXUP_ADD],
    ['x', OOS_FIXUP_EVICT],
  ] as const
).map(([letter, bit]) => ({ code: letter.charCodeAt(0), bit }));

const DASH = 0x2d;
const LETTER_A = 0x61;
const LETTER_D = 0x64;

/** Writes flags as letters, `-` for those that are not set. */
export function writeFlags(out: TextOutput, flags: number): void {
  out.byte((flags & SET_AD) !== 0 ? LETTER_D : (flags & SET_A) !== 0 ? LETTER_A : DASH);
  for (const { code, bit } of COLUMNS) out.byte((flags & bit) !== 0 ? code : DASH);
}
