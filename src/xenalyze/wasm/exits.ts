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
  const vcpu = vcpuAndKey >> EXIT_BITS;
  const key = vcpuAndKey & ((1 << EXIT_BITS) - 1);
  let tally = exitsOf(vcpu, key);
  if (tally === null) tally = addExits(vcpu, key);
  if (tally === null) return;
  tally.events++;
  if (cycles !== 0) add(tally, cycles);
}

/** What is counted for a key, if anything is. */
export function exitsOf(vcpu: i32, key: i32): ExitTally | null {
  const table = load<u32>(tableOf(vcpu));
  return table === 0 ? null : load<ExitTally | null>(table + (key << 2));
}

/** Null where there is no memory for it. */
function addExits(vcpu: i32, key: i32): ExitTally | null {
  let table = load<u32>(tableOf(vcpu));
  if (table === 0) {
    table = take(4 << EXIT_BITS);
    store<u32>(tableOf(vcpu), table);
  }
  const address = table === 0 ? 0 : take(offsetof<ExitTally>());
  if (address === 0) return null;
  store<u32>(table + (key << 2), address);
  const exits = changetype<ExitTally>(address);
  exits.next = firstExits;
  firstExits = exits;
  return exits;
}

function tableOf(vcpu: i32): i32 {
  return EXIT_TABLES + (vcpu << 2);
}
