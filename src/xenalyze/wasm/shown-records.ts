/**
 * Records that are shown on the quick way.
 * @module
 */
import { writeLine } from './record-lines.ts';
import { run } from './run.ts';
import { Pcpu } from './structs.ts';
import { EMPTY_LINE, FOUND_LINES } from './walk-layout.ts';

/** Finds how records of an event and a number of extra words are shown. */
declare function findLine(event: i32, extraWords: i32): i32;

/** Makes a record the current one of its pCPU, as far as its line needs that. */
export function makeCurrent(p: Pcpu, header: i32, words: i32, tsc: f64): void {
  p.tsc = tsc;
  p.event = header & 0x0fffffff;
  p.extraWords = (header >>> 28) & 7;
  p.wordsAt = words >>> 2;
}

/** The line of an event that is of one class. */
export function findLineOf(event: i32, extraWords: i32): i32 {
  const place = (ctz(event >>> 16) << 16) | (event & 0xffff);
  const slot = FOUND_LINES + (((place << 3) | extraWords) << 2);
  let line = load<i32>(slot);
  if (line === 0) {
    line = findLine(event, extraWords);
    store<i32>(slot, line);
  }
  return line;
}

/** Shows the current record of a pCPU. */
export function showLine(p: Pcpu, line: i32, mark: i32): void {
  run.headerOf = p;
  if (line !== EMPTY_LINE) writeLine(p, line, mark);
}
