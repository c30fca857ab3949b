import { z } from 'zod';
import { bootParametersType } from './boot-parameters.ts';
import type { Located } from './located.ts';
import { PCPUS_MAX, pcpuList } from './pcpu-list.ts';
import { key } from './read-keys.ts';
import type { SchedulerName } from './scenario.ts';
import { SERVER_KINDS } from './server-words.ts';
import {
  duration,
  frequencyHz,
  mask32,
  oneOf,
  schemaType,
  shortText,
  tickList,
  unsigned64,
  type ValueType,
  wholeNanoseconds,
  wholeNumber,
  yesOrNo,
} from './value-types.ts';
import { workloadType } from './workload-language.ts';
import { XEN_SERIES, XEN_SERIES_WORDS, type XenSeries, xenSeriesOf } from './xen-versions.ts';

/*
 * Every key of the language, map by map: the reader, the messages and the tables of docs/scenarios.md go by
 * these declarations. The first name is the preferred one; aliases are mostly the spellings of the machine
 * model.
 */

export const SCHEDULERS = [
  'credit',
  'credit2',
  'rtds',
  'null',
  'arinc653',
  'sedf',
  'rtxen',
  'rtglobal',
  'rtpartition',
  'bcredit',
] as const satisfies SchedulerName[];

/** Domain ids from 32752 on are Xen's own (DOMID_FIRST_RESERVED in public/xen.h). */
export const DOMAIN_ID_MAX = 32_751;
/** As many vCPUs as a domain can have on x86 (MAX_VIRT_CPUS). */
export const VCPUS_PER_DOMAIN_MAX = 8192;
export const DURATION_DEFAULT_NS = 1_000_000_000;
export const TSC_DEFAULT = 1_000_000_000;
/** All TRC_SCHED classes, as the reference traces were recorded. */
export const EVENT_MASK_DEFAULT = 0x0002f000;
export const FLUSH_DEFAULT_NS = 100_000_000;

/** A map or list that is read in a step of its own. */
export function nested(label: string): ValueType<Located> {
  return { label, expected: label, read: (node) => node };
}

const xenVersion: ValueType<XenSeries> = {
  label: 'version',
  expected: XEN_SERIES_WORDS,
  read(node, name, problems) {
    // By its source: without quotes YAML reads 4.20 as the number 4.2.
    const series = node.kind === 'scalar' ? xenSeriesOf(node.source) : undefined;
    if (series) return series;
    const shown = node.kind === 'scalar' ? `"${node.source.slice(0, 20)}"` : `a ${node.kind}`;
    problems.add('scenario-bad-value', node.at, `"${name}" is ${shown}, expected ${this.expected}`);
    return undefined;
  },
};

const seedType = wholeNumber(0, Number.MAX_SAFE_INTEGER);

