/**
 * The trace events that the simulated hypervisor makes, by Xen's names. Their layouts are in formats/.
 * Source: Xen's public trace.h and common/sched/*.c.
 * @module
 */

/** Base of the runstate changes: | old state << 8 | new state << 4 gives the event. */
export const TRC_SCHED_RUNSTATE_CHANGE = 0x00021001;
export const TRC_SCHED_CONTINUE_RUNNING = 0x00021002;

export const TRC_CSCHED_ACCOUNT_START = 0x00022002;
export const TRC_CSCHED_ACCOUNT_STOP = 0x00022003;
export const TRC_CSCHED_STOLEN_UNIT = 0x00022004;
export const TRC_CSCHED_PICKED_CPU = 0x00022005;
export const TRC_CSCHED_TICKLE = 0x00022006;
export const TRC_CSCHED_BOOST_START = 0x00022007;
export const TRC_CSCHED_BOOST_END = 0x00022008;
export const TRC_CSCHED_SCHEDULE = 0x00022009;
export const TRC_CSCHED_RATELIMIT = 0x0002200a;
export const TRC_CSCHED_STEAL_CHECK = 0x0002200b;

/** SEDF: xenscope's own, where Xen has a class for SEDF and no events in it. */
export const TRC_SEDF_WAIT = 0x00022401;
export const TRC_SEDF_PERIOD = 0x00022402;
export const TRC_SEDF_EXTRA_QUEUE = 0x00022403;

export const TRC_RTDS_TICKLE = 0x00022801;
export const TRC_RTDS_RUNQ_PICK = 0x00022802;
export const TRC_RTDS_BUDGET_BURN = 0x00022803;
export const TRC_RTDS_BUDGET_REPLENISH = 0x00022804;
/** Until 4.6 this was the record of every decision (TRC_RTDS_SCHED_TASKLET). */
export const TRC_RTDS_SCHED_TASKLET = 0x00022805;
export const TRC_RTDS_SCHEDULE = 0x00022806;

export const TRC_SNULL_PICKED_CPU = 0x00022a01;
export const TRC_SNULL_UNIT_ASSIGN = 0x00022a02;
export const TRC_SNULL_UNIT_DEASSIGN = 0x00022a03;
export const TRC_SNULL_MIGRATE = 0x00022a04;
export const TRC_SNULL_SCHEDULE = 0x00022a05;
export const TRC_SNULL_TASKLET = 0x00022a06;

export const TRC_CSCHED2_RUNQ_POS = 0x00022202;
export const TRC_CSCHED2_CREDIT_BURN = 0x00022203;
export const TRC_CSCHED2_TICKLE_CHECK = 0x00022205;
export const TRC_CSCHED2_TICKLE = 0x00022206;
export const TRC_CSCHED2_CREDIT_RESET = 0x00022207;
export const TRC_CSCHED2_SCHED_TASKLET = 0x00022208;
export const TRC_CSCHED2_UPDATE_LOAD = 0x00022209;
export const TRC_CSCHED2_RUNQ_ASSIGN = 0x0002220a;
export const TRC_CSCHED2_UPDATE_UNIT_LOAD = 0x0002220b;
export const TRC_CSCHED2_UPDATE_RUNQ_LOAD = 0x0002220c;
export const TRC_CSCHED2_TICKLE_NEW = 0x0002220d;
export const TRC_CSCHED2_RUNQ_MAX_WEIGHT = 0x0002220e;
export const TRC_CSCHED2_MIGRATE = 0x0002220f;
export const TRC_CSCHED2_LOAD_CHECK = 0x00022210;
export const TRC_CSCHED2_LOAD_BALANCE = 0x00022211;
export const TRC_CSCHED2_PICKED_CPU = 0x00022213;
export const TRC_CSCHED2_RUNQ_CANDIDATE = 0x00022214;
export const TRC_CSCHED2_SCHEDULE = 0x00022215;
export const TRC_CSCHED2_RATELIMIT = 0x00022216;
export const TRC_CSCHED2_RUNQ_CAND_CHECK = 0x00022217;

/** Jobs of the guests: xenscope's own, in a subclass of TRC_SCHED that Xen leaves unassigned. */
export const TRC_TASK_RELEASE = 0x00024001;
export const TRC_TASK_START = 0x00024002;
export const TRC_TASK_COMPLETE = 0x00024003;

/** Of RT-Xen's servers: xenscope's own, too. */
export const TRC_RTXEN_BUDGET_BURN = 0x00024201;
export const TRC_RTXEN_BUDGET_REPLENISH = 0x00024202;
export const TRC_RTXEN_BUDGET_RETURN = 0x00024203;

/** bcredit: xenscope's own as well, since the patch makes none. */
export const TRC_BCSCHED_BOOST_GIVEN = 0x00024101;
export const TRC_BCSCHED_BOOST_SPENT = 0x00024102;
export const TRC_BCSCHED_CREDIT_TO_BOOST = 0x00024103;
export const TRC_BCSCHED_BOOST_TO_CREDIT = 0x00024104;
export const TRC_BCSCHED_BOOST_SLICE = 0x00024105;
export const TRC_BCSCHED_PARAMETERS = 0x00024106;

/** Scheduling domains: xenscope's own, too. */
export const TRC_SDOM_JOIN = 0x00024301;
export const TRC_SDOM_LEAVE = 0x00024302;

/** Of the class of domain operations, which the usual mask of scheduler events leaves out. */
export const TRC_DOM0_DOM_ADD = 0x00041001;
export const TRC_DOM0_DOM_REM = 0x00041002;

export const TRC_SCHED_DOM_ADD = 0x00028001;
export const TRC_SCHED_DOM_REM = 0x00028002;
export const TRC_SCHED_SLEEP = 0x00028003;
export const TRC_SCHED_WAKE = 0x00028004;
export const TRC_SCHED_YIELD = 0x00028005;
export const TRC_SCHED_BLOCK = 0x00028006;
export const TRC_SCHED_ADJDOM = 0x00028009;
export const TRC_SCHED_SWITCH = 0x0002800a;
export const TRC_SCHED_SWITCH_INFPREV = 0x0002800e;
export const TRC_SCHED_SWITCH_INFNEXT = 0x0002800f;
export const TRC_SCHED_SWITCH_INFCONT = 0x00028011;
