/**
 * What each vCPU does, as states of threads, each interval where it begins. Perfetto's own rules for them
 * (src/trace_processor/importers/generic_kernel): a thread does not go from running to running; what ends a run carries
 * the pCPU of the run; two states of a thread should not begin at one instant.
 * @module
 */
import type { Selection } from '../../analysis/index.ts';
import {
  BLOCKED,
  DOM_IDLE,
  OFFLINE,
  REMOVED,
  RUNNABLE,
  RUNNING,
  type RunstateBatch,
  THROTTLED,
  type TransitionBatch,
  UNKNOWN,
} from '../../timeline/index.ts';
import { isVcpu, tidOf } from '../linux-ids.ts';
import type { EventName } from './names.ts';
import { type PacketWriter, TASK } from './packet-writer.ts';
import type { Tracks } from './tracks.ts';

/** Perfetto takes no trace that names more. */
const PCPUS_MAX = 1024;

/** By runstate: the state that Perfetto has for it. */
const TASK_STATES: Readonly<Record<number, number>> = {
  [RUNNABLE]: TASK.runnable,
  [BLOCKED]: TASK.sleeping,
  [THROTTLED]: TASK.uninterruptible,
  [OFFLINE]: TASK.stopped,
  [UNKNOWN]: TASK.stopped,
  // Running, but where?
  [RUNNING]: TASK.stopped,
};
/** A slice says what is meant where that state means another thing to Perfetto. */
const SAID: Readonly<Record<number, EventName>> = {
  [THROTTLED]: 'throttled',
  [OFFLINE]: 'offline',
  [UNKNOWN]: 'unknown',
  [RUNNING]: 'running, pCPU not known',
};
const NO_STATE = 0;

export class VcpuStates {
  readonly #writer: PacketWriter;
  readonly #tracks: Tracks;
  /** By vCPU index: the state told last, where the vCPU ran last, and whether it has a name. */
  #state = new Uint8Array(64);
  #pcpu = new Int16Array(64);
  #named = new Uint8Array(64);

  readonly #fromNs: number;
  readonly #toNs: number;

  constructor(
    writer: PacketWriter,
    tracks: Tracks,
    { fromNs = 0, toNs = Number.POSITIVE_INFINITY }: Selection,
  ) {
    this.#writer = writer;
    this.#tracks = tracks;
    this.#fromNs = fromNs;
    this.#toNs = toNs;
  }

  onRunstates(batch: RunstateBatch): void {
    for (let row = 0; row < batch.count; row++) this.#interval(batch, row);
  }

  /** A domain that is removed leaves its vCPUs in a state that Perfetto must not show for ever. */
  onTransitions({ count, to, tNs, dom, vcpu, pcpu }: TransitionBatch): void {
    for (let row = 0; row < count; row++) {
      // A change outside of the stretch is told at its border.
      if (to[row] !== REMOVED || tNs[row] <= this.#fromNs || tNs[row] >= this.#toNs) continue;
      const key = ((dom[row] << 16) | vcpu[row]) >>> 0;
      if (!isVcpu(key)) continue;
      this.#writer.taskState(tNs[row], isPcpu(pcpu[row]) ? pcpu[row] : 0, tidOf(key), TASK.stopped);
      this.#writer.instant(tNs[row], this.#tracks.thread(key), 'removed');
    }
  }

  #interval(batch: RunstateBatch, row: number): void {
    const startNs = batch.startNs[row];
    const endNs = batch.endNs[row];
    const state = batch.state[row];
    if (state !== RUNNING && startNs === endNs) return;
    const index = batch.vcpuIndex[row];
    const key = ((batch.dom[row] << 16) | batch.vcpu[row]) >>> 0;
    if (!isVcpu(key)) return;
    this.#name(startNs, index, key);
    const told = this.#state[index];
    if (state === RUNNING && isPcpu(batch.pcpu[row])) {
      if (told === TASK.running) this.#tell(startNs, index, key, TASK.runnable);
      this.#pcpu[index] = batch.pcpu[row];
      this.#tell(startNs, index, key, TASK.running);
      return;
    }
    if (state === RUNNABLE && isWaking(batch, row, told)) {
      const wakerPcpu = batch.wakerPcpu[row];
      this.#writer.waking(startNs, wakerPcpu, tidOf(key), tidOf(batch.wakerKey[row]));
      this.#state[index] = TASK.runnable;
    } else if (state !== UNKNOWN || told !== NO_STATE) {
      this.#tell(startNs, index, key, TASK_STATES[state]);
    }
    const said = SAID[state];
    if (said !== undefined) this.#writer.slice(startNs, endNs, this.#tracks.thread(key), said);
  }

  #tell(tNs: number, index: number, key: number, state: number): void {
    this.#writer.taskState(tNs, this.#pcpu[index], tidOf(key), state);
    this.#state[index] = state;
  }

  #name(tNs: number, index: number, key: number): void {
    if (index >= this.#named.length) this.#grow(index);
    if (this.#named[index] === 1) return;
    this.#named[index] = 1;
    this.#tracks.nameThread(tNs, key);
  }

  #grow(index: number): void {
    const size = 2 ** Math.ceil(Math.log2(index + 1));
    this.#state = grown(this.#state, new Uint8Array(size));
    this.#pcpu = grown(this.#pcpu, new Int16Array(size));
    this.#named = grown(this.#named, new Uint8Array(size));
  }
}

/**
 * Whether the beginning of a wait can be told as what its waker does. Perfetto passes over wake-ups of threads that are
 * not asleep to it, and has no thread for what an idle pCPU's interrupts do.
 */
function isWaking({ wakerPcpu, wakerKey }: RunstateBatch, row: number, told: number): boolean {
  const waker = wakerKey[row];
  if (!isPcpu(wakerPcpu[row]) || !isVcpu(waker) || waker >>> 16 === DOM_IDLE) return false;
  return told !== TASK.running && told !== TASK.runnable;
}

function grown<A extends Uint8Array | Int16Array>(from: A, into: A): A {
  into.set(from);
  return into;
}

function isPcpu(pcpu: number): boolean {
  return pcpu >= 0 && pcpu < PCPUS_MAX;
}
