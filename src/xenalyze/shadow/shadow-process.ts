import type { Analyser } from '../analyser.ts';
import { unpinCr3 } from '../hvm/cr3-values.ts';
import { type HvmVcpu, setHvm, setSummaryHandler } from '../hvm/hvm-vcpu.ts';
import type { Pcpu } from '../state.ts';
import { IN_EXIT, NO_EXIT, PLAIN } from '../wasm/walk-layout.ts';
import { pageFaultsOf, postProcessOther, printPageFaults } from './fault-accounting.ts';
import { FAULT_RECORDS, levelsOf, processFaultRecord, setFaultPostProcess } from './fault-records.ts';
import { FAULT_NAMES, LAST_FAULT, NOT_SHADOW } from './page-faults.ts';

const WRMAP_BRUTE_FORCE = 12;
const PREALLOC_UNPIN = 13;
const RESYNC_ONLY = 15;

/** The event of a full resync, without levels of page tables. */
const RESYNC_FULL_EVENT = 0x40f00e;

/** Processes a record of the shadow page tables. The current vCPU is known, and not one of a PV guest. */
export function processShadow(a: Analyser, p: Pcpu): void {
  const vcpu = p.current!;
  if (!setHvm(a, vcpu)) return;
  const h = vcpu.hvm!;
  if (!h.vmexitValid) {
    if (a.options.dumpAll) dumpNumbers(a, p, NO_EXIT);
    return;
  }
  h.leavesMore = true;
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

/** A fault of which no more is known than what became of it, by the numbers in its record. */
function processOtherFault(a: Analyser, p: Pcpu, h: HvmVcpu): void {
  if (a.options.dumpAll) dumpNumbers(a, p, IN_EXIT);
  h.keepWords(p);
  pageFaultsOf(h).outcome = p.event & 0xff;
  setFaultPostProcess(a, h, 'shadow_fault_generic_process', postProcessOther);
}

/** Words that a line of numbers shows. */
const SHOWN_WORDS = 4;

/** A shadow record as numbers: of a short one, as xenalyze does, with what follows it in the file. */
function dumpNumbers(a: Analyser, p: Pcpu, mark: number): void {
  const { out } = a;
  const outcome = p.event & 0xff;
  a.startLine(mark);
  out.printf(' shadow %s gl %d [', FAULT_NAMES[outcome] ?? String(outcome), levelsOf(p) - 2);
  for (let i = 0; i < SHOWN_WORDS; i++) out.printf(' %x', p.word(i));
  out.text(' ]\n');
}

/** What Xen did to shadows on the way: it is counted with the page fault of the exit. */
function processSideEffect(a: Analyser, p: Pcpu, h: HvmVcpu, kind: number): void {
  const known = a.options.compat417 || p.extraWords === 1 || p.extraWords === 2;
  // 32-bit Xen wrote one word.
  const high = a.options.compat417 || p.extraWords === 2 ? p.word(1) : 0;
  if (known) dumpSideEffect(a, p, high, kind);
  else a.processGeneric(p);
  if (kind === WRMAP_BRUTE_FORCE) h.wrmapBruteForce = true;
  else if (kind === PREALLOC_UNPIN) {
    if (h.preallocUnpin) a.warn.text('Strange, more than one prealloc_unpin per arc!\n');
    h.preallocUnpin = true;
    if (known && a.options.withCr3Enumeration) unpinCr3(a, h.vcpu.domain, high * 2 ** 32 + p.word(0));
  } else h.resyncs++;
}

function dumpSideEffect(a: Analyser, p: Pcpu, high: number, kind: number): void {
  if (!a.options.dumpAll) return;
  const { out } = a;
  a.startLine(PLAIN);
  if (kind === WRMAP_BRUTE_FORCE) out.text(' wrmap-bf');
  else if (kind === PREALLOC_UNPIN) out.text(' prealloc-unpin');
  else out.text(p.event === RESYNC_FULL_EVENT ? ' oos resync full' : ' oos resync only');
  out.printf(' gfn %llx\n', (BigInt(high) << 32n) | BigInt(p.word(0)));
}
