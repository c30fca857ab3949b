import {
  type Bits,
  type Choice,
  ifEqual,
  ifSet,
  type LineTemplate,
  type Percentage,
  type RecordLine,
} from './record-lines.ts';
import { nameOfRunstate, type Pcpu, RUNNING } from './state.ts';
import { fixed } from './text-output.ts';

const INT_MIN = 2 ** 31;
const NONE = 2 ** 32 - 1;
const NO_LINE: LineTemplate = [];
const TICKLED_CPU = ifEqual([1, 0, 32], NONE, 'no cpu was tickled', 'cpu {1} was tickled');
/** A vCPU of -1 is none. The domain is shown as C shows a negative short as an unsigned number. */
const NULL_VCPU = ifEqual([1, 0, 16], 0xffff, ', no vcpu', ', vcpu d{1.shi}v{1.slo}');
const RTDS_SCHEDULE = ['rtds:schedule cpu {0.lo}, ', tasklet([0, 16, 8])];
const BURN_CREDITS: LineTemplate = [
  'csched2:burn_credits d{0.hi}v{0.lo}, credit = {1d}, ',
  ifEqual([2, 0, 32], INT_MIN, '', 'budget = {2d}, '),
  'delta = {3d}',
];

/**
 * Events of runstates (TRC_SCHED_MIN), of the scheduler core (TRC_SCHED_VERBOSE) and of the schedulers
 * (TRC_SCHED_CLASS), as xenalyze shows them.
 */