export const SCENARIO_KEYS = {
  name: key({
    name: 'name',
    type: shortText(200),
    default: "the file's name",
    doc: 'What the scenario is called in reports.',
  }),
  description: key({
    name: 'description',
    type: shortText(10_000),
    default: 'none',
    doc: 'What it shows, for readers.',
    aliases: ['note'],
  }),
  xen: key({
    name: 'xen',
    type: xenVersion,
    default: `${XEN_SERIES[XEN_SERIES.length - 1]!}; 3.3 for bcredit, rt-xen-2.0 for rtglobal and rtpartition`,
    doc: 'The version of Xen that is modelled. A patch version such as 4.17.7 means its series.',
  }),
  scheduler: key({
    name: 'scheduler',
    type: oneOf(SCHEDULERS),
    default: 'credit',
    doc: "The scheduler, by the name that Xen's `sched=` takes.",
    aliases: ['sched'],
  }),
  params: key({
    name: 'params',
    type: bootParametersType,
    default: 'none',
    doc: "Xen's boot parameters, by their own names (see below).",
  }),
  duration: key({
    name: 'duration',
    type: duration(1),
    default: '1s',
    doc: 'How long the run is; nothing happens at its end or later.',
    aliases: [{ name: 'duration_ns', type: wholeNanoseconds(1) }],
  }),
  seed: key({
    name: 'seed',
    type: seedType,
    default: '1',
    doc: 'Root of all random draws. Same text and seed, same run; another seed, other draws.',
  }),
  host: key({ name: 'host', type: nested('map'), default: 'one pCPU', doc: 'The machine (see below).' }),
  topology: key({
    name: 'topology',
    type: nested('map'),
    default: 'none',
    doc: "`sockets`, `cores`, `threads` and `nodes` of the host: the machine model's place for them.",
  }),
  trace: key({
    name: 'trace',
    type: nested('map'),
    default: 'everything',
    doc: 'What is traced (see below).',
  }),
  arinc653: key({
    name: 'arinc653',
    type: nested('map'),
    default: "10ms for each of dom0's vCPUs",
    doc: 'The table of slots that ARINC653 repeats, set when all domains exist (see below).',
  }),
  cpupools: key({
    name: 'cpupools',
    type: nested('list'),
    default: 'none',
    doc: 'Pools of pCPUs besides Pool-0, which has the `scheduler` and the pCPUs that are left (see below).',
  }),
  actions: key({
    name: 'actions',
    type: nested('list'),
    default: 'none',
    doc: 'What the toolstack does while the host runs (see below).',
  }),
  domains: key({
    name: 'domains',
    type: nested('list'),
    default: 'required',
    doc: 'The domains, in the order of their creation (see below).',
  }),
};

export const TOPOLOGY_KEYS = {
  sockets: key({
    name: 'sockets',
    type: wholeNumber(1, PCPUS_MAX),
    default: '1',
    doc: 'Sockets of the host.',
  }),
  cores: key({
    name: 'cores',
    type: wholeNumber(1, PCPUS_MAX),
    default: 'as many as the pCPUs need',
    doc: 'Cores of each socket.',
  }),
  threads: key({
    name: 'threads',
    type: wholeNumber(1, PCPUS_MAX),
    default: '1',
    doc: 'Threads of each core.',
  }),
  nodes: key({
    name: 'nodes',
    type: wholeNumber(1, PCPUS_MAX),
    default: '1',
    doc: 'NUMA nodes; the sockets are divided among them.',
  }),
};

export const HOST_KEYS = {
  pcpus: key({
    name: 'pcpus',
    type: wholeNumber(1, PCPUS_MAX),
    default: 'sockets x cores x threads',
    doc: 'Number of pCPUs. pCPU i is thread i mod threads of core (i / threads) mod cores.',
    topLevel: ['pcpus'],
  }),
  ...TOPOLOGY_KEYS,
  tscHz: key({
    name: 'tsc_hz',
    type: frequencyHz,
    default: '1GHz',
    doc: 'Frequency of the TSC.',
    topLevel: ['tsc_hz'],
  }),
  tscBase: key({
    name: 'tsc_base',
    type: unsigned64,
    default: '1000000000',
    doc: 'TSC at the start of the run, in ticks.',
    topLevel: ['tsc_base'],
  }),
  tscSkew: key({
    name: 'tsc_skew',
    type: tickList,
    default: 'none',
    doc: 'By how many ticks the TSC of each pCPU, from 0 on, is ahead; missing ones are 0.',
  }),
  contextSwitch: key({
    name: 'context_switch',
    type: duration(),
    default: '0s',
    doc: "Cost of switching to a guest's vCPU: charged to it, but of no use to its guest.",
    topLevel: [{ name: 'context_switch_ns', type: wholeNanoseconds() }],
  }),
  timerJitter: key({
    name: 'timer_jitter',
    type: duration(),
    default: '0s',
    doc: "Each of Xen's timers fires late by a random time below this.",
    topLevel: [{ name: 'timer_jitter_ns', type: wholeNanoseconds() }],
  }),
  jitterSeed: key({
    name: 'jitter_seed',
    type: seedType,
    default: 'the seed',
    doc: 'Seed of the timer jitter alone.',
    topLevel: ['jitter_seed'],
  }),
  timerMin: key({
    name: 'timer_min',
    type: duration(1),
    default: '1us in Xen 4.5 and 4.6, else none',
    doc: 'A timer that is set to the present or the past fires this much later.',
    topLevel: [{ name: 'timer_min_ns', type: wholeNanoseconds(1) }],
  }),
  timerBatch: key({
    name: 'timer_batch',
    type: yesOrNo,
    default: 'true',
    doc: 'All expired timers of a pCPU run before its softirqs do, as in Xen; false: softirqs after each.',
    topLevel: ['timer_batch'],
  }),
  randomSeed: key({
    name: 'random_seed',
    type: seedType,
    default: '0',
    doc: "Seed of Xen's get_random(), which cpumask_any() uses; with 0 it always answers 0.",
    topLevel: ['random_seed'],
  }),
  xmallocFill: key({
    name: 'xmalloc_fill',
    type: wholeNumber(0, 2),
    default: '0',
    doc: 'What memory holds before its first use: with n, Xen 3.3 accounts at ticks 3 - n, 6 - n, ...',
    topLevel: ['xmalloc_fill'],
  }),
};

