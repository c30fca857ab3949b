import type { Analyser } from '../analyser.ts';
import { LOST, RUNSTATE_NAMES, type Vcpu } from '../state.ts';
import type { HvmVcpu } from './hvm-vcpu.ts';

const SLOTS = 8;
const SHORTHAND_NAMES = ['dest_field', 'self', 'all-inc', 'all-exc'];
const ALL_BUT_SELF = 3;
const APIC_ICR = 0xfee00300;
const APIC_EOI = 0xfee000b0;

/** Interrupts of one vector that other vCPUs sent and that did not arrive yet. */
class OutstandingIpi {
  valid = false;
  injected = false;
  vector = 0;
  count = 0;
  firstTsc = 0;

  constructor(never: number) {
    this.firstTsc = never;
  }

  clear(never: number): void {
    this.valid = false;
    this.injected = false;
    this.vector = 0;
    this.count = 0;
    this.firstTsc = never;
  }
}

/** Interprocessor interrupts on their way to a vCPU. */
export class Vlapic {
  readonly slots: readonly OutstandingIpi[];

  constructor(never: number) {
    this.slots = Array.from({ length: SLOTS }, () => new OutstandingIpi(never));
  }

  /** The slot of a vector, or the first free one, which becomes its. */
  slot(vector: number): OutstandingIpi | undefined {
    const slot =
      this.slots.find((known) => known.valid && known.vector === vector) ??
      this.slots.find(({ valid }) => !valid);
    if (slot?.valid === false) {
      slot.vector = vector;
      slot.valid = true;
    }
    return slot;
  }
}

function vlapicOf(a: Analyser, v: Vcpu): Vlapic {
  v.vlapic ??= new Vlapic(a.never);
  return v.vlapic;
}

/** Forgets what is on its way. */
export function clearVlapic(v: Vcpu): void {
  v.vlapic = undefined;
}

/** The guest is entered: what was injected has arrived. */
export function finishIpis(a: Analyser, v: Vcpu, tsc: number): void {
  if (v.vlapic === undefined) return;
  const { options, out } = a;
  for (const slot of v.vlapic.slots) {
    if (!slot.injected) continue;
    const latency = latencyOf(a, slot, tsc);
    if (options.dumpIpiLatency || (options.dumpAll && slot.count > 1)) {
      a.setTimeOfDifference(latency);
      const format = ' [vla] %s vec %d ipis %d, latency %lld (%u.%09u s)\n';
      out.printf(format, v.label, slot.vector, slot.count, latency, a.seconds, a.nanoseconds);
    }
    slot.clear(a.never);
  }
}

/** Interrupts that were not seen to be sent have been on their way for ever. */
function latencyOf(a: Analyser, { firstTsc, vector }: OutstandingIpi, tsc: number): number | bigint {
  if (firstTsc === a.never) return a.absolute(tsc);
  if (tsc >= firstTsc) return tsc - firstTsc;
  const format = 'Strange, vec %d first_tsc %lld > ri->tsc %lld!\n';
  a.warn.printf(format, vector, a.absolute(firstTsc), a.absolute(tsc));
  return 0;
}

/** An interrupt is injected. */
export function injectVector(a: Analyser, v: Vcpu, vector: number): void {
  const slot = vlapicOf(a, v).slot(vector);
  if (slot === undefined) {
    a.stderr.text("hvm_vlapic_inject: Couldn't find an open ipi slot!\n");
    return;
  }
  if (a.options.dumpAll) a.out.printf('  [vla] %s vec %d injecting\n', v.label, vector);
  slot.injected = true;
}

/** The guest accessed a register of its interrupt controller. */
export function accessVlapic(a: Analyser, h: HvmVcpu): void {
  const { gpaHigh, gpaLow } = h.mmio;
  if (gpaHigh !== 0) return;
  if (gpaLow === APIC_ICR) accessIcr(a, h);
  else if (gpaLow === APIC_EOI && a.options.dumpAll)
    a.out.printf('              [vla] %s eoi\n', h.vcpu.label);
}

function accessIcr(a: Analyser, { mmio: { data, isWrite }, vcpu }: HvmVcpu): void {
  const { options, out } = a;
  if (!isWrite) {
    const status = data & 0x1000 ? 'pending' : 'idle';
    if (options.dumpAll) out.printf('              [vla] %s icr status %s\n', vcpu.label, status);
    return;
  }
  const vector = data & 0xff;
  const shorthand = (data >>> 18) & 3;
  if (options.dumpAll) {
    const format = '              [vla] %s icr vec %d %s\n';
    out.printf(format, vcpu.label, vector, SHORTHAND_NAMES[shorthand]);
  }
  if (shorthand !== ALL_BUT_SELF) return;
  for (const other of vcpu.domain.vcpus) if (other !== undefined && other !== vcpu) sendIpi(a, other, vector);
}

function sendIpi(a: Analyser, to: Vcpu, vector: number): void {
  const { options, out, warn } = a;
  if (to.runstate === LOST) {
    if (options.dumpAll) warn.printf('ipi_send: v%d in state RUNSTATE_LOST, not counting ipi\n', to.number);
    return;
  }
  const slot = vlapicOf(a, to).slot(vector);
  if (slot === undefined) {
    warn.text("ipi_send: Couldn't find an open slot!\n");
    return;
  }
  if (slot.firstTsc === a.never) slot.firstTsc = a.run.lastTsc;
  if (options.dumpAll && slot.count === 0 && slot.injected) out.text(' [vla] Pre-injection\n');
  slot.count++;
  if (options.dumpAll) {
    const format = ' [vla] %s vec %d state %s (outstanding ipis %d)\n';
    out.printf(format, to.label, slot.vector, RUNSTATE_NAMES[to.runstate], slot.count);
  }
}
