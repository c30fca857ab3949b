import { z } from 'zod';
import type { Located } from './located.ts';
import type { Problems } from './problems.ts';
import { unknownWord } from './read-keys.ts';
import type { SchedulerName } from './scenario.ts';
import { PRIORITY_SCHEMES, SERVER_KINDS } from './server-words.ts';
import { oneOf, schemaType, type ValueType, wholeNumber, yesOrNo } from './value-types.ts';
import { isSinceXen, type XenSeries } from './xen-versions.ts';

type ParameterValue = number | string | boolean;

/** A parameter of Xen's command line that a scheduler reads. */
export interface BootParameter {
  readonly name: string;
  /** Who reads it. */
  readonly schedulers: readonly SchedulerName[];
  readonly since?: XenSeries;
  readonly type: ValueType<ParameterValue>;
  readonly default: ParameterValue;
  readonly doc: string;
}

const CREDITS = ['credit', 'credit2'] as const satisfies readonly SchedulerName[];
const CREDIT = ['credit'] as const satisfies readonly SchedulerName[];
const RTXEN_2 = ['rtglobal', 'rtpartition'] as const satisfies readonly SchedulerName[];
const CREDIT2 = ['credit2'] as const satisfies readonly SchedulerName[];

/**
 * Xen's boot parameters of the schedulers, by their own names, with the ranges outside of which Xen resets
 * them. Sources: the *_param() declarations in xen/common/sched/{core,credit,credit2}.c, the limits in
 * sysctl.h, and docs/misc/xen-command-line.pandoc.
 */
export const BOOT_PARAMETERS: readonly BootParameter[] = [
  {
    name: 'sched_ratelimit_us',
    schedulers: CREDITS,
    since: '4.2',
    type: schemaType(
      'number',
      '0 or a whole number from 100 to 500000 (microseconds)',
      z.union([z.literal(0), z.number().int().min(100).max(500_000)]),
    ),
    default: 1000,
    doc: 'A vCPU is not preempted before it ran this many microseconds; 0 switches the limit off.',
  },
  {
    name: 'sched_smt_power_savings',
    schedulers: CREDITS,
    since: '3.4',
    type: yesOrNo,
    default: false,
    doc: 'Fill up sibling threads and cores first, instead of spreading the vCPUs.',
  },
  {
    name: 'sched_credit_tslice_ms',
    schedulers: CREDIT,
    since: '4.2',
    type: wholeNumber(1, 1000, 'milliseconds'),
    default: 30,
    doc: 'The time slice, which is also the period of accounting.',
  },
  {
    name: 'tickle_one_idle_cpu',
    schedulers: CREDIT,
    since: '4.1',
    type: yesOrNo,
    default: true,
    doc: 'A wake-up tickles one of the idle pCPUs; false: all of them.',
  },
  {
    name: 'vcpu_migration_delay',
    schedulers: CREDIT,
    since: '3.4',
    type: wholeNumber(0, 100_000, 'microseconds'),
    default: 0,
    doc: 'A vCPU that ran within this many microseconds counts as cache-hot and is not stolen.',
  },
  {
    name: 'load-balance-ratelimit',
    schedulers: CREDIT,
    since: '4.18',
    type: wholeNumber(0, 1_000_000, 'microseconds'),
    default: 1000,
    doc: 'A pCPU looks for work on others at most once in this many microseconds.',
  },
  {
    name: 'rtxen_server',
    schedulers: ['rtxen'],
    type: oneOf(SERVER_KINDS),
    default: 'deferrable',
    doc: 'The kind of the servers that name none.',
  },
  {
    name: 'rtxen_quantum_us',
    schedulers: ['rtxen'],
    type: wholeNumber(0, 1_000_000, 'microseconds'),
    default: 1000,
    doc: 'How often each pCPU decides; 0: at the very instants at which a budget ends or comes.',
  },
  {
    name: 'rtxen_periodic',
    schedulers: RTXEN_2,
    type: yesOrNo,
    default: false,
    doc: 'Servers are periodic instead of deferrable: budget idles away.',
  },
  {
    name: 'rtxen_scheme',
    schedulers: RTXEN_2,
    type: oneOf(PRIORITY_SCHEMES),
    default: 'edf',
    doc: 'Who goes first: the earlier deadline or the shorter period.',
  },
  {
    name: 'bcsched_tslice',
    schedulers: ['bcredit'],
    type: wholeNumber(0, 1000, 'milliseconds'),
    default: 2,
    doc: 'The time slice that the vCPUs of a pCPU share while they are boosted; at least 0.5 ms for each.',
  },
  {
    name: 'credit2_runqueue',
    schedulers: CREDIT2,
    type: oneOf(['cpu', 'core', 'socket', 'node', 'all']),
    default: 'socket',
    doc: 'Which pCPUs share a run queue.',
  },
  {
    name: 'sched_credit2_max_cpus_runqueue',
    schedulers: CREDIT2,
    type: wholeNumber(1, 4095, 'pCPUs'),
    default: 16,
    doc: 'How many pCPUs share a run queue at most.',
  },
  {
    name: 'sched_credit2_migrate_resist',
    schedulers: CREDIT2,
    type: wholeNumber(0, 1_000_000, 'microseconds'),
    default: 500,
    doc: 'By how much credit another vCPU must be better before a vCPU of another pCPU is taken.',
  },
  {
    name: 'credit2_cap_period_ms',
    schedulers: CREDIT2,
    type: wholeNumber(1, 10_000, 'milliseconds'),
    default: 10,
    doc: 'How often the budget of capped domains is replenished.',
  },
  {
    name: 'credit2_load_window_shift',
    schedulers: CREDIT2,
    type: wholeNumber(11, 62, 'bits'),
    default: 30,
    doc: 'The window over which load is averaged is 2 to this power, in nanoseconds.',
  },
  {
    name: 'credit2_load_precision_shift',
    schedulers: CREDIT2,
    type: wholeNumber(4, 32, 'bits'),
    default: 18,
    doc: 'Bits of the fractional part in the computation of load.',
  },
  {
    name: 'credit2_balance_under',
    schedulers: CREDIT2,
    type: wholeNumber(-18, 32, 'power of two'),
    default: 0,
    doc: 'Tolerated difference in load between run queues that are not overloaded.',
  },
  {
    name: 'credit2_balance_over',
    schedulers: CREDIT2,
    type: wholeNumber(-18, 32, 'power of two'),
    default: -3,
    doc: 'Tolerated difference in load between run queues that are overloaded.',
  },
];