export const TRACE_KEYS = {
  events: key({
    name: 'events',
    type: mask32,
    default: '0x0002f000',
    doc: "xentrace's event mask; the default is all scheduler events.",
    topLevel: ['trace_mask'],
  }),
  flush: key({
    name: 'flush',
    type: duration(1),
    default: '100ms',
    doc: 'How often the recorder drains the rings.',
    topLevel: [{ name: 'flush_ns', type: wholeNanoseconds(1) }],
  }),
  end: key({
    name: 'end',
    type: duration(1),
    default: 'the end of the run',
    doc: 'When the trace stops; the run goes on.',
    topLevel: [{ name: 'trace_end_ns', type: wholeNanoseconds(1) }],
  }),
  stateEvery: key({
    name: 'state_every',
    type: duration(),
    default: 'never',
    doc: "How often the machine model's own instrument writes down what its scheduler knows; here never.",
    topLevel: [{ name: 'state_every_ns', type: wholeNanoseconds() }],
  }),
};

const hard = {
  name: 'affinity',
  type: pcpuList,
  aliases: ['hard', 'hard_affinity'],
};
const soft = { name: 'soft_affinity', type: pcpuList, aliases: ['soft'] };

/** RT-Xen's own tool takes as much (libxl.c, sched_rtglobal_domain_set). */
const milliseconds = wholeNumber(1, 65_535, 'milliseconds');
const extra = { name: 'extratime', type: yesOrNo, aliases: ['extra'] };

/**
 * What a setting of the parameters of a domain may ask for; 0 and 65535 may mean that it asks for nothing.
 */
const PARAMETER_MAX = 65_535;
const BOOST_KEYS = {
  maxBoostPeriod: key({
    name: 'max_boost_period',
    type: wholeNumber(0, PARAMETER_MAX, 'milliseconds'),
    default: '0',
    doc: 'For how long its vCPUs may save up boost credit, from 30 on; 0 is none (bcredit).',
  }),
  boostRatio: key({
    name: 'boost_ratio',
    type: wholeNumber(0, PARAMETER_MAX, 'percent of one pCPU'),
    default: '0',
    doc: 'Boost credit that it is given instead of credit by weight; needs a `max_boost_period` (bcredit).',
  }),
};

