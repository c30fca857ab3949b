import { type Bits, ifSet, type LineTemplate } from './record-lines.ts';

/** What the C library prints for a name that is not there. */
export const NO_NAME = '(null)';

/** Xen's hypercalls by their numbers, in xenalyze's words. */
export const HYPERCALL_NAMES = [
  'set_trap_table',
  'mmu_update',
  'set_gdt',
  'stack_switch',
  'set_callbacks',
  'fpu_taskswitch',
  'sched_op(compat)',
  'platform_op',
  'set_debugreg',
  'get_debugreg',
  'update_descriptor',
  NO_NAME,
  'memory_op',
  'multicall',
  'update_va_mapping',
  'set_timer_op',
  'evtchn_op(compat)',
  'xen_version',
  'console_io',
  'physdev_op(compat)',
  'grant_table_op',
  'vm_assist',
  'update_va_mapping_otherdomain',
  'iret',
  'vcpu_op',
  'set_segment_base',
  'mmuext_op',
  'acm_op',
  'nmi_op',
  'sched_op',
  'callback_op',
  'xenoprof_op',
  'evtchn_op',
  'physdev_op',
  'hvm_op',
  'sysctl',
  'domctl',
  'kexec_op',
];

/**
 * What Debian's xenalyze 4.17 prints for hypercalls that it has no names for: it reads on behind the end of its names.
 */
const LATER_HYPERCALL_NAMES = [
  'vmentry',
  'vmexit',
  'handler',
  NO_NAME,
  NO_NAME,
  NO_NAME,
  NO_NAME,
  'wake to halt alone',
  'wake to halt any',
  'intr to halt',
  '(no handler)',
  'pf_xen',
  'pf_inject',
  'inj_exc',
  'inj_virq',
  'reinj_virq',
  'io_read',
  'io_write',
];

/** The names of all hypercalls that are counted in a summary. */
export const COUNTED_HYPERCALL_NAMES = [...HYPERCALL_NAMES, ...LATER_HYPERCALL_NAMES];

/** A hypercall's number and name, by the bits that have the number. */
export function hypercallTemplate(bits: Bits): LineTemplate {
  const [word, shift, width] = bits;
  const isLong: Bits = [word, shift + 4, width - 4];
  const names = HYPERCALL_NAMES.map((name) => ` (${name})`);
  return [ifSet(isLong, '', ' '), { hex: bits }, { bits, names, otherwise: '' }];
}
