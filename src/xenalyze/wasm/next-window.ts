/**
 * How a pCPU goes from the end of a window to the next one of its own, if nothing else happens there.
 * @module
 */
import { count, usualTscOf } from './usual-records.ts';
import {
  BLOCK_AT,
  BLOCK_END,
  BLOCK_OFFSET,
  FILE_BYTES,
  FILE_OFFSET,
  HAS_EXACT_TSC,
  HOPS,
  LAST_CPU_CHANGE_PCPU,
  LAST_EPOCH,
  MAX_ACTIVE_PCPU,
  NEXT_CPU_CHANGE_OFFSET,
  NUMBER,
  OLDEST,
  ORDER_TSC,
  PARKED,
  PARKED_AT,
  PARKED_FROM,
  PCPU_LAST_TSC,
  RECORD_WORDS,
  RUN,
  TSC,
  WINDOW_HEADER_BYTES,
  XENALYZE_PCPUS,
} from './walk-layout.ts';
import { addressOf, findOwn, leap } from './window-chain.ts';

const RECORD_BYTES = RECORD_WORDS * 4;

/**
 * If a pCPU has passed all records of its window, parks it on the first one of its next window. Where it cannot, the
 * pCPU has hopped as far as nothing but that happens.
 */
export function enterNextWindow(p: i32): bool {
  if (load<i32>(RUN, HOPS) === 0) return false;
  const passed = (load<i32>(p, PARKED_AT) - load<i32>(p, BLOCK_AT)) << 2;
  if (load<f64>(p, BLOCK_OFFSET) + f64(passed) !== load<f64>(p, NEXT_CPU_CHANGE_OFFSET)) return false;
  count(p);
  while (leap(p)) {}
  return enterOwnWindow(p);
}

/** Enters the window at a pCPU's place in the file, if it is its own one and begins with a usual record. */
function enterOwnWindow(p: i32): bool {
  const number = load<i32>(p, NUMBER);
  // Behind the window of the pCPU with the highest number there may be one of a new pCPU.
  if (number === load<i32>(RUN, MAX_ACTIVE_PCPU) || number > XENALYZE_PCPUS) return false;
  const length = findOwn(p);
  const header = load<f64>(p, FILE_OFFSET);
  const offset = header + WINDOW_HEADER_BYTES;
  if (length < 0 || offset + length > load<f64>(RUN, FILE_BYTES)) return false;
  const at = addressOf(offset, length + RECORD_BYTES);
  if (at === 0 || load<i32>(p, HAS_EXACT_TSC) !== 0) return false;
  const tsc = usualTscOf(p, at);
  if (tsc === Infinity) return false;
  if (load<i32>(p, LAST_CPU_CHANGE_PCPU) > number && header > load<f64>(RUN, LAST_EPOCH))
    store<f64>(RUN, header, LAST_EPOCH);
  store<i32>(p, number, LAST_CPU_CHANGE_PCPU);
  store<f64>(p, offset, FILE_OFFSET);
  store<f64>(p, offset + length, NEXT_CPU_CHANGE_OFFSET);
  store<f64>(p, offset, BLOCK_OFFSET);
  store<f64>(RUN, min(load<f64>(RUN, OLDEST), offset), OLDEST);
  store<i32>(p, at >>> 2, BLOCK_AT);
  store<i32>(p, (at + i32(length) + RECORD_BYTES) & ~3, BLOCK_END);
  store<f64>(p, tsc, TSC);
  store<f64>(p, tsc, ORDER_TSC);
  store<f64>(p, tsc, PCPU_LAST_TSC);
  store<i32>(p, at >>> 2, PARKED_FROM);
  store<i32>(p, at >>> 2, PARKED_AT);
  store<i32>(p, 1, PARKED);
  return true;
}