export const SETTING_KEYS = {
  vcpu: key({
    name: 'vcpu',
    type: wholeNumber(0, VCPUS_PER_DOMAIN_MAX - 1),
    default: '0',
    doc: 'The vCPU whose server it is (RT-Xen 2.0).',
  }),
  periodMs: key({
    name: 'period_ms',
    type: milliseconds,
    default: 'as it is',
    doc: 'Its period (RT-Xen 2.0).',
  }),
  budgetMs: key({
    name: 'budget_ms',
    type: milliseconds,
    default: 'as it is',
    doc: 'Its budget (RT-Xen 2.0).',
  }),
  extratime: key({
    ...extra,
    default: 'as it is',
    doc: 'Whether the vCPUs of the domain may run without budget (RT-Xen 2.0).',
  }),
  weight: key({
    name: 'weight',
    type: wholeNumber(0, PARAMETER_MAX),
    default: 'as it is',
    doc: 'Its weight; 0 leaves it.',
  }),
  cap: key({
    name: 'cap',
    type: wholeNumber(0, PARAMETER_MAX),
    default: 'as it is',
    doc: 'Its cap; 65535 leaves it.',
  }),
  maxBoostPeriod: key({ ...BOOST_KEYS.maxBoostPeriod, default: 'as it is' }),
  boostRatio: key({ ...BOOST_KEYS.boostRatio, default: 'as it is' }),
  inquiry: key({
    name: 'getinfo_only',
    type: yesOrNo,
    default: 'false',
    doc: 'Only reads them, for which Xen until 4.1 stops and wakes all vCPUs of the domain, too.',
  }),
};

export const DOMAIN_KEYS = {
  id: key({
    name: 'id',
    type: wholeNumber(0, DOMAIN_ID_MAX),
    default: 'one more than the last',
    doc: 'Domain number; the first is 1 unless given. 0 is dom0.',
  }),
  name: key({ name: 'name', type: shortText(100), default: 'd and the id', doc: 'Name, for readers.' }),
  weight: key({
    name: 'weight',
    type: wholeNumber(1, 65_535),
    default: '256',
    doc: 'Share relative to other domains (credit, credit2, SEDF).',
  }),
  cap: key({
    name: 'cap',
    type: wholeNumber(0, 65_535, 'percent of one pCPU, 0 is no cap'),
    default: '0',
    doc: 'Most CPU time it may get, in percent of one pCPU; 0 is no cap (credit, credit2).',
  }),
  sedf: key({
    name: 'sedf',
    type: nested('map'),
    default: 'none: extra time only',
    doc: 'Its slices and extra time under SEDF (see below).',
  }),
  extratime: key({
    ...extra,
    default: 'false',
    doc: 'Its vCPUs may run without budget when nobody with budget wants the pCPU (RT-Xen 2.0).',
  }),
  ...BOOST_KEYS,
  adjust: key({
    name: 'adjust',
    type: nested('list'),
    default: 'none',
    doc: 'Settings of its parameters after its creation, one after the other, as Xen takes or refuses them.',
  }),
  schedulingDomain: key({
    name: 'scheduling_domain',
    type: shortText(100),
    default: 'none',
    doc: 'Name or id of the master whose time slices it shares instead of having its own (credit).',
  }),
  cpupool: key({
    name: 'cpupool',
    type: shortText(100),
    default: 'Pool-0',
    doc: 'Name of the pool in which it is created.',
    aliases: ['pool'],
  }),
  affinity: key({
    ...hard,
    default: 'all',
    doc: 'pCPUs on which its vCPUs may run, unless a vCPU says otherwise.',
  }),
  softAffinity: key({ ...soft, default: 'all', doc: 'pCPUs on which its vCPUs prefer to run, likewise.' }),
  guest: key({
    name: 'guest',
    type: nested('map'),
    default: 'none',
    doc: 'An operating system with tasks, on those of its vCPUs that have no other workload (see below).',
  }),
  vcpus: key({
    name: 'vcpus',
    type: nested('list'),
    default: 'required',
    doc: 'Its vCPUs: workloads, or maps with the keys below.',
  }),
};

