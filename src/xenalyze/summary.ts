/**
 * What stands at the end: --summary and --report-pcpu.
 * @module
 */
import type { Analyser } from './analyser.ts';
import { printCr3Values } from './hvm/cr3-values.ts';
import { printEips } from './hvm/eip-list.ts';
import { printHvmSummary } from './hvm/hvm-summary.ts';
import { printMemorySummary } from './memory.ts';
import { printPvSummary } from './pv.ts';
import {
  DOMAIN_RUNSTATE_NAMES,
  type Domain,
  RUNNABLE_CAUSE_NAMES,
  RUNSTATE_NAMES,
  type Vcpu,
} from './state.ts';
import { printCycleSummary } from './summary-lines.ts';
import { sprintf } from './text-output.ts';
import { printVolume } from './volume-report.ts';

/** Names of summary lines are cut off at this many characters. */
const NAME_LENGTH = 29;

/** What lines begin with: those of the runstates of vCPUs, by cause, of domains, and those of stays on pCPUs. */
export const RUNSTATE_LABELS: readonly string[] = [
  ...RUNSTATE_NAMES.map((name) => cut('  %8s', name)),
  ...RUNNABLE_CAUSE_NAMES.map((name) => cut('    %8s', name)),
  ...DOMAIN_RUNSTATE_NAMES.map((name) => cut('  %8s', name)),
  ' cpu affinity',
  '   [',
];

/** Time, volume, and everything by domain and vCPU. */
export function printSummary(a: Analyser): void {
  const { out, options } = a;
  // All that are anywhere stay there to the end.
  for (const v of a.memory.vcpus)
    if (v.pcpu !== undefined) a.runstateLog.comeTo(v.index, v.pcpu.number, a.run.lastTsc);
  out.printf(
    'Total time: %.2lf seconds (using cpu speed %s)\n',
    a.totalCycles / options.cpuHz,
    speed(options.cpuHz),
  );
  out.text('--- Log volume summary ---\n');
  for (const pcpu of a.pcpus) {
    if (pcpu?.summary !== true) continue;
    out.text(` - cpu ${pcpu.number} -\n`);
    printVolume(a, pcpu.volume);
  }
  if (options.showDefaultDomainSummary) {
    out.text('|-- Default domain --|\n');
    for (const v of a.defaultDomain.vcpus) if (v !== undefined) printVcpu(a, v);
  }
  for (const domain of a.domains) printDomain(a, domain);
}

function printDomain(a: Analyser, domain: Domain): void {
  const { out, options } = a;
  out.printf('|-- Domain %d --|\n', domain.id);
  out.text(' Runstates:\n');
  out.bytes(a.runstateLog.lines().ofDomain(domain.index));
  printMemorySummary(a, domain);
  for (const v of domain.vcpus) if (v !== undefined) printVcpu(a, v);
  out.text('Emulate eip list\n');
  printEips(a, domain.emulateEips);
  if (options.withInterruptEipEnumeration !== undefined) {
    out.printf('Interrupt eip list (vector %d)\n', options.withInterruptEipEnumeration);
    printEips(a, domain.interruptEips);
  }
  printCr3Values(a, domain);
}

function printVcpu(a: Analyser, v: Vcpu): void {
  a.out.text(`-- v${v.number} --\n`);
  a.out.text(' Runstates:\n');
  const lines = a.runstateLog.lines();
  for (let bytes = lines.ofVcpu(v.index); bytes.length > 0; bytes = lines.rest()) a.out.bytes(bytes);
  if (v.hvm !== undefined) printHvmSummary(a, v.hvm);
  else if (v.pv !== undefined) printPvSummary(a, v.pv);
}

function cut(format: string, value: string | number): string {
  return sprintf(format, value).slice(0, NAME_LENGTH);
}

/** How long each pCPU ran and idled, and for how long its records were lost. */
export function printPcpuReport(a: Analyser): void {
  let active = 0;
  for (const pcpu of a.pcpus) {
    if (pcpu?.summary !== true) continue;
    a.out.printf('pcpu %d\n', pcpu.number);
    printCycleSummary(a, pcpu.running, ' running');
    printCycleSummary(a, pcpu.idle, '    idle');
    printCycleSummary(a, pcpu.lost, '    lost');
    if (pcpu.running.count > 0) active++;
  }
  a.out.printf('Total active cpus: %d\n', active);
}

/** A frequency as xenalyze shows it: in single precision. */
function speed(hz: number): string {
  const [unit, suffix] = UNITS.find(([each]) => hz > each) ?? [1, ' '];
  const value = Math.fround(Math.fround(hz) / Math.fround(unit));
  return sprintf('%1.2lf %cHz', value, suffix);
}

const UNITS: readonly (readonly [number, string])[] = [
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
];