export const SCHED_LINES: readonly RecordLine[] = [
  ...runstateLines(),
  // The core.
  {
    event: 0x28001,
    byWords: { 1: 'sched_init_domain d{0}', 2: 'sched_init_domain d{0}' },
  },
  { event: 0x28002, byWords: { 1: 'sched_destroy_domain d{0}' } },
  { event: 0x28003, byWords: { 2: 'vcpu_sleep d{0}v{1}' } },
  { event: 0x28004, byWords: { 2: 'vcpu_wake d{0}v{1}' } },
  { event: 0x28005, byWords: { 2: 'vcpu_yield d{0}v{1}' } },
  { event: 0x28006, byWords: { 2: 'vcpu_block d{0}v{1}' } },
  { event: 0x28007, byWords: { 3: 'sched_shutdown d{0}v{1}, reason = {2}' } },
  { event: 0x28010, byWords: { 3: 'sched_shutdown_code d{0}v{1}, reason = {2}' } },
  ...[0x28008, 0x2800b, 0x2800c, 0x2800d].map((event) => ({
    event,
    byWords: {},
    byDefault: NO_LINE,
  })),
  { event: 0x28009, byWords: { 1: 'sched_adjust d{0}' } },
  { event: 0x2800a, byWords: { 4: 'sched_switch prev d{0}v{1} next d{2}v{3}' } },
  {
    event: 0x2800e,
    byWords: {
      3: 'sched_switch prev d{0}v{1d}, run for {2us}us',
      2: 'sched_switch prev d{0}, run for {1us}us',
    },
    in417: 'sched_switch prev d{0}v{1d}, run for {2us}us',
  },
  {
    event: 0x2800f,
    byWords: {
      4: ['sched_switch next d{0}v{1}', runnableFor(2), nextSlice(3)],
      3: ['sched_switch next d{0}', runnableFor(1), nextSlice(2)],
    },
    in417: ['sched_switch next d{0}v{1}', runnableFor(2), nextSlice(3)],
  },
  {
    event: 0x28011,
    byWords: { 4: ['sched_switch continue d{0}v{1}, run for {2us}us', nextSlice(3)] },
  },
  // Credit.
  { event: 0x22001, byWords: { 0: 'csched:sched_tasklet' } },
  { event: 0x22002, byWords: { 3: 'csched:acct_start d{0}v{1}, active_vcpus {2}' } },
  { event: 0x22003, byWords: { 3: 'csched:acct_stop d{0}v{1}, active_vcpus {2}' } },
  { event: 0x22004, byWords: { 3: 'csched:stolen_vcpu d{1}v{2} from cpu {0}' } },
  { event: 0x22005, byWords: { 3: 'csched:pick_cpu {2} for d{0}v{1}' } },
  { event: 0x22006, byWords: { 1: 'csched:runq_tickle, cpu {0}' } },
  { event: 0x22007, byWords: { 2: 'csched: d{0}v{1} boosted' } },
  { event: 0x22008, byWords: { 2: 'csched: d{0}v{1} unboosted' } },
  {
    event: 0x22009,
    byWords: {
      1: ['csched:schedule cpu {0.lo}', tasklet([0, 16, 8]), busyOrIdle([0, 24, 8])],
    },
  },
  { event: 0x2200a, byWords: { 2: 'csched:ratelimit, d{0.hi}v{0.lo} run only {1us}us' } },
  {
    event: 0x2200b,
    byWords: { 2: ['csched:load_balance ', ifSet([1, 0, 32], 'checking', 'skipping'), ' {0}'] },
  },
  // Credit2.
  ...[0x22201, 0x22204].map((event) => ({
    event,
    byWords: {},
    byDefault: NO_LINE,
  })),
  { event: 0x22202, byWords: { 2: 'csched2:runq_insert d{0.hi}v{0.lo}, position {1}' } },
  {
    event: 0x22203,
    byWords: {
      4: BURN_CREDITS,
      3: 'csched2:burn_credits d{0.hi}v{0.lo}, credit = {1d}, delta = {2d}',
    },
    in417: BURN_CREDITS,
  },
  {
    event: 0x22205,
    byWords: {
      3: 'csched2:tickle_check d{0.hi}v{0.lo}, credit = {1d}, score = {2d}\n',
      2: 'csched2:tickle_check d{0.hi}v{0.lo}, credit = {1d}\n',
    },
    in417: 'csched2:tickle_check d{0.hi}v{0.lo}, credit = {1d}, score = {2d}\n',
  },
  { event: 0x22206, byWords: { 1: 'csched2:runq_tickle cpu {0.lo}' } },
  {
    event: 0x22207,
    byWords: {
      3: 'csched2:reset_credits d{0.hi}v{0.lo}, credit_start = {1d}, credit_end = {2d}',
      4: 'csched2:reset_credits d{0.hi}v{0.lo}, credit_start = {1d}, credit_end = {2d}',
    },
  },
  { event: 0x22208, byWords: { 0: 'csched2:sched_tasklet' } },
  { event: 0x22209, byWords: { 0: 'csched2:update_load' } },
  { event: 0x2220a, byWords: { 2: 'csched2:runq_assign d{0.hi}v{0.lo} on rq# {1.lo}' } },
  {
    event: 0x2220b,
    byWords: {
      4: ['csched2:update_vcpu_load d{2.hi}v{2.lo}, vcpu_load = ', load(0, 3, 0), ' ({0q})'],
    },
  },
  {
    event: 0x2220c,
    byWords: {
      6: [
        'csched2:update_rq_load rq# {4.2}, load = {4.lo}, avgload = ',
        load(0, 4, 24),
        ' ({0q}), b_avgload = ',
        load(2, 4, 24),
        ' ({2q})',
      ],
    },
  },
  {
    event: 0x2220d,
    byWords: { 3: 'csched2:runq_tickle_new d{0.hi}v{0.lo}, processor = {1}, credit = {2d}' },
  },
  { event: 0x2220e, byWords: { 1: 'csched2:update_max_weight rq# {0.lo}, max_weight = {0.hi}' } },
  { event: 0x2220f, byWords: { 2: 'csched2:migrate d{0.hi}v{0.lo} rq# {1.lo} --> rq# {1.hi}' } },
  { event: 0x22210, byWords: { 2: 'csched2:load_balance_check lrq# {0.lo}, orq# {0.hi}, delta = {1}' } },
  {
    event: 0x22211,
    byWords: {
      6: 'csched2:load_balance_begin lrq# {4.lo}, avg_load = {0q} -- orq# {4.hi}, avg_load = {2q}',
    },
  },
  { event: 0x22213, byWords: { 4: 'csched2:picked_cpu d{2.hi}v{2.lo}, rq# {3.lo}, cpu {3.hi}' } },
  {
    event: 0x22214,
    byWords: {
      3: ['csched2:runq_candidate d{0.hi}v{0.lo}, credit = {2d}, ', TICKLED_CPU],
      4: ['csched2:runq_candidate d{0.hi}v{0.lo}, credit = {3d}, ', TICKLED_CPU],
    },
  },
  {
    event: 0x22215,
    byWords: {
      2: [
        'csched2:schedule cpu {0.lo}, rq# {0.hi}',
        tasklet([1, 0, 8]),
        busyOrIdle([1, 8, 8], [ifSet([1, 16, 8], ', SMT idle', ', SMT busy')]),
        tickled([1, 24, 8]),
      ],
    },
  },
  { event: 0x22216, byWords: { 2: 'csched2:ratelimit, d{0.hi}v{0.lo} run only {1us}us' } },
  { event: 0x22217, byWords: { 1: 'csched2:runq_cand_check d{0.hi}v{0.lo}' } },
  // RTDS.
  { event: 0x22801, byWords: { 1: 'rtds:runq_tickle cpu {0.lo}' } },
  {
    event: 0x22802,
    byWords: { 5: 'rtds:runq_pick d{0.hi}v{0.lo}, deadline = {1q}, budget = {3q}' },
  },
  {
    event: 0x22803,
    byWords: {
      4: 'rtds:burn_budget d{0.hi}v{0.lo}, budget = {1q}, delta = {3d}',
      6: 'rtds:burn_budget d{0.hi}v{0.lo}, budget = {1q}, delta = {3d}',
    },
  },
  {
    event: 0x22804,
    byWords: {
      5: 'rtds:repl_budget d{0.hi}v{0.lo}, deadline = {1q}, budget = {3q}',
      6: 'rtds:repl_budget d{0.hi}v{0.lo}, deadline = {2q}, budget = {4q}, priority = {1}',
    },
    in417: 'rtds:repl_budget d{0.hi}v{0.lo}, deadline = {1q}, budget = {3q}',
  },
  { event: 0x22805, byWords: { 0: 'rtds:sched_tasklet' } },
  {
    event: 0x22806,
    byWords: { 1: [...RTDS_SCHEDULE, busyOrIdle([0, 28, 4]), tickled([0, 24, 4])] },
    in417: [...RTDS_SCHEDULE, busyOrIdle([0, 24, 4]), tickled([0, 28, 4])],
  },
  // Null.
  { event: 0x22a01, byWords: { 2: 'null:picked_cpu d{0.hi}v{0.lo}, cpu {1}' } },
  { event: 0x22a02, byWords: { 2: 'null:vcpu_assign d{0.hi}v{0.lo} to cpu {1}' } },
  { event: 0x22a03, byWords: { 2: 'null:vcpu_deassign d{0.hi}v{0.lo} from cpu {1}' } },
  { event: 0x22a04, byWords: { 2: 'null:migrate d{0.hi}v{0.lo}, cpu {1.lo}, new_cpu {1.hi}' } },
  {
    event: 0x22a05,
    byWords: { 2: ['null:schedule cpu {0.hi}', tasklet([0, 0, 16]), NULL_VCPU] },
  },
  { event: 0x22a06, byWords: { 0: 'null:sched_tasklet' } },
];

