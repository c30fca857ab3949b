import type { Analyser } from './analyser.ts';
import { PLAIN, startLine } from './dump-line.ts';
import type { Pcpu } from './state.ts';

const DOMAINS = 1;
const ADD = 0x00041001;
const REMOVE = 0x00041002;

/** Processes a record of what the control domain does with domains. 4.17 takes all but one event for a destruction. */
export function processDom0op(a: Analyser, p: Pcpu): void {
  const { options, out } = a;
  if (((p.event >>> 12) & 15) !== DOMAINS) a.processGeneric(p);
  else if (options.dumpAll) {
    const isKnown = (p.event === ADD || p.event === REMOVE) && p.extraWords === 1;
    if (isKnown || options.compat417) {
      startLine(a, PLAIN);
      out.printf(' %s domain d%u\n', p.event === ADD ? 'creating' : 'destroying', p.word(0));
    } else a.dumpGeneric(out, p);
  }
}
