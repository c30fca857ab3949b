/**
 * What a walk over a trace does for most records: which pCPU comes next, and usual records.
 * @module
 */
import { enterNextWindow } from './next-window.ts';
import { first, includes, insert, nextTurn, orderSize, place, remove } from './pcpu-order.ts';
import { draw, drawAll, makeHeader, putHeader } from './record-header.ts';
import { writeLine } from './record-lines.ts';
import { hand, logForgottenStart, logSupposedRunner, logTransition, logVcpu } from './runstate-log.ts';
import { addToTable, count, pass } from './usual-records.ts';
import { BEGINS, PARKED, PAUSED, TRIED, TRIED_AND_PASSED } from './walk-layout.ts';
import { addressOf, findOwn, leap } from './window-chain.ts';

export {
  addressOf,
  addToTable,
  count,
  draw,
  drawAll,
  findOwn,
  first,
  hand,
  includes,
  insert,
  leap,
  logForgottenStart,
  logSupposedRunner,
  logTransition,
  logVcpu,
  makeHeader,
  orderSize,
  pass,
  place,
  putHeader,
  remove,
  writeLine,
};

/**
 * Takes turns of parked pCPUs as long as they end with the pCPU being parked again, but not more than so many. Returns
 * a pCPU with how far its turn is, or 0 if there is none.
 */
export function takeTurns(turns: i32): i32 {
  let p = 0;
  for (let left = turns; left > 0; left--) {
    p = nextTurn();
    if (p === 0) return 0;
    if (load<i32>(p, PARKED) === 0) return p | BEGINS;
    const passed = pass(p);
    if (load<i32>(p, PARKED) === 0 && !(passed && enterNextWindow(p)))
      return p | (passed ? TRIED_AND_PASSED : TRIED);
    place(p);
  }
  return p | PAUSED;
}
