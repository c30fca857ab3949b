/**
 * What the scheduler pass counts, declared once: name, meaning, the counters that it comes from, and whether
 * the trace can tell it at all.
 * @module
 */
import type { Column } from './analysis.ts';
import * as Counter from './scheduler-counters.ts';
import * as Kind from './scheduler-records.ts';

/** What is known of one pCPU. */
export interface PcpuCounts {
  /** The counter `index` of scheduler-counters.ts. */
  of(index: number): number;
  /**
   * Whether a record of this kind would be in the trace if Xen had made one: its maker's records are there,
   * and the trace is of a Xen that had it.
   */
  knows(kind: number): boolean;
  /** One pCPU decides for several, and may leave the switch to another: its records are no chain of calls. */
  readonly coreScheduling: boolean;
  /** There are pCPUs without any record, or that are not looked at: what they did to this one is not told. */
  readonly hidesOthers: boolean;
}

export interface Measure {
  readonly name: string;
  readonly doc: string;
  /** Null: the trace cannot tell. */
  readonly value: (pcpu: PcpuCounts) => number | null;
  readonly better?: Column['better'];
}

const TICKLES = [Kind.TICKLE_CREDIT, Kind.TICKLE_CREDIT2, Kind.TICKLE_RTDS];
const ASKS = [Kind.SCHEDULE_CREDIT, Kind.SCHEDULE_CREDIT2, Kind.SCHEDULE_RTDS, Kind.SCHEDULE_NULL];
const SWITCHES = [Kind.SWITCH, Kind.ENTER];
const STAYS = [Kind.INFCONT, Kind.CONTINUE];
const PICKS = [Kind.PICKED_CREDIT, Kind.PICKED_CREDIT2, Kind.PICKED_NULL];
const RATELIMITS = [Kind.RATELIMIT_CREDIT, Kind.RATELIMIT_CREDIT2];

const any = (pcpu: PcpuCounts, kinds: readonly number[]) => kinds.some((kind) => pcpu.knows(kind));
const sumOf = (pcpu: PcpuCounts, counters: readonly number[]) =>
  counters.reduce((sum, counter) => sum + pcpu.of(counter), 0);

/** The records of some kinds. */
function records(name: string, doc: string, kinds: readonly number[]): Measure {
  return { name, doc, value: (pcpu) => (any(pcpu, kinds) ? sumOf(pcpu, kinds) : null) };
}

/** A counter that means something where any of these kinds is told. */
function counter(name: string, doc: string, index: number, kinds: readonly number[]): Measure {
  return { name, doc, value: (pcpu) => (any(pcpu, kinds) ? pcpu.of(index) : null) };
}

/** What is known only of pCPUs that decide for themselves. */
function ofOwnCalls(measure: Measure): Measure {
  return { ...measure, value: (pcpu) => (pcpu.coreScheduling ? null : measure.value(pcpu)) };
}

/** A counter of calls; where a pCPU decides for others, what records of these kinds say of them. */
function callCounter(
  name: string,
  doc: string,
  index: number,
  kinds: readonly number[],
  coreKinds: readonly number[],
): Measure {
  const own = counter(name, doc, index, kinds);
  const ofCores = records(name, doc, coreKinds);
  return { name, doc, value: (pcpu) => (pcpu.coreScheduling ? ofCores.value(pcpu) : own.value(pcpu)) };
}

type CallCause = (typeof Counter.CALL_CAUSES)[number];

function causeCounter(cause: CallCause): number {
  return Counter.CAUSES_FROM + Counter.CALL_CAUSES.indexOf(cause);
}

function calls(cause: CallCause, doc: string, kinds: readonly number[]): Measure {
  return ofOwnCalls(counter(`calls_${cause}`, doc, causeCounter(cause), kinds));
}

function migrations(move: (typeof Counter.MOVES)[number], doc: string, kinds: readonly number[]): Measure {
  const index = Counter.MOVES_FROM + Counter.MOVES.indexOf(move);
  const value = (pcpu: PcpuCounts) => (pcpu.knows(Kind.ENTER) && any(pcpu, kinds) ? pcpu.of(index) : null);
  return ofOwnCalls({ name: `migrations_${move}`, doc, value });
}

/** A switch from the idle vCPU or to it: by runstate changes, else by SWITCH. */
function idleSwitches(name: string, doc: string, byRunstate: number, bySwitch: number): Measure {
  const value = (pcpu: PcpuCounts) => {
    if (pcpu.knows(Kind.ENTER)) return pcpu.of(byRunstate);
    return pcpu.knows(Kind.SWITCH) ? pcpu.of(bySwitch) : null;
  };
  return ofOwnCalls({ name, doc, value });
}

