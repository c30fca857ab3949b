/**
 * How long exits of HVM guests were, by vCPU and by what they are counted for.
 * @module
 */
import { EXIT_TABLES } from './runstate-layout.ts';
import { add, take } from './samples.ts';
import { ExitTally } from './tallies.ts';
import { EXIT_BITS } from './walk-layout.ts';

/** Those of all vCPUs. */
export let firstExits: ExitTally | null = null;

/** @param vcpuAndKey As the log has them. */
export function countExit(vcpuAndKey: i32, cycles: i64): void {
  const tally = exitsOf(vcpuAndKey >> EXIT_BITS, vcpuAndKey & ((1 << EXIT_BITS) - 1), true);
  if (tally === null) return;
  tally.events++;
  if (cycles !== 0) add(tally, cycles);
}

/** What is counted for a key; null if there is none, or no memory for it. */
export function exitsOf(vcpu: i32, key: i32, isMade: bool): ExitTally | null {
  const tableOf = EXIT_TABLES + (vcpu << 2);
  let table = load<u32>(tableOf);
  if (table === 0 && isMade) {
    table = take(4 << EXIT_BITS);
    store<u32>(tableOf, table);
  }
  if (table === 0) return null;
  const place = table + (key << 2);
  const known = load<u32>(place);
  if (known !== 0 || !isMade) return changetype<ExitTally | null>(known);
  const address = take(offsetof<ExitTally>());
  store<u32>(place, address);
  if (address === 0) return null;
  const made = changetype<ExitTally>(address);
  made.next = firstExits;
  firstExits = made;
  return made;
}
