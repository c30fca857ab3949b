/**
 * How a pCPU goes from the end of a window to the next one of its own, if nothing else happens there.
 * @module
 */

import { run } from './run.ts';
import { Pcpu } from './structs.ts';
import { count, usualTscOf } from './usual-records.ts';
import { RECORD_BYTES, WINDOW_HEADER_BYTES, XENALYZE_PCPUS } from './walk-layout.ts';
import { addressOf, findOwn, leap } from './window-chain.ts';

/**
 * If a pCPU has passed all records of its window, parks it on the first one of its next window. Where it cannot, the
 * pCPU has hopped as far as nothing but that happens.
 */
export function enterNextWindow(p: Pcpu): bool {
  if (!run.hops) return false;
  const passed = (p.parkedAt - p.blockAt) << 2;
  if (p.blockOffset + f64(passed) !== p.nextCpuChangeOffset) return false;
  count(p);
  while (leap(p)) {}
  return enterOwnWindow(p);
}

/** Enters the window at a pCPU's place in the file, if it is its own one and begins with a usual record. */
function enterOwnWindow(p: Pcpu): bool {
  const number = p.number;
  // Behind the window of the pCPU with the highest number there may be one of a new pCPU.
  if (number === run.maxActivePcpu || number > XENALYZE_PCPUS) return false;
  const length = findOwn(p);
  const header = p.fileOffset;
  const offset = header + WINDOW_HEADER_BYTES;
  if (length < 0 || offset + length > run.fileBytes) return false;
  const at = addressOf(offset, length + RECORD_BYTES);
  if (at === 0 || p.hasExactTsc) return false;
  const tsc = usualTscOf(p, at);
  if (tsc === Infinity) return false;
  if (p.lastCpuChangePcpu > number && header > run.lastEpoch) run.lastEpoch = header;
  p.lastCpuChangePcpu = number;
  p.fileOffset = offset;
  p.nextCpuChangeOffset = offset + length;
  p.blockOffset = offset;
  run.oldestAhead = min(run.oldestAhead, offset);
  p.blockAt = at >>> 2;
  p.blockEnd = (at + i32(length) + RECORD_BYTES) & ~3;
  p.tsc = tsc;
  p.orderTsc = tsc;
  p.lastTsc = tsc;
  p.parkedFrom = at >>> 2;
  p.parkedAt = at >>> 2;
  p.parked = true;
  return true;
}
