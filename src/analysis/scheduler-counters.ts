/**
 * What is counted of each pCPU: a row of numbers, the records of each kind first.
 * @module
 */
import { KINDS } from './scheduler-records.ts';

/** Why a call of schedule() was made: the first of these that holds. */
export const CALL_CAUSES = [
  'block',
  'yield',
  'sleep',
  'tickle',
  'slice',
  'wake',
  'unknown',
  'other',
] as const;

/** How a vCPU came to another pCPU, by the last record about it. */
export const MOVES = ['other', 'shared', 'placed', 'stolen', 'balanced'] as const;

/** Calls; those after which another vCPU ran; those after which the same went on. */
export const BEGAN = KINDS;
export const SWITCHED = BEGAN + 1;
export const CONTINUED = BEGAN + 2;
/** Switches from the idle vCPU and to it: by runstate changes, and by SWITCH. */
export const LEFT_IDLE = BEGAN + 3;
export const ENTERED_IDLE = BEGAN + 4;
export const SWITCHED_FROM_IDLE = BEGAN + 5;
export const SWITCHED_TO_IDLE = BEGAN + 6;
export const YIELDED_AWAY = BEGAN + 7;
export const TICKLES_RECEIVED = BEGAN + 8;
export const TICKLES_ANSWERED = BEGAN + 9;
export const TICKLES_USELESS = BEGAN + 10;
export const CREDIT_RESETS = BEGAN + 11;
export const DEPLETIONS = BEGAN + 12;
export const BOOSTED_NS = BEGAN + 13;
/** One for each cause, and for each move. */
export const CAUSES_FROM = BEGAN + 14;
export const MOVES_FROM = CAUSES_FROM + CALL_CAUSES.length;
export const COUNTERS = MOVES_FROM + MOVES.length;
