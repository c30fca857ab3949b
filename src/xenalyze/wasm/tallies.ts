/**
 * What runstate-counter.ts counts: vCPUs and domains, and what their durations are counted under.
 * @module
 */
import { SUBJECT_BYTES, SUBJECTS, TALLIES, TALLY_BYTES } from './runstate-layout.ts';

/** Durations, which lie behind it. */
@unmanaged
export class SamplePiece {
  next: SamplePiece | null;
  /** How many there are. */
  length: i32;
}

/** What durations are counted under. */
@unmanaged
export class Tally {
  /** How long they were together, and how many. */
  cycles: i64;
  count: i32;
  /** Up to which count the next one goes to the address base + 4 * count. */
  room: i32;
  base: u32;
  /** What its durations are counted under as well. */
  sum: Tally | null;
  /** How many durations the sample may have by now. */
  size: i32;
  /** When percentiles have been found, they have the place of the first durations: three numbers of 64 bits. */
  sample: SamplePiece | null;

  /** Whether the sample has as many durations as it may ever have. */
  @inline
  get isFull(): bool {
    return this.room === 0 && this.count > 0;
  }

  /** If it is full: after how many durations one replaces another. */
  @inline
  get replacement(): i32 {
    return i32(this.base);
  }

  @inline
  set replacement(count: i32) {
    this.base = count;
  }
}

/** How long a vCPU stayed where it was before it came to a pCPU. */
@unmanaged
export class Stays extends Tally {
  /** Of the next pCPU by number. */
  next: Stays | null;
  /** ALL_PCPUS: all of them together. */
  pcpu: i32;
  /** Whether percentiles have been found. */
  isSearched: bool;
}

/** How long exits of a vCPU of an HVM guest were that are counted for the same. */
@unmanaged
export class ExitTally extends Tally {
  next: ExitTally | null;
  /** How many there were, those of no cycles among them. */
  events: i32;
  /** Whether percentiles have been found. */
  isSearched: bool;
}

export const ALL_PCPUS = -1;

/** A vCPU or a domain. */
@unmanaged
export class Subject {
  /** Since when it is in its runstate, and what that is counted under. */
  start: i64;
  /** Of a vCPU: since when it is where it is. */
  stayStart: i64;
  tally: Tally | null;
  /** Its tallies: of a vCPU by runstate, then by cause of being runnable; of a domain by what its vCPUs do together. */
  tallies: i32;
  /** Of a vCPU: its runstate, and its domain. */
  runstate: i32;
  domain: Subject | null;
  /** Likewise, the first of its stays. */
  stays: Stays | null;
  /** Of a domain: by runstate, how many of its vCPUs are in it; more of them lie behind this one. */
  counts: i32;
}

export function subjectAt(index: i32): Subject {
  return changetype<Subject>(SUBJECTS + index * SUBJECT_BYTES);
}

export function tallyAt(ordinal: i32): Tally {
  return nthTally(TALLIES, ordinal);
}

/** One of those that begin at an address. */
export function nthTally(tallies: i32, nth: i32): Tally {
  return changetype<Tally>(tallies + nth * TALLY_BYTES);
}
