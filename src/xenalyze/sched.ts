/**
 * Scheduling records: runstates change the model, all others are only shown.
 * @module
 */
import type { Analyser } from './analyser.ts';
import { processRunstate } from './sched-runstate.ts';
import type { Pcpu } from './state.ts';

/** The main part of these events; with bits that are of no class it is that of none. */
const SCHED_MAIN = 2;
const MIN = 1;
const CLASS = 2;
const VERBOSE = 8;
/** The only kind of scheduling events until Xen 3.3. */
const OLD = 15;

/** Processes a record of the scheduling class. */
export function processSched(a: Analyser, p: Pcpu): void {
  const sub = (p.event >>> 12) & 15;
  if (sub === MIN) processRunstate(a, p);
  else if (sub === VERBOSE || sub === CLASS) {
    if (p.event >>> 16 === SCHED_MAIN && a.lines.has(p.event)) {
      if (a.options.dumpAll && !a.lines.write(p)) a.dumpGeneric(a.out, p);
    } else a.processGeneric(p);
  } else if (sub === OLD) a.processGeneric(p);
  else {
    p.volume.schedVerbose += p.size;
    p.bufferVolume.schedVerbose += p.size;
    a.processGeneric(p);
  }
}
