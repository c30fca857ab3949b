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

/** Hypercalls that xenalyze has no names for, up to the last one that it counts. */
const LATER_HYPERCALL_NAMES = [
  'tmem_op',
  'argo_op',
  'xenpmu_op',
  'dm_op',
  'hypfs_op',
  NO_NAME,
  NO_NAME,
  NO_NAME,
  NO_NAME,
  NO_NAME,
  'arch_0',
  'arch_1',
  'arch_2',
  'arch_3',
  'arch_4',
  'arch_5',
  'arch_6',
  'arch_7',
];

/** What Debian's xenalyze 4.17 prints for those: it reads on behind the end of its names. */
const LATER_HYPERCALL_NAMES_417 = [
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
export function countedHypercallNames(compat417: boolean): readonly string[] {
  return [...HYPERCALL_NAMES, ...(compat417 ? LATER_HYPERCALL_NAMES_417 : LATER_HYPERCALL_NAMES)];
}
