import type { Analyser } from '../analyser.ts';
import { CycleSummary } from '../cycle-summary.ts';
import { DEFAULT_DOMAIN, type Domain, HVM_SHORT_NAMES, type Vcpu } from '../state.ts';
import { printCyclePercentSummary, printCycleSummary } from '../summary-lines.ts';
import { sprintf } from '../text-output.ts';
import type { HvmVcpu } from './hvm-vcpu.ts';
import { printShortSummary } from './short-summary.ts';

/** A guest's top-level page table: how long it was in use, and what the guest's exits were for meanwhile. */
export class Cr3Value {
  /** Frame number in the guest. */
  readonly gmfn: number;
  /** Its number among those of all domains. */
  readonly id: number;
  readonly firstTime: number;
  lastTime = 0;
  /** Cycles in the guest, and in Xen for it. */
  runTime = 0;
  readonly totalTime = new CycleSummary();
  readonly guestTime = new CycleSummary();
  readonly xenTime = new CycleSummary();
  readonly hvm = HVM_SHORT_NAMES.map(() => new CycleSummary());
  switches = 0;
  flushes = 0;
  /** Xen took its shadow away, and it was not used since. */
  unpinned = false;
  unpins = 0;
  /** What became of it after the guest said that it is done with it. */
  destroyed: { flushes: number; switches: number } | undefined;

  constructor(gmfn: number, id: number, now: number, never: number) {
    this.gmfn = gmfn;
    this.id = id;
    this.firstTime = now;
    this.lastTime = never;
  }
}

/** The guest has a new value in CR3; 0 if it is not known any more. */
export function switchCr3(a: Analyser, v: Vcpu, value: bigint): void {
  const { hvm: h } = v;
  if (h === undefined) return;
  const { options } = a;
  const gmfn = Number(value >> 12n);
  if (options.withCr3Enumeration) {
    leave(a, h);
    h.cr3Data = gmfn === 0 ? undefined : enter(a, h, gmfn);
  }
  if (options.scatterplotCr3Switch)
    a.scatterplot(h.exitTsc, options.withCr3Enumeration ? (h.cr3Data?.id ?? 0) : gmfn);
  h.cr3 = value;
}

function leave({ run, options }: Analyser, { cr3Data, cr3Start }: HvmVcpu): void {
  if (cr3Data === undefined) return;
  if (options.summaryInfo) cr3Data.totalTime.add(run.lastTsc - cr3Start, options);
  cr3Data.lastTime = run.lastTsc;
}

function enter(a: Analyser, h: HvmVcpu, gmfn: number): Cr3Value {
  const { domain } = h.vcpu;
  const { cr3Values } = domain;
  let value = cr3Values.get(gmfn);
  if (value === undefined) {
    value = new Cr3Value(gmfn, a.hvm.cr3Values.length, a.run.lastTsc, a.never);
    cr3Values.set(gmfn, value);
    a.hvm.cr3Values.push(value);
    if (domain.id !== DEFAULT_DOMAIN) a.onCr3?.(value);
  }
  if (value.unpinned) {
    a.warn.printf('Re-promoting previously unpinned cr3 %llx!\n', gmfn);
    value.unpinned = false;
  }
  h.cr3Start = a.run.lastTsc;
  value.switches++;
  if (value.destroyed !== undefined) value.destroyed.switches++;
  return value;
}

/** The guest writes the same value to CR3 again, to flush. */
export function flushCr3({ cr3Data }: HvmVcpu): void {
  if (cr3Data === undefined) return;
  cr3Data.flushes++;
  if (cr3Data.destroyed !== undefined) cr3Data.destroyed.flushes++;
}

/** Xen takes the shadow of a top-level page table away, to have its memory. */
export function unpinCr3(a: Analyser, domain: Domain, gmfn: number): void {
  const value = domain.cr3Values.get(gmfn);
  if (value === undefined) return;
  if (value.unpinned) a.warn.printf('Strange, gmfn %llx multiple unpins w/o access!\n', gmfn);
  value.unpinned = true;
  value.unpins++;
  if (a.options.dumpAll) a.out.printf(' cr3 %llx unpinned %d times\n', gmfn, value.unpins);
}

/** The guest says that it is done with the process whose page table is in use. */
export function destroyCr3(a: Analyser, { cr3Data }: HvmVcpu): void {
  if (cr3Data !== undefined) {
    if (cr3Data.destroyed !== undefined)
      a.warn.printf('Strange, double callback for cr3 gmfn %llx!\n', cr3Data.gmfn);
    cr3Data.destroyed ??= { flushes: 0, switches: 0 };
  } else if (a.options.withCr3Enumeration) a.warn.text("Warning: destroy_proc: don't know current cr3\n");
}

export function printCr3Values(a: Analyser, { cr3Values }: Domain): void {
  if (cr3Values.size === 0) return;
  a.out.text('    cr3 values:\n');
  for (const value of [...cr3Values.values()].sort((p, q) => p.firstTime - q.firstTime))
    printCr3Value(a, value);
}

function printCr3Value(a: Analyser, value: Cr3Value): void {
  const { out } = a;
  // Xenalyze has room for 29 characters.
  printCycleSummary(a, value.totalTime, sprintf('  %8llx (id %d)', value.gmfn, value.id).slice(0, 29));
  printCyclePercentSummary(a, value.guestTime, value.runTime, '          guest');
  printCyclePercentSummary(a, value.xenTime, value.runTime, '          hv   ');
  printShortSummary(a, value.hvm, value.runTime, '           + ');
  a.setTime(value.firstTime);
  out.printf('            Seen: %4u.%09u-', a.seconds, a.nanoseconds);
  a.setTime(value.lastTime);
  const format = '%4u.%09u switch %d flush %d\n';
  out.printf(format, a.seconds, a.nanoseconds, value.switches, value.flushes);
  if (value.destroyed !== undefined) {
    const { flushes, switches } = value.destroyed;
    out.printf('          destroy: flush %u switch %u fixup 0 emulate 0\n', flushes, switches);
  }
}
