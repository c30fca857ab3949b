/**
 * What a walk over a trace does for most records: which pCPU comes next, and usual records.
 * @module
 */
import { enterNextWindow } from './next-window.ts';
import { first, includes, insert, nextTurn, orderSize, place, remove } from './pcpu-order.ts';
import { draw, drawAll, makeHeader, putHeader } from './record-header.ts';
import { writeLine } from './record-lines.ts';
import {
  exactTscOf,
  hand,
  logExit,
  logForgottenStart,
  logStay,
  logSupposedRunner,
  logTransition,
  logVcpu,
} from './runstate-log.ts';
import { Pcpu } from './structs.ts';
import { addToTable, count, pass, takeOther, tellTransition } from './usual-records.ts';
import { BEGINS, PAUSED, TRIED, TRIED_AND_PASSED } from './walk-layout.ts';
import { addressOf, findOwn, leap } from './window-chain.ts';

export {
  addressOf,
  addToTable,
  count,
  draw,
  drawAll,
  exactTscOf,
  findOwn,
  first,
  hand,
  includes,
  insert,
  leap,
  logExit,
  logForgottenStart,
  logStay,
  logSupposedRunner,
  logTransition,
  logVcpu,
  makeHeader,
  orderSize,
  pass,
  place,
  putHeader,
  remove,
  takeOther,
  tellTransition,
  writeLine,
};

/**
 * Takes turns of parked pCPUs as long as they end with the pCPU being parked again, but not more than so many. Returns
 * a pCPU with how far its turn is, or 0 if there is none.
 */
export function takeTurns(turns: i32): i32 {
  let p: Pcpu | null = null;
  for (let left = turns; left > 0; left--) {
    p = nextTurn();
    if (p === null) return 0;
    if (!p.parked) return changetype<i32>(p) | BEGINS;
    const passed = pass(p);
    if (!p.parked && !(passed && enterNextWindow(p)))
      return changetype<i32>(p) | (passed ? TRIED_AND_PASSED : TRIED);
    place(p);
  }
  return changetype<i32>(p) | PAUSED;
}