/** From runstate o to runstate n: event 0x00021no1; or on in the same one, 0x00021no2. */
function* runstateLines(): Generator<RecordLine> {
  const names = Array.from({ length: 16 }, (_, runstate) => nameOfRunstate(runstate));
  const running = names[RUNNING];
  for (const [old, from] of names.entries())
    for (const [next, to] of names.entries()) {
      const event = 0x21000 + old * 256 + next * 16;
      yield runstateLine(event + 1, 'runstate_change', `${from}->${to}`);
      yield runstateLine(event + 2, 'runstate_continue', `${running}->${running}`);
    }
}

/** Records of five words have two performance counters. */
function runstateLine(event: number, name: string, transition: string): RecordLine {
  const line = `d{0.hi}v{0.lo} ${transition}`;
  return { event, byWords: { 5: `${name} {{1qd},{3qd}} ${line}` }, byDefault: `${name} ${line}` };
}

/** For how long it was runnable, if that is not 0. */
function runnableFor(word: number): Choice {
  return ifSet([word, 0, 32], `, was runnable for {${word}us}us`);
}

/** How long it may run, if that is above 0. */
function nextSlice(word: number): Choice {
  return ifSet([word, 31, 1], '', [ifSet([word, 0, 32], `, next slice {${word}us}us`)]);
}

function tasklet(bits: Bits): Choice {
  return ifSet(bits, ', tasklet scheduled');
}

function busyOrIdle(bits: Bits, ifIdle: readonly Choice[] = []): Choice {
  return ifSet(bits, [', idle', ...ifIdle], ', busy');
}

function tickled(bits: Bits): Choice {
  return ifSet(bits, ', tickled', ', not tickled');
}

/** A load as a percentage of one pCPU: see {@link Percentage}. */
function load(word: number, shiftWord: number, shiftBit: number): Percentage {
  const compute = (p: Pcpu) => {
    const shift = (p.word(shiftWord) >>> shiftBit) & 63;
    return fixed((p.wide(word) * 100) / 2 ** shift, 3);
  };
  return { word, shiftWord, shiftBit, compute };
}
