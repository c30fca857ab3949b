import type { Analyser } from '../analyser.ts';
import type { HvmVcpu } from '../hvm/hvm-vcpu.ts';
import type { Pcpu } from '../state.ts';

/** A page fault of the guest, as Xen's handler records it. */
export function processPfXen(_a: Analyser, _p: Pcpu, _h: HvmVcpu): void {}
