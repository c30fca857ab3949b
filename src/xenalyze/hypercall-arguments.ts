/**
 * Hypercalls of PV guests since Xen 4.3: word 0 holds the number in its low 20 bits, and above it, two bits each, how
 * many words of each of six arguments follow.
 * @module
 */
import { HYPERCALL_NAMES, hypercallTemplate } from './hypercall-names.ts';
import { type Bits, HYPERCALL_ARGUMENTS, ifEqual, type LineTemplate } from './record-lines.ts';
import type { Pcpu } from './state.ts';

/** A hypercall with its arguments; those within multicalls stand further to the right. */
export function hypercallV2Line(indent: string): LineTemplate {
  const number: Bits = [0, 0, 20];
  let shown: LineTemplate = [HYPERCALL_ARGUMENTS];
  for (const [name, text] of Object.entries(ARGUMENT_TEXTS))
    shown = [ifEqual(number, HYPERCALL_NAMES.indexOf(name), [text], shown)];
  return [`${indent}hypercall `, ...hypercallTemplate(number), ...shown];
}

const MMU_UPDATE_PREEMPTED = 0x80000000;

function argumentWords(word: number, i: number): number {
  return (word >>> (20 + 2 * i)) & 3;
}

const GRANT_TABLE_OPS = [
  'map_grant_ref',
  'unmap_grant_ref',
  'setup_table',
  'dump_table',
  'transfer',
  'copy',
  'query_size',
  'unmap_and_replace',
  'set_version',
  'get_status_frames',
  'get_version',
  'swap_grant_ref',
];
const VCPU_OPS = [
  'initialise',
  'up',
  'down',
  'is_up',
  'get_runstate_info',
  'register_runstate_memory_area',
  'set_periodic_timer',
  'stop_periodic_timer',
  'set_singleshot_timer',
  'stop_singleshot_timer',
  'register_vcpu_info',
  'send_nmi',
  'get_physid',
  'register_vcpu_time_memory_area',
];
const SCHED_OPS = ['yield', 'block', 'shutdown', 'poll', 'remote_shutdown', 'shutdown_code', 'watchdog'];

/** What is shown of the arguments of some hypercalls, by their names; of all others, all of them. */
const ARGUMENT_TEXTS: Readonly<Record<string, (p: Pcpu) => string>> = {
  mmu_update: (p) => {
    const count = argument(p, 1);
    const preempted = (count & MMU_UPDATE_PREEMPTED) !== 0 ? ' (preempted)' : '';
    return ` ${count & ~MMU_UPDATE_PREEMPTED} updates${preempted}`;
  },
  multicall: (p) => ` ${argument(p, 1) | 0} calls`,
  grant_table_op: (p) => `${commandText(GRANT_TABLE_OPS, argument(p, 0))} ${argument(p, 2) | 0} ops`,
  vcpu_op: (p) => `${commandText(VCPU_OPS, argument(p, 0))} vcpu ${argument(p, 1) | 0}`,
  mmuext_op: (p) => ` ${argument(p, 1) | 0} ops`,
  sched_op: (p) => commandText(SCHED_OPS, argument(p, 0)),
};

/** The low 32 bits of an argument; 0 if it is not there. */
function argument(p: Pcpu, wanted: number): number {
  let at = 1;
  for (let i = 0; i < wanted; i++) at += argumentWords(p.word(0), i);
  const words = argumentWords(p.word(0), wanted);
  return at < p.extraWords && (words === 1 || words === 2) ? p.word(at) : 0;
}

function commandText(names: readonly string[], command: number): string {
  return ` ${names[command] ?? `unknown (${command | 0})`}`;
}