/**
 * Whether a call's cause is none of those that have records of their own: all those records would be there. Those of
 * tickles and wake-ups are other pCPUs'; credit2 and RTDS say of each call whether a tickle led to it.
 */
function othersTold(pcpu: PcpuCounts): boolean {
  if (!pcpu.knows(Kind.BLOCK)) return false;
  if (pcpu.of(Kind.SCHEDULE_CREDIT2) + pcpu.of(Kind.SCHEDULE_RTDS) > 0) return true;
  return !pcpu.hidesOthers && (any(pcpu, TICKLES) || pcpu.knows(Kind.SCHEDULE_NULL));
}

/**
 * Calls without any cause of their own; a wake-up is one only where the scheduler makes no tickle records.
 */
function causeless(pcpu: PcpuCounts): number {
  const wakes = any(pcpu, TICKLES) ? pcpu.of(causeCounter('wake')) : 0;
  return wakes + pcpu.of(causeCounter('other'));
}

const ANSWERS = (pcpu: PcpuCounts) => any(pcpu, TICKLES) && any(pcpu, STAYS) && any(pcpu, SWITCHES);

export const MEASURES: readonly Measure[] = [
  callCounter(
    'schedule_calls',
    'Calls of schedule(): decisions what runs next.',
    Counter.BEGAN,
    [...ASKS, ...SWITCHES],
    ASKS,
  ),
  calls('block', 'Calls because the vCPU that ran had blocked.', [Kind.BLOCK, Kind.LEAVE_BLOCKED]),
  calls('yield', 'Else: it had yielded.', [Kind.YIELD]),
  calls('sleep', 'Else: it was paused, parked for its cap, or shut down.', [Kind.SLEEP, Kind.LEAVE_OFFLINE]),
  calls('tickle', 'Else: the pCPU had been tickled.', TICKLES),
  calls('slice', 'Else: the slice given at the call before was over.', [Kind.INFNEXT]),
  ofOwnCalls({
    name: 'calls_wake',
    doc: 'Else: a vCPU that last ran there had woken; null where the scheduler makes tickle records.',
    value: (pcpu) => (pcpu.knows(Kind.WOKEN) && !any(pcpu, TICKLES) ? pcpu.of(causeCounter('wake')) : null),
  }),
  ofOwnCalls({
    name: 'calls_other',
    doc: 'Else: none of these (a migration, changed parameters, hypervisor work, a timer of the scheduler).',
    value: (pcpu) => (othersTold(pcpu) ? causeless(pcpu) : null),
  }),
  ofOwnCalls({
    name: 'calls_unknown',
    doc: 'The trace does not tell why: the first call of a pCPU, the next after a loss, or records left out.',
    value: (pcpu) => {
      if (!any(pcpu, [...ASKS, ...SWITCHES])) return null;
      return pcpu.of(causeCounter('unknown')) + (othersTold(pcpu) ? 0 : causeless(pcpu));
    },
  }),
  callCounter(
    'continuations',
    'Calls after which the same vCPU, or none, went on.',
    Counter.CONTINUED,
    STAYS,
    [Kind.INFCONT],
  ),
  callCounter(
    'switches',
    'Calls after which another vCPU ran, or the idle one.',
    Counter.SWITCHED,
    SWITCHES,
    [Kind.SWITCH],
  ),
  ofOwnCalls(records('switches_blocked', 'Switches from a vCPU that blocked.', [Kind.LEAVE_BLOCKED])),
  ofOwnCalls(
    records('switches_offline', 'Switches from a vCPU that was paused, parked or shut down.', [
      Kind.LEAVE_OFFLINE,
    ]),
  ),
  ofOwnCalls({
    name: 'switches_yielded',
    doc: 'Switches from a vCPU that yielded and would have run on.',
    value: (pcpu) =>
      pcpu.knows(Kind.LEAVE_RUNNABLE) && pcpu.knows(Kind.YIELD) ? pcpu.of(Counter.YIELDED_AWAY) : null,
  }),
  ofOwnCalls({
    name: 'switches_preempted',
    doc: 'Switches from any other vCPU that would have run on (yields too, if the trace does not tell them).',
    value: (pcpu) =>
      pcpu.knows(Kind.LEAVE_RUNNABLE)
        ? pcpu.of(Kind.LEAVE_RUNNABLE) - pcpu.of(Counter.LEFT_IDLE) - pcpu.of(Counter.YIELDED_AWAY)
        : null,
  }),
  idleSwitches(
    'switches_from_idle',
    'Switches from the idle vCPU.',
    Counter.LEFT_IDLE,
    Counter.SWITCHED_FROM_IDLE,
  ),
  idleSwitches(
    'switches_to_idle',
    'Switches to the idle vCPU.',
    Counter.ENTERED_IDLE,
    Counter.SWITCHED_TO_IDLE,
  ),
  ofOwnCalls({
    name: 'migrations',
    doc: 'Times that a vCPU began to run there after it had run on another pCPU.',
    value: (pcpu) =>
      pcpu.knows(Kind.ENTER)
        ? sumOf(
            pcpu,
            Counter.MOVES.map((_, move) => Counter.MOVES_FROM + move),
          )
        : null,
  }),
  migrations('stolen', 'Migrations because the pCPU had stolen the vCPU (credit).', [Kind.STOLEN]),
  migrations(
    'placed',
    'Migrations because its scheduler had picked another pCPU for it (PICKED_CPU).',
    PICKS,
  ),
  migrations('balanced', 'Migrations because it had been moved to another run queue (credit2).', [
    Kind.MOVED_CREDIT2,
  ]),
  migrations(
    'shared',
    'Migrations because the pCPUs share a run queue (credit2, RTDS), and this one was first.',
    [Kind.SCHEDULE_CREDIT2, Kind.SCHEDULE_RTDS],
  ),
  migrations('other', 'Migrations of which no record tells why (affinity, cpupools).', [...ASKS, ...PICKS]),
  records('tickles_sent', 'Tickles by this pCPU, of itself or another.', TICKLES),
  counter('tickles_received', 'Tickles of this pCPU.', Counter.TICKLES_RECEIVED, TICKLES),
  ofOwnCalls({
    name: 'tickles_answered',
    doc: 'Those of tickles_received whose next call of schedule() tells whether it changed anything.',
    value: (pcpu) => (ANSWERS(pcpu) ? pcpu.of(Counter.TICKLES_ANSWERED) : null),
  }),
  ofOwnCalls({
    name: 'tickles_useless',
    doc: 'Those of tickles_answered after which the same vCPU, or none, went on.',
    value: (pcpu) => (ANSWERS(pcpu) ? pcpu.of(Counter.TICKLES_USELESS) : null),
    better: 'lower',
  }),
  records('steals', 'vCPUs that the pCPU took out of the run queue of another (credit).', [Kind.STOLEN]),
  records('steal_checks', "Looks at another pCPU's run queue (credit).", [Kind.STEAL_CHECK]),
  records('boosts', 'Times that a waking vCPU was given the priority BOOST (credit).', [Kind.BOOST_START]),
  records('boosts_ended', 'Times that a tick took it away; accounting does so without a record.', [
    Kind.BOOST_END,
  ]),
  records('accounting_starts', 'Times that a vCPU became active: one that burns credit (credit).', [
    Kind.ACCOUNT_START,
  ]),
  records('accounting_stops', 'Times that a vCPU became inactive (credit).', [Kind.ACCOUNT_STOP]),
  records(
    'ratelimits',
    'Times that a vCPU went on because it had run for less than the rate limit.',
    RATELIMITS,
  ),
  counter('credit_resets', 'Resets of the credits of a run queue (credit2).', Counter.CREDIT_RESETS, [
    Kind.CREDIT_RESET,
  ]),
  records('load_balances', 'Comparisons of two run queues to balance their loads (credit2).', [
    Kind.LOAD_BALANCE,
  ]),
  records('runqueue_moves', 'Moves of a vCPU to another run queue (credit2).', [Kind.MOVED_CREDIT2]),
  records('replenishments', 'Budgets made full again (RTDS).', [Kind.REPLENISH]),
  counter(
    'depletions',
    'Times that a vCPU paid and had no budget left (RTDS; credit2 with a cap: of what it had taken of it).',
    Counter.DEPLETIONS,
    [Kind.RTDS_BURN, Kind.CREDIT_BURN],
  ),
  records('assignments', 'Times that a pCPU was given to a vCPU (null).', [Kind.ASSIGN]),
  records('deassignments', 'Times that it was taken away (null).', [Kind.DEASSIGN]),
];

/** Not a number of times. */
export const BOOSTED_NS: Measure = {
  name: 'boosted_ns',
  doc: 'Time from boost to its end by a tick, of the boosts that so ended; the end of others is not told.',
  value: (pcpu) => (pcpu.knows(Kind.BOOST_END) ? pcpu.of(Counter.BOOSTED_NS) : null),
};
