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
const COLUMNS = [
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
] as const;

/** Flags as letters, `-` for those that are not set. */
export function lettersOf(flags: number): string {
  const access = (flags & SET_AD) !== 0 ? 'd' : (flags & SET_A) !== 0 ? 'a' : '-';
  return access + COLUMNS.map(([letter, bit]) => ((flags & bit) !== 0 ? letter : '-')).join('');
}
