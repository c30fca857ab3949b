import type { Analyser } from './analyser.ts';
import { type RecordLine, recordLines } from './record-lines.ts';
import type { Pcpu } from './state.ts';

const DOMAINS = 1;
const ADD = 0x00041001;
const REMOVE = 0x00041002;

const TABLE: readonly RecordLine[] = [
  { event: ADD, byWords: { 1: 'creating domain d{0}' } },
  { event: REMOVE, byWords: { 1: 'destroying domain d{0}' } },
];
const linesOf = recordLines(TABLE);

/** Processes a record of what the control domain does with domains. */
export function processDom0op(a: Analyser, p: Pcpu): void {
  if (((p.event >>> 12) & 15) !== DOMAINS) a.processGeneric(p);
  else if (a.options.dumpAll && !linesOf(a).write(a, p)) a.dumpGeneric(a.out, p);
}
