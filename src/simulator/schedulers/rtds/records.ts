import {
  TRC_RTDS_BUDGET_BURN,
  TRC_RTDS_BUDGET_REPLENISH,
  TRC_RTDS_RUNQ_PICK,
  TRC_RTDS_SCHED_TASKLET,
  TRC_RTDS_SCHEDULE,
  TRC_RTDS_TICKLE,
} from '../../trace-events.ts';
import type { Tracer } from '../../tracer.ts';
import type { RtdsVersion } from '../../versions.ts';
import type { RtdsVcpu } from './state.ts';

const TWO_32 = 0x1_0000_0000;

/**
 * The records of RTDS, in the layout of the version (formats/rtds.json). Times are 64-bit two's complement.
 */
export class RtdsRecords {
  readonly #tracer: Tracer;
  readonly #version: RtdsVersion;

  constructor(tracer: Tracer, version: RtdsVersion) {
    this.#tracer = tracer;
    this.#version = version;
  }

  decisionAsked(pcpu: number, tasklet: boolean, tickled: boolean, idle: boolean): void {
    if (!this.#version.recordsDecisions) return;
    const flags = (tasklet ? 1 << 16 : 0) | (tickled ? 1 << 24 : 0) | (idle ? 1 << 28 : 0);
    this.#tracer.record1(TRC_RTDS_SCHEDULE, pcpu | flags);
  }

  tickled(pcpu: number): void {
    this.#tracer.record1(TRC_RTDS_TICKLE, pcpu);
  }

  taskletFirst(): void {
    this.#tracer.record0(TRC_RTDS_SCHED_TASKLET);
  }

  /** The decision itself, which only the time-driven versions recorded, under the number of another event. */
  decided(rtds: RtdsVcpu): void {
    this.#deadlineAndBudget(TRC_RTDS_SCHED_TASKLET, rtds);
  }

  picked(rtds: RtdsVcpu): void {
    this.#deadlineAndBudget(TRC_RTDS_RUNQ_PICK, rtds);
  }

  pickedNobody(): void {
    this.#tracer.record0(TRC_RTDS_RUNQ_PICK);
  }

  replenished(rtds: RtdsVcpu): void {
    if (!this.#version.hasExtratime) {
      this.#deadlineAndBudget(TRC_RTDS_BUDGET_REPLENISH, rtds);
      return;
    }
    const words = this.#tracer.begin(TRC_RTDS_BUDGET_REPLENISH);
    if (words === undefined) return;
    words[0] = rtds.vcpu.packedId;
    words[1] = rtds.level;
    putTime(words, 2, rtds.deadlineNs);
    putTime(words, 4, rtds.leftNs);
    this.#tracer.commit(TRC_RTDS_BUDGET_REPLENISH, 6);
  }

  burnt(rtds: RtdsVcpu, deltaNs: number): void {
    const words = this.#tracer.begin(TRC_RTDS_BUDGET_BURN);
    if (words === undefined) return;
    words[0] = this.#id(rtds);
    putTime(words, 1, rtds.leftNs);
    words[3] = deltaNs;
    words[4] = rtds.level;
    words[5] = rtds.extratime ? 1 : 0;
    this.#tracer.commit(TRC_RTDS_BUDGET_BURN, this.#version.hasExtratime ? 6 : 4);
  }

  #deadlineAndBudget(event: number, rtds: RtdsVcpu): void {
    const words = this.#tracer.begin(event);
    if (words === undefined) return;
    words[0] = this.#id(rtds);
    putTime(words, 1, rtds.deadlineNs);
    putTime(words, 3, rtds.leftNs);
    this.#tracer.commit(event, 5);
  }

  #id({ vcpu }: RtdsVcpu): number {
    return this.#version.timeDriven === undefined ? vcpu.packedId : ((vcpu.id << 16) | vcpu.domain.id) >>> 0;
  }
}

function putTime(words: Uint32Array, at: number, ns: number): void {
  words[at] = ns;
  words[at + 1] = Math.floor(ns / TWO_32);
}