export const VCPU_KEYS = {
  workload: key({
    name: 'workload',
    type: workloadType,
    default: 'required, or tasks where there is a guest',
    doc: 'What the guest does on it (see below).',
  }),
  count: key({
    name: 'count',
    type: wholeNumber(1, VCPUS_PER_DOMAIN_MAX),
    default: '1',
    doc: 'So many vCPUs of this description.',
  }),
  offsetStep: key({
    name: 'offset_step',
    type: duration(),
    default: '0s',
    doc: 'Added to the offset of each further one of the `count`.',
    aliases: [{ name: 'offset_step_ns', type: wholeNanoseconds() }],
  }),
  yieldEvery: key({
    name: 'yield_every',
    type: duration(),
    default: 'never',
    doc: 'It yields each time it ran this long; 0 is never.',
    aliases: [{ name: 'yield_every_ns', type: wholeNanoseconds() }],
  }),
  affinity: key({ ...hard, default: "the domain's", doc: 'pCPUs on which it may run.' }),
  softAffinity: key({ ...soft, default: "the domain's", doc: 'pCPUs on which it prefers to run.' }),
  rtds: key({
    name: 'rtds',
    type: nested('map'),
    default: 'none',
    doc: 'Its server under RTDS (see below).',
  }),
  server: key({
    name: 'server',
    type: nested('map'),
    default: 'none',
    doc: 'Its server under RT-Xen (see below); also under RTDS, as `rtds` is under RT-Xen, where only one is given.',
  }),
};

export const CPUPOOL_KEYS = {
  name: key({ name: 'name', type: shortText(100), default: 'required', doc: 'What it is called.' }),
  scheduler: key({
    name: 'scheduler',
    type: oneOf(SCHEDULERS),
    default: "the scenario's",
    doc: 'Its scheduler.',
    aliases: ['sched'],
  }),
  pcpus: key({
    name: 'pcpus',
    type: pcpuList,
    default: 'required',
    doc: 'Its pCPUs. pCPU 0 stays in Pool-0.',
    aliases: ['cpus'],
  }),
};

const microseconds = schemaType(
  'us',
  'a whole number of microseconds from 10 to 2^32 - 1',
  z
    .number()
    .int()
    .min(10)
    .max(0xffffffff)
    .transform((us) => us * 1000),
);
/** RTDS_MIN_PERIOD and RTDS_MIN_BUDGET; the domctl carries 32 bits of microseconds. */
const serverTime = duration(10_000, 0xffffffff * 1000);

export const RTDS_KEYS = {
  period: key({
    name: 'period',
    type: serverTime,
    default: '10ms',
    doc: 'Period of the server, in whole microseconds, from 10us on.',
    aliases: [{ name: 'period_us', type: microseconds }],
  }),
  budget: key({
    name: 'budget',
    type: serverTime,
    default: '4ms',
    doc: 'CPU time in each period, in whole microseconds, from 10us on; at most the period.',
    aliases: [{ name: 'budget_us', type: microseconds }],
  }),
  extratime: key({
    name: 'extratime',
    type: yesOrNo,
    default: 'false',
    doc: 'May run beyond its budget when nobody else needs the pCPU.',
  }),
};

const wholeMilliseconds = schemaType(
  'ms',
  'a whole number of milliseconds from 1 to 65535',
  z
    .number()
    .int()
    .min(1)
    .max(65_535)
    .transform((ms) => ms * 1_000_000),
);

export const SERVER_KEYS = {
  period: key({
    name: 'period',
    type: serverTime,
    default: '10ms',
    doc: 'Period of the server, in whole microseconds, from 10us on.',
    topLevel: [{ name: 'period_ms', type: wholeMilliseconds }],
  }),
  budget: key({
    name: 'budget',
    type: serverTime,
    default: '4ms',
    doc: 'CPU time in each period, in whole microseconds, from 10us on; at most the period.',
    topLevel: [{ name: 'budget_ms', type: wholeMilliseconds }],
  }),
  priority: key({
    name: 'priority',
    type: wholeNumber(0, 65_535),
    default: '0',
    doc: 'Lower numbers go first; of equal ones the shorter period (rtxen).',
  }),
  kind: key({
    name: 'kind',
    type: oneOf(SERVER_KINDS),
    default: 'as `rtxen_server` says',
    doc: 'What becomes of budget without work: deferrable, periodic, polling or sporadic (rtxen).',
  }),
};
