import type { Analyser } from '../analyser.ts';
import { IN_EXIT, NO_EXIT, PLAIN, startLine } from '../dump-line.ts';
import { unpinCr3 } from '../hvm/cr3-values.ts';
import { type HvmVcpu, setHvm, setPostProcess, setSummaryHandler } from '../hvm/hvm-vcpu.ts';
import { SHORT_PROPAGATE, updateShortSummary } from '../hvm/short-summary.ts';
import type { Pcpu } from '../state.ts';
import { FAULT_RECORDS, processFaultRecord } from './fault-records.ts';
import { FAULT_NAMES, LAST_FAULT, NOT_SHADOW } from './page-faults.ts';
import { pageFaultsOf, printPageFaults } from './pf-xen.ts';

const WRMAP_BRUTE_FORCE = 12;
const PREALLOC_UNPIN = 13;
const RESYNC_FULL = 14;
const RESYNC_ONLY = 15;

/** The event of a full resync, without levels of page tables. */
const RESYNC_FULL_EVENT = 0x40f00e;

/** Words that a line of numbers shows. */
const SHOWN_WORDS = 4;

/** Processes a record of the shadow page tables. The current vCPU is known, and not one of a PV guest. */
export function processShadow(a: Analyser, p: Pcpu): void {
  const vcpu = p.current!;
  if (!setHvm(a, vcpu)) return;
  const h = vcpu.hvm!;
  if (!h.vmexitValid) {
    if (a.options.dumpAll) dumpNumbers(a, p, NO_EXIT);
    return;
  }
  const kind = p.event & 0xff;
  const levels = levelsOf(p);
  if (kind <= NOT_SHADOW && vcpu.guestPagingLevels !== levels) {
    a.warn.printf('shadow_process: Changing guest paging levels to %d\n', levels);
    vcpu.guestPagingLevels = levels;
  }
  if (kind <= LAST_FAULT) {
    pageFaultsOf(h).outcome = kind;
    if (a.options.summary) setSummaryHandler(a, h, 'shadow_process', printPageFaults);
    const record = FAULT_RECORDS[kind];
    if (record !== undefined) processFaultRecord(a, p, h, record);
    else processOtherFault(a, p, h);
  } else if (kind <= RESYNC_ONLY) processSideEffect(a, p, h, kind);
  else {
    a.hvm.warnOnce(a.warn, 'Warning: processing shadow as generic\n');
    a.processGeneric(p);
  }
}
