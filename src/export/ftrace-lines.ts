/**
 * Changes of state as the lines that Linux's ftrace prints:
 *
 *     d14v2-917507  ( 917505) [004] ....     0.001234567: sched_switch: prev_comm=d14v2 prev_pid=917507 ...
 *
 * Linux switches in an instant; Xen's records have one for who leaves and one for who comes, and a little time between.
 * A line stands where the next one comes. Where nobody comes, a thread named "unknown" does: nobody knows who runs.
 * @module
 */
import {
  BLOCKED,
  DOM_IDLE,
  OFFLINE,
  REMOVED,
  RUNNABLE,
  RUNNING,
  THROTTLED,
  type TransitionBatch,
  UNKNOWN,
  vcpuLabel,
} from '../timeline/index.ts';
import { isVcpu, pidOf, tidOf } from './linux-ids.ts';

/** Who leaves and who comes are told within this time, or they are not of one switch. As in place-tracker.ts. */
const SWITCH_NS_MAX = 50_000;
/** Lines that wait for one before them whose other half has not come yet, at most. */
const HELD_MAX = 4096;

/** What a file begins with. */
export const FTRACE_HEAD = `# tracer: nop
#
#           TASK-PID       TGID    CPU#  ||||   TIMESTAMP  FUNCTION
#              | |          |        |   ||||       |         |
`;

/** Linux's letter for what a vCPU does after it has run. */
const LETTERS: Readonly<Record<number, string>> = {
  [RUNNABLE]: 'R',
  [BLOCKED]: 'S',
  [THROTTLED]: 'D',
  [OFFLINE]: 'T',
  [UNKNOWN]: 'T',
  [REMOVED]: 'X',
};

/** A vCPU as a thread of Linux. */
interface Task {
  readonly comm: string;
  readonly pid: number;
  /** Its part of a line: Linux calls the idle threads of all CPUs the same there. */
  readonly head: string;
}

const UNKNOWN_TASK = makeTask('unknown', 0x7fffffff, '2147483647');

/** A line that is made, or the first half of one. */
interface Held {
  readonly tNs: number;
  readonly pcpu: number;
  /** Undefined: `leaves` runs no more, and who comes is not known yet. Empty: it is told with who comes. */
  line: string | undefined;
  readonly leaves: Task;
  readonly letter: string;
}

interface Loss {
  readonly tNs: number;
  readonly line: string;
}

/** Feed it transitions, and losses before the transitions that follow them; then finish it. */
export class FtraceLines {
  readonly #write: (tNs: number, line: string) => void;
  readonly #tasks = new Map<number, Task>();
  /** By pCPU: who runs there, as far as it is known. */
  readonly #current: (Task | undefined)[] = [];
  /** By pCPU: who has left it and was not replaced yet. */
  readonly #open: (Held | undefined)[] = [];
  /** In time order. */
  readonly #held: Held[] = [];
  readonly #losses: Loss[] = [];

  /** @param write takes each line with its time, ascending */
  constructor(write: (tNs: number, line: string) => void) {
    this.#write = write;
  }

  /** Records were lost on a pCPU, up to `tNs`. */
  lost(tNs: number, pcpu: number, count: number): void {
    this.#losses.push({ tNs, line: `CPU:${pcpu} [LOST ${count} EVENTS]\n` });
  }

  onTransitions({ count, tNs, dom, vcpu, from, to, pcpu, wakerPcpu, wakerKey }: TransitionBatch): void {
    for (let row = 0; row < count; row++) {
      const key = ((dom[row] << 16) | vcpu[row]) >>> 0;
      if (!isVcpu(key)) continue;
      this.#drain(tNs[row]);
      const task = this.#taskOf(key);
      const place = pcpu[row];
      if (to[row] === RUNNING) {
        if (place >= 0) this.#enter(tNs[row], place, task);
        continue;
      }
      if (place >= 0 && (from[row] === RUNNING || this.#current[place] === task)) {
        this.#leave(tNs[row], place, task, LETTERS[to[row]] as string);
      }
      if (wakerPcpu[row] >= 0) this.#waking(tNs[row], task, place, wakerPcpu[row], wakerKey[row]);
    }
  }

  finish(): void {
    this.#drain(Number.POSITIVE_INFINITY);
    this.#writeLosses(Number.POSITIVE_INFINITY);
  }

  #enter(tNs: number, pcpu: number, next: Task): void {
    const open = this.#open[pcpu];
    let prev = this.#current[pcpu] ?? UNKNOWN_TASK;
    let letter = prev === UNKNOWN_TASK ? 'R' : 'T';
    if (open !== undefined) {
      prev = open.leaves;
      letter = open.letter;
      open.line = '';
      this.#open[pcpu] = undefined;
    }
    this.#current[pcpu] = next;
    if (prev !== next) this.#hold(tNs, pcpu, switchLine(tNs, pcpu, prev, letter, next), prev, letter);
  }

