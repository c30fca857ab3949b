import type { Analyser } from './analyser.ts';
import type { RecordLine } from './record-lines.ts';
import type { Pcpu } from './state.ts';

const DOMAINS = 1;
const REMOVE = 0x00041002;

export const DOM0OP_LINES: readonly RecordLine[] = [
  { event: 0x00041001, byWords: { 1: 'creating domain d{0}' } },
  { event: REMOVE, byWords: { 1: 'destroying domain d{0}' } },
];

/** Processes a record of what the control domain does with domains. 4.17 takes all but one event for a destruction. */
export function processDom0op(a: Analyser, p: Pcpu): void {
  const { lines, options, out } = a;
  if (((p.event >>> 12) & 15) !== DOMAINS) a.processGeneric(p);
  else if (options.dumpAll && !lines.write(p) && !(options.compat417 && lines.write(p, REMOVE)))
    a.dumpGeneric(out, p);
}