/** A parameter as the text gives it. */
export interface GivenParameter {
  readonly parameter: BootParameter;
  readonly value: ParameterValue;
  readonly keyAt: number;
}

/** The `params` map of a scenario: Xen's boot parameters by name. Whom they belong to is checked later. */
export const bootParametersType: ValueType<readonly GivenParameter[]> = {
  label: 'map',
  expected: 'a map of Xen boot parameters',
  read(node: Located, name: string, problems: Problems) {
    if (node.kind === 'scalar' && node.value === null) return [];
    if (node.kind !== 'map') {
      problems.add(
        'scenario-bad-value',
        node.at,
        `"${name}" is not a map, expected Xen boot parameters by name`,
      );
      return undefined;
    }
    const given: GivenParameter[] = [];
    for (const { key, keyAt, value: valueNode } of node.entries) {
      const parameter = BOOT_PARAMETERS.find((known) => known.name === key);
      if (!parameter) {
        const names = BOOT_PARAMETERS.map((known) => known.name);
        problems.add('scenario-unknown-key', keyAt, unknownWord('boot parameter', key, names));
        continue;
      }
      const value = parameter.type.read(valueNode, key, problems);
      if (value !== undefined) given.push({ parameter, value, keyAt });
    }
    return given;
  },
};

/** Why `scheduler` on `xen` does not read `parameter`, or undefined when it does. */
export function whyNotRead(
  parameter: BootParameter,
  scheduler: SchedulerName,
  xen: XenSeries,
): string | undefined {
  if (!parameter.schedulers.includes(scheduler)) {
    const owners = parameter.schedulers.join(' and ');
    return `boot parameter "${parameter.name}" belongs to ${owners}, not to ${scheduler}`;
  }
  if (parameter.since && !isSinceXen(xen, parameter.since)) {
    const { name, since } = parameter;
    return `boot parameter "${name}" exists since Xen ${since}, the scenario models ${xen}`;
  }
  return undefined;
}
