import type { Analyser } from '../analyser.ts';
import { sprintf } from '../text-output.ts';
import type { HvmVcpu } from './hvm-vcpu.ts';
import { printGuestInterrupts } from './wake-to-halt.ts';

const RIP_BITS = 48n;

/** What became of the exits of a vCPU, and of its interrupts. */
export function printHvmSummary(a: Analyser, h: HvmVcpu): void {
  if (!h.summaryInfo || h.reasons === undefined) return;
  const { max, names } = h.reasons;
  a.out.text('Exit reasons:\n');
  for (let reason = 0; reason < max; reason++) {
    const name = names[reason];
    const label = name === undefined ? sprintf(' %20d ', reason) : sprintf(' %-20s ', name);
    printExits(a, h, reason, label);
    for (const { handler, data } of h.summaryHandlers.get(reason) ?? []) handler(a, h, data);
  }
  printGuestInterrupts(a, h);
  printInterruptHistogram(a, h);
  h.ports.print(a, 'IO address summary:');
  h.mmioAddresses.print(a, 'MMIO address summary:');
}

/** The line of {@link printEventSummary} of exits that are counted for a reason or a handler; nothing without any. */
export function printExits(
  { out, runstateLog, totalCycles }: Analyser,
  h: HvmVcpu,
  key: number,
  name: string,
): void {
  const line = runstateLog.lines().ofExits(h.vcpu.index, key, totalCycles);
  if (line.length === 0) return;
  out.text(name);
  out.bytes(line);
}

function printInterruptHistogram({ options, out }: Analyser, { interruptHistogram }: HvmVcpu): void {
  if (options.histogramInterruptEip === undefined) return;
  const { increment } = options.histogramInterruptEip;
  out.text('Interrupt eip histogram:\n');
  for (const [step, count] of [...interruptHistogram].sort(([p], [q]) => p - q)) {
    const from = increment * BigInt(step);
    if (from >> RIP_BITS === 0n) out.printf('[%llx-%llx]: %d\n', from, from + increment - 1n, count);
  }
}
