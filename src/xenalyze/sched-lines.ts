import { AsciiText, putAscii, putText } from './ascii.ts';
import { type ComputedPut, type LineTemplate, putMicroseconds, type RecordLine } from './record-lines.ts';
import type { Pcpu } from './state.ts';
import { fixed } from './text-output.ts';

const INT_MIN = -(2 ** 31);
const NO_LINE: LineTemplate = [];
const BURN_CREDITS: LineTemplate = [
  'csched2:burn_credits d{0.hi}v{0.lo}, credit = {1d}, ',
  (p) => (p.signed(2) === INT_MIN ? '' : `budget = ${p.signed(2)}, `),
  'delta = {3d}',
];

/** Events of the scheduler core (TRC_SCHED_VERBOSE) and of the schedulers (TRC_SCHED_CLASS), as xenalyze shows them. */
export const SCHED_LINES: readonly RecordLine[] = [
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
    byWords: Object.fromEntries([0, 1, 2, 3, 4, 5, 6, 7].map((words) => [words, NO_LINE])),
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
      1: [
        'csched:schedule cpu {0.lo}',
        (p) => tasklet(p.word(0), 16, 8),
        (p) => busyOrIdle(p.word(0), 24, 8),
      ],
    },
  },
  { event: 0x2200a, byWords: { 2: 'csched:ratelimit, d{0.hi}v{0.lo} run only {1us}us' } },
  {
    event: 0x2200b,
    byWords: { 2: ['csched:load_balance ', (p) => (p.word(1) ? 'checking' : 'skipping'), ' {0}'] },
  },
  // Credit2.
  ...[0x22201, 0x22204].map((event) => ({
    event,
    byWords: Object.fromEntries([0, 1, 2, 3, 4, 5, 6, 7].map((words) => [words, NO_LINE])),
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
      4: ['csched2:update_vcpu_load d{2.hi}v{2.lo}, vcpu_load = ', (p) => load(p, 0, p.word(3)), ' ({0q})'],
    },
  },
  {
    event: 0x2220c,
    byWords: {
      6: [
        'csched2:update_rq_load rq# {4.2}, load = {4.lo}, avgload = ',
        (p) => load(p, 0, p.word(4) >>> 24),
        ' ({0q}), b_avgload = ',
        (p) => load(p, 2, p.word(4) >>> 24),
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
      3: ['csched2:runq_candidate d{0.hi}v{0.lo}, credit = {2d}, ', tickledCpu],
      4: ['csched2:runq_candidate d{0.hi}v{0.lo}, credit = {3d}, ', tickledCpu],
    },
  },
  {
    event: 0x22215,
    byWords: {
      2: ['csched2:schedule cpu {0.lo}, rq# {0.hi}', (p) => tasklet(p.word(1), 0, 8), credit2Schedule],
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
    byWords: { 1: ['rtds:schedule cpu {0.lo}, ', (p) => rtdsSchedule(p, 28, 24)] },
    in417: ['rtds:schedule cpu {0.lo}, ', (p) => rtdsSchedule(p, 24, 28)],
  },
  // Null.
  { event: 0x22a01, byWords: { 2: 'null:picked_cpu d{0.hi}v{0.lo}, cpu {1}' } },
  { event: 0x22a02, byWords: { 2: 'null:vcpu_assign d{0.hi}v{0.lo} to cpu {1}' } },
  { event: 0x22a03, byWords: { 2: 'null:vcpu_deassign d{0.hi}v{0.lo} from cpu {1}' } },
  { event: 0x22a04, byWords: { 2: 'null:migrate d{0.hi}v{0.lo}, cpu {1.lo}, new_cpu {1.hi}' } },
  {
    event: 0x22a05,
    byWords: { 2: ['null:schedule cpu {0.hi}', (p) => tasklet(p.word(0), 0, 16), nullVcpu] },
  },
  { event: 0x22a06, byWords: { 0: 'null:sched_tasklet' } },
];

const RUNNABLE_FOR = new AsciiText(', was runnable for ');
const NEXT_SLICE = new AsciiText(', next slice ');

/** For how long it was runnable, if that is not 0. */
function runnableFor(word: number): ComputedPut {
  return { put: (view, at, p) => putTime(view, at, RUNNABLE_FOR, p.word(word)) };
}

/** How long it may run, if that is above 0. */
function nextSlice(word: number): ComputedPut {
  return { put: (view, at, p) => putTime(view, at, NEXT_SLICE, Math.max(0, p.signed(word))) };
}

function putTime(view: DataView, at: number, words: AsciiText, ns: number): number {
  if (ns === 0) return at;
  return putText(view, putMicroseconds(view, putAscii(view, at, words), ns), 'us');
}

function bits(value: number, shift: number, width: number): number {
  return (value >>> shift) & (2 ** width - 1);
}

function tasklet(value: number, shift: number, width: number): string {
  return bits(value, shift, width) ? ', tasklet scheduled' : '';
}

function busyOrIdle(value: number, shift: number, width: number): string {
  return bits(value, shift, width) ? ', idle' : ', busy';
}

function credit2Schedule(p: Pcpu): string {
  const flags = p.word(1);
  const smt = bits(flags, 16, 8) ? ', SMT idle' : ', SMT busy';
  const idle = bits(flags, 8, 8) ? `, idle${smt}` : ', busy';
  return `${idle}${bits(flags, 24, 8) ? ', tickled' : ', not tickled'}`;
}

function rtdsSchedule(p: Pcpu, idleShift: number, tickledShift: number): string {
  const word = p.word(0);
  const tickled = bits(word, tickledShift, 4) ? ', tickled' : ', not tickled';
  return `${tasklet(word, 16, 8)}${busyOrIdle(word, idleShift, 4)}${tickled}`;
}

function tickledCpu(p: Pcpu): string {
  return p.signed(1) === -1 ? 'no cpu was tickled' : `cpu ${p.word(1)} was tickled`;
}

/** A vCPU of -1 is none. The domain is shown as C shows a negative short as an unsigned number. */
function nullVcpu(p: Pcpu): string {
  const word = p.signed(1);
  const vcpu = (word << 16) >> 16;
  return vcpu === -1 ? ', no vcpu' : `, vcpu d${(word >> 16) >>> 0}v${vcpu}`;
}

/** A load as a percentage of one pCPU, from words `at` and `at + 1`, a fixed-point number with `shift` bits. */
function load(p: Pcpu, at: number, shift: number): string {
  return `${fixed((p.wide(at) * 100) / 2 ** (shift & 63), 3)}%`;
}
