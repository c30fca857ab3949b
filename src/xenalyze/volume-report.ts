/**
 * How many bytes of records there were: in all, and for --dump-trace-volume-on-lost-record in each window.
 * @module
 */
import type { Analyser } from './analyser.ts';
import { CLASS_NAMES, HVM, type Pcpu, RUNSTATE_NAMES, SCHED, type TraceVolume } from './state.ts';

const HVM_KINDS = ['vmentry', 'vmexit', 'handler'];

/** Bytes by class, those of HVM records by kind. */
export function printVolume({ out }: Analyser, volume: TraceVolume): void {
  for (const [recordClass, name] of CLASS_NAMES.entries()) {
    const bytes = volume.byClass[recordClass];
    if (bytes === 0) continue;
    out.text(` ${name.padEnd(6)}: ${`${bytes}`.padStart(10)}\n`);
    if (recordClass === SCHED && volume.schedVerbose > 0)
      out.printf(' +-verbose: %10lld\n', volume.schedVerbose);
    if (recordClass !== HVM) continue;
    for (const [kind, kindName] of HVM_KINDS.entries()) {
      if (volume.hvm[kind] > 0) out.printf(' +-%-7s: %10lld\n', kindName, volume.hvm[kind]);
    }
  }
}

/** What was in the window that a pCPU has come to the end of, and what dom0 did meanwhile. */
export function reportWindow(a: Analyser, p: Pcpu, nextWindowBytes: number): void {
  const { out } = a;
  const dom0Cycles = Array.from(p.bufferDom0RunstateCycles, BigInt);
  const since = cyclesSince(a, p.tsc, Math.max(p.bufferFirstTsc, p.bufferDom0RunstateTsc));
  dom0Cycles[p.bufferDom0Runstate] += since;
  out.printf(
    ' - updated p%d dom0_runstate %s to %lld cycles (+%lld)\n',
    p.number,
    RUNSTATE_NAMES[p.bufferDom0Runstate],
    dom0Cycles[p.bufferDom0Runstate],
    since,
  );
  const cycles = cyclesSince(a, p.tsc, p.bufferFirstTsc);
  printCycles(a, 'Buffer time', cycles);
  if (p.bufferSize !== 0)
    out.printf('Rate: %lld cycles / byte\n', BigInt.asUintN(64, cycles) / BigInt(p.bufferSize));
  if (a.bufferTraceVirqTsc !== a.never) {
    printCycles(a, 'trace_virq latency', cyclesSince(a, p.tsc, a.bufferTraceVirqTsc));
    a.bufferTraceVirqTsc = a.never;
  } else out.text('No trace_virq record found.\n');
  out.text('Dom0 runstates this buffer:\n');
  for (const [runstate, name] of RUNSTATE_NAMES.entries()) {
    if (dom0Cycles[runstate] === 0n) continue;
    a.setTimeOfDifference(dom0Cycles[runstate]);
    out.printf('  %s: %u.%09u s\n', name, a.seconds, a.nanoseconds);
  }
  printVolume(a, p.bufferVolume);
  p.bufferFirstTsc = a.never;
  p.bufferSize = nextWindowBytes;
  p.bufferDom0RunstateCycles.fill(0);
  p.bufferVolume.clear();
}

function printCycles(a: Analyser, name: string, cycles: bigint): void {
  a.setTimeOfDifference(cycles);
  a.out.printf('%s: %u.%09u (%lld cycles)\n', name, a.seconds, a.nanoseconds, cycles);
}

/** Exact also where the first TSC is that of no record: then they are as many as the TSC itself says. */
function cyclesSince(a: Analyser, tsc: number, first: number): bigint {
  return BigInt(first === a.never ? a.absolute(tsc) : tsc - first);
}