  #leave(tNs: number, pcpu: number, task: Task, letter: string): void {
    const before = this.#open[pcpu];
    if (before !== undefined) this.#leaveToUnknown(before);
    this.#current[pcpu] = undefined;
    this.#open[pcpu] = this.#hold(tNs, pcpu, undefined, task, letter);
  }

  /** Nobody is seen to come after who left. */
  #leaveToUnknown(open: Held): void {
    const { tNs, pcpu, leaves, letter } = open;
    open.line = switchLine(tNs, pcpu, leaves, letter, UNKNOWN_TASK);
    this.#open[pcpu] = undefined;
    this.#current[pcpu] = UNKNOWN_TASK;
  }

  #waking(tNs: number, task: Task, place: number, wakerPcpu: number, wakerKey: number): void {
    const waker = isVcpu(wakerKey) ? this.#taskOf(wakerKey) : UNKNOWN_TASK;
    const target = (place < 0 ? wakerPcpu : place).toString().padStart(3, '0');
    const line =
      `${lineHead(tNs, wakerPcpu, waker)}sched_waking: comm=${task.comm} pid=${task.pid} prio=120 ` +
      `target_cpu=${target}\n`;
    this.#hold(tNs, wakerPcpu, line, waker, '');
  }

  #hold(tNs: number, pcpu: number, line: string | undefined, leaves: Task, letter: string): Held {
    const held = { tNs, pcpu, line, leaves, letter };
    this.#held.push(held);
    return held;
  }

  /** Writes what can be written at `nowNs`. */
  #drain(nowNs: number): void {
    const held = this.#held;
    for (let first = held[0]; first !== undefined; first = held[0]) {
      if (first.line === undefined) {
        if (nowNs - first.tNs <= SWITCH_NS_MAX && held.length < HELD_MAX) return;
        this.#leaveToUnknown(first);
      }
      if (this.#losses.length > 0) this.#writeLosses(first.tNs);
      if (first.line) this.#write(first.tNs, first.line);
      held.shift();
    }
  }

  #writeLosses(beforeNs: number): void {
    const losses = this.#losses;
    while (losses.length > 0 && (losses[0] as Loss).tNs <= beforeNs) {
      const { tNs, line } = losses.shift() as Loss;
      this.#write(tNs, line);
    }
  }

  #taskOf(key: number): Task {
    let task = this.#tasks.get(key);
    if (task === undefined) {
      const dom = key >>> 16;
      const vcpu = key & 0xffff;
      task =
        dom === DOM_IDLE
          ? makeTask(`swapper/${vcpu}`, 0, '-------', '<idle>')
          : makeTask(vcpuLabel(dom, vcpu), tidOf(key), pidOf(dom).toString());
      this.#tasks.set(key, task);
    }
    return task;
  }
}

function makeTask(comm: string, pid: number, tgid: string, shown = comm): Task {
  return { comm, pid, head: `${shown.padStart(16)}-${pid.toString().padEnd(10)} (${tgid.padStart(10)})` };
}

function lineHead(tNs: number, pcpu: number, { head }: Task): string {
  const seconds = Math.floor(tNs / 1e9).toString();
  const decimals = (tNs % 1e9).toString().padStart(9, '0');
  return `${head} [${pcpu.toString().padStart(3, '0')}] .... ${seconds.padStart(5)}.${decimals}: `;
}

function switchLine(tNs: number, pcpu: number, prev: Task, letter: string, next: Task): string {
  return (
    `${lineHead(tNs, pcpu, prev)}sched_switch: prev_comm=${prev.comm} prev_pid=${prev.pid} prev_prio=120 ` +
    `prev_state=${prev.pid === 0 ? 'R' : letter} ==> ` +
    `next_comm=${next.comm} next_pid=${next.pid} next_prio=120\n`
  );
}
