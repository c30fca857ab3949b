import { EventQueue } from '../../base/event-queue.ts';
import type { Prng } from '../../base/prng.ts';
import type { GuestSpec } from '../../scenario/guest-spec.ts';
import type { Machine } from '../machine.ts';
import type { Guest } from './guest.ts';
import type { JobRecords } from './jobs.ts';
import { type Barriers, Lock } from './locks.ts';
import { fixedRanks } from './ranks.ts';
import { ReadyQueue } from './ready-queue.ts';
import { Task, type TaskJob } from './task.ts';
import { TaskVcpu } from './task-vcpu.ts';

/** What a guest's system asks of the virtual hardware below it. */
export interface SystemHost {
  readonly machine: Machine;
  readonly records: JobRecords;
  readonly barriers: Barriers;
  /** Whether its guest's code runs at this instant. */
  isActive(guest: Guest): boolean;
  /** Unblocks its vCPU, in the context of the present pCPU. */
  wake(guest: Guest): void;
  /** If it has a pCPU, it decides anew at this instant, once what is under way is done. */
  interrupt(guest: Guest): void;
  /** When {@link GuestSystem.expire} is to be called next; Infinity is never. */
  setTimer(system: GuestSystem, atNs: number): void;
  systemOf(dom: number): GuestSystem | undefined;
}

/** A task's timers: the release of its next job, the end of its pause, the end of its device's service. */
const RELEASE = 0;
const PAUSE = 1;
const DEVICE = 2;
const TIMERS = 3;

/**
 * The operating system of a domain: which task is on which of its vCPUs.
 *
 * 1. Its code runs on a vCPU only while that has a pCPU: what happens in between is noticed when it has one.
 * 2. It does not know which of its vCPUs have pCPUs. A task stays on the vCPU that it is on, and does not move
 *    while that waits for a pCPU.
 * 3. A vCPU without a task blocks; a task that becomes ready wakes one, see {@link #settle}.
 */
export class GuestSystem {
  readonly dom: number;
  readonly tasks: readonly Task[];
  readonly vcpus: readonly TaskVcpu[];
  /** The domain is gone. */
  isGone = false;
  readonly #spec: GuestSpec;
  readonly #host: SystemHost;
  /** By task: the smaller goes first; the due time decides under EDF. */
  readonly #ranks: readonly number[] | undefined;
  readonly #locks = new Map<string, Lock>();
  /** Slots are tasks times timers. */
  readonly #timers: EventQueue;
  /** Released, and seen by no vCPU of the guest. */
  #unnoticed: { readonly task: Task; readonly job: TaskJob }[] = [];
  #nextTurn = 0;
  /** The vCPU on which its code runs, if one does. */
  #deciding: TaskVcpu | undefined;
  /** Its timers have expired, and their interrupt is being handled. */
  #isTimer = false;

  /** `vcpuIds` are the numbers of the vCPUs that run tasks. */
  constructor(dom: number, spec: GuestSpec, vcpuIds: readonly number[], root: Prng, host: SystemHost) {
    this.dom = dom;
    this.#spec = spec;
    this.#host = host;
    this.#ranks = fixedRanks(spec);
    const shared = new ReadyQueue();
    const isGlobal = spec.placement === 'global';
    this.vcpus = vcpuIds.map(() => new TaskVcpu(this, isGlobal ? shared : new ReadyQueue()));
    const { nowNs } = host.machine;
    this.tasks = spec.tasks.map((task, number) => {
      const home = task.vcpu === undefined ? undefined : this.vcpus[vcpuIds.indexOf(task.vcpu)]!;
      return new Task(this, task, number, home, spec.sliceNs, root, `d${dom}/${task.name}`, nowNs);
    });
    this.#timers = new EventQueue(this.tasks.length * TIMERS);
  }

  // ---- What happens to it

  /** Its vCPUs are there: the first jobs will arrive. */
  start(): void {
    for (const task of this.tasks) this.#setTimer(task, RELEASE, task.arrivals.releaseNs);
    this.#armTimer();
  }

  /** Timers have expired: all of them, and then it decides whom they concern. */
  expire(nowNs: number): void {
    this.#isTimer = true;
    while (this.#timers.nextTime <= nowNs) {
      const slot = this.#timers.nextSlot;
      this.#timers.clear(slot);
      const task = this.tasks[Math.floor(slot / TIMERS)]!;
      if (slot % TIMERS === RELEASE) this.#releaseDue(task, nowNs);
      else if (slot % TIMERS === PAUSE) this.#makeReady(task);
      else this.#deviceDone(task, nowNs);
    }
    this.#settle();
    this.#isTimer = false;
    this.#armTimer();
  }

  /** A task of some domain asks `task` for a job; `reply` is called when it is complete. */
  request(task: number, reply: () => void): void {
    this.#arrive(this.tasks[task]!, this.#host.machine.nowNs, reply);
    if (this.#deciding === undefined) this.#settle();
  }

  /** What the task waited for is there, in the context of whoever brought it. */
  resume(task: Task): void {
    if (this.isGone) return;
    if (task.spinning === undefined) this.#makeReady(task);
    else {
      const vcpu = task.vcpu!;
      if (vcpu.current === task) {
        this.#host.interrupt(vcpu.guest);
        this.#account(vcpu);
      }
      task.spinning = undefined;
    }
    if (this.#deciding === undefined) this.#settle();
  }

  // ---- What it does on a vCPU

  /** Its code runs on this vCPU: leaves in `guest.remainingNs` how long the task there may compute, 0 for none. */
  decide(vcpu: TaskVcpu, nowNs: number): void {
    const { guest } = vcpu;
    this.#account(vcpu);
    this.#deciding = vcpu;
    vcpu.isWoken = false;
    this.#noticeOn(vcpu);
    for (let isDecided = false; !isDecided; ) {
      const task = vcpu.current;
      if (task === undefined) {
        vcpu.current = vcpu.ready.take();
        isDecided = vcpu.current === undefined;
        if (vcpu.current !== undefined) vcpu.current.vcpu = vcpu;
      } else if (!this.#advance(task, nowNs)) vcpu.current = undefined;
      else if (this.#givesWay(task, vcpu)) {
        vcpu.current = undefined;
        vcpu.ready.add(task);
      } else isDecided = true;
    }
    this.#deciding = undefined;
    guest.remainingNs = vcpu.current === undefined ? 0 : this.#run(vcpu.current, guest);
    this.#settle();
    this.#armTimer();
  }

  /** Accounts the CPU time since the last decision to the task that had it. */
  #account(vcpu: TaskVcpu): void {
    const { current, guest } = vcpu;
    const ranNs = guest.consumedNs - vcpu.accountedNs;
    vcpu.accountedNs = guest.consumedNs;
    if (current === undefined) return;
    current.sliceLeftNs -= ranNs;
    if (current.spinning === undefined) current.job!.remainingNs -= ranNs;
    else current.spunNs += ranNs;
  }

  /** The task's turn is over, or another one goes before it. */
  #givesWay(task: Task, { ready }: TaskVcpu): boolean {
    const { first } = ready;
    const isOver = this.#spec.scheduler === 'rr' && task.sliceLeftNs <= 0;
    if (isOver) task.sliceLeftNs = this.#spec.sliceNs;
    if (first === undefined || task.isPinned) return false;
    if (isOver) task.turn = this.#nextTurn++;
    return isOver || first.rank < task.rank;
  }

  /** How long the task computes unless something happens. */
  #run(task: Task, guest: Guest): number {
    const { spinning, sliceLeftNs } = task;
    const job = task.job!;
    if (!job.started) {
      job.started = true;
      this.#host.records.started(guest.vcpu, task.number, job.number);
    }
    let runNs = job.remainingNs;
    if (spinning !== undefined) {
      runNs = Infinity;
      if (spinning.yieldAfterNs > 0) {
        if (task.spunNs >= spinning.yieldAfterNs) {
          task.spunNs = 0;
          guest.yieldLeftNs = 0;
        }
        runNs = spinning.yieldAfterNs - task.spunNs;
      }
    }
    return this.#spec.scheduler === 'rr' ? Math.min(runNs, sliceLeftNs) : runNs;
  }

  // ---- What tasks do

  /** Goes on to the step for which the task needs CPU time; false if it waits, or has no work. */
  #advance(task: Task, nowNs: number): boolean {
    for (;;) {
      const job = task.job!;
      if (task.spinning !== undefined || job.remainingNs > 0) return true;
      const left = task.step;
      if (left?.kind === 'lock') this.#unlock(task, left.lock);
      job.step += 1;
      const { step } = task;
      const timeNs = job.times[job.step] ?? 0;
      switch (step?.kind) {
        case undefined:
          this.#complete(task, job, nowNs);
          return false;
        case 'compute':
          job.remainingNs = timeNs;
          break;
        case 'sleep':
          this.#setTimer(task, PAUSE, nowNs + timeNs);
          return false;
        case 'lock': {
          const { spins } = step.waiting;
          task.isPinned = spins;
          if (this.#lockOf(step.lock).take(task)) job.remainingNs = timeNs;
          else if (spins) this.#spin(task, step.waiting);
          else return false;
          break;
        }
        case 'barrier': {
          const waiters = this.#host.barriers.arrive(step.barrier, task);
          if (waiters !== undefined) for (const waiter of waiters) waiter.system.resume(waiter);
          else if (step.waiting.spins) this.#spin(task, step.waiting);
          else return false;
          break;
        }
        case 'request':
          this.#host.systemOf(step.dom)?.request(step.task, () => this.resume(task));
          return false;
        case 'device':
          this.#toDevice(task, job, nowNs);
          return false;
      }
    }
  }

  #spin(task: Task, waiting: NonNullable<Task['spinning']>): void {
    task.spinning = waiting;
    task.spunNs = 0;
  }

  #unlock(task: Task, name: string): void {
    task.isPinned = false;
    const next = this.#lockOf(name).release();
    if (next === undefined) return;
    const { job } = next;
    job!.remainingNs = job!.times[job!.step]!;
    next.system.resume(next);
  }

  #lockOf(name: string): Lock {
    let lock = this.#locks.get(name);
    if (lock === undefined) {
      lock = new Lock();
      this.#locks.set(name, lock);
    }
    return lock;
  }

  #complete(task: Task, job: TaskJob, nowNs: number): void {
    this.#host.records.completed(task.vcpu!.guest.vcpu, task.number, job.number);
    if (task.arrivals.completed(nowNs)) this.#releaseDue(task, nowNs);
    this.#nextJob(task);
    job.reply?.();
  }

  /** The task is through with its job, or the job goes on without it. */
  #nextJob(task: Task): void {
    task.job = task.waiting.shift();
    if (task.job !== undefined) this.#makeReady(task);
  }

  #toDevice(task: Task, job: TaskJob, nowNs: number): void {
    task.atDevice.push(job);
    if (task.atDevice.length === 1) this.#setTimer(task, DEVICE, nowNs + job.times[job.step]!);
    this.#nextJob(task);
  }

  #deviceDone(task: Task, nowNs: number): void {
    this.#give(task, task.atDevice.shift()!);
    const [next] = task.atDevice;
    if (next !== undefined) this.#setTimer(task, DEVICE, nowNs + next.times[next.step]!);
  }

  // ---- Arrivals

  #releaseDue(task: Task, nowNs: number): void {
    const { arrivals } = task;
    while (arrivals.releaseNs <= nowNs) {
      for (let count = 0; count < arrivals.batch; count += 1) {
        this.#arrive(task, arrivals.arrivalNs, undefined);
      }
      arrivals.next();
    }
    this.#setTimer(task, RELEASE, arrivals.releaseNs);
  }

  #arrive(task: Task, arrivalNs: number, reply: (() => void) | undefined): void {
    const { records, machine } = this.#host;
    const job = task.createJob(arrivalNs, reply);
    const { deadlineNs } = task.spec;
    records.released(this.dom, task.number, job.number, deadlineNs, machine.nowNs - arrivalNs);
    const by = this.#whoNotices(task);
    if (by === undefined) this.#unnoticed.push({ task, job });
    else this.#notice(task, job, by);
    this.#give(task, job);
  }

  #give(task: Task, job: TaskJob): void {
    if (task.job === undefined) {
      task.job = job;
      this.#makeReady(task);
    } else task.waiting.push(job);
  }

  /** The vCPU that has a pCPU now and sees what the task's timer does: its own, or any of a global guest. */
  #whoNotices({ home }: Task): TaskVcpu | undefined {
    if (this.#deciding !== undefined) return this.#deciding;
    if (home !== undefined) return this.#host.isActive(home.guest) ? home : undefined;
    return this.#activeVcpu();
  }

  #noticeOn(vcpu: TaskVcpu): void {
    if (this.#unnoticed.length === 0) return;
    const left = this.#unnoticed;
    this.#unnoticed = [];
    for (const one of left) {
      const { home } = one.task;
      if (home === undefined || home === vcpu) this.#notice(one.task, one.job, vcpu);
      else this.#unnoticed.push(one);
    }
  }

  #notice(task: Task, job: TaskJob, { guest }: TaskVcpu): void {
    const { machine, records } = this.#host;
    const { cpu } = machine;
    machine.cpu = guest.pcpu;
    const lateNs = machine.nowNs - job.arrivalNs;
    records.noticed(guest.vcpu, task.number, job.number, task.spec.deadlineNs, lateNs);
    machine.cpu = cpu;
  }

  // ---- Who is to run

  #makeReady(task: Task): void {
    task.rank = this.#ranks === undefined ? task.job!.dueNs : this.#ranks[task.number]!;
    task.turn = this.#nextTurn++;
    (task.home ?? this.vcpus[0]!).ready.add(task);
  }

  /**
   * Wakes and interrupts vCPUs for ready tasks. Partitioned: the task's own. Global, for each task in order
   * that no woken vCPU will take: an idle vCPU, the one that it was last on before the lowest, else the one
   * with the least urgent task, if that gives way.
   */
  #settle(): void {
    if (this.#spec.placement === 'global') this.#settleGlobally();
    else for (const vcpu of this.vcpus) this.#settleOn(vcpu);
  }

  #settleOn(vcpu: TaskVcpu): void {
    const { first } = vcpu.ready;
    if (first === undefined) return;
    if (vcpu.isIdle) this.#wake(vcpu);
    else if (vcpu.current !== undefined && yieldsTo(vcpu.current, first)) this.#host.interrupt(vcpu.guest);
  }

  #settleGlobally(): void {
    const { ready } = this.vcpus[0]!;
    let at = 0;
    for (const { isWoken } of this.vcpus) if (isWoken) at += 1;
    const asked = new Set<TaskVcpu>();
    for (let task = ready.at(at); task !== undefined; task = ready.at(at)) {
      const idle = task.vcpu?.isIdle ? task.vcpu : this.vcpus.find((vcpu) => vcpu.isIdle);
      if (idle !== undefined) this.#wake(idle);
      else {
        const last = this.#leastUrgent(asked);
        if (last === undefined || !yieldsTo(last.current!, task)) return;
        asked.add(last);
        this.#host.interrupt(last.guest);
      }
      at += 1;
    }
  }

  /** Of the vCPUs with a task that may be preempted, and that have not been asked, the one that matters least. */
  #leastUrgent(asked: ReadonlySet<TaskVcpu>): TaskVcpu | undefined {
    let found: TaskVcpu | undefined;
    for (const vcpu of this.vcpus) {
      const { current } = vcpu;
      if (current === undefined || current.isPinned || asked.has(vcpu)) continue;
      if (found === undefined || current.rank > found.current!.rank) found = vcpu;
    }
    return found;
  }

  /**
   * A timer's interrupt comes to a vCPU of a global guest that has a pCPU, which then wakes the other; without
   * one, and if it is partitioned, it is the timer of the one that is woken.
   */
  #wake(vcpu: TaskVcpu): void {
    vcpu.isWoken = true;
    if (this.#isTimer) {
      const active = this.#spec.placement === 'global' ? this.#activeVcpu() : undefined;
      this.#host.machine.cpu = active?.guest.pcpu ?? vcpu.guest.vcpu.processor;
    }
    this.#host.wake(vcpu.guest);
  }

  /** The first vCPU that has a pCPU now. */
  #activeVcpu(): TaskVcpu | undefined {
    return this.vcpus.find(({ guest }) => this.#host.isActive(guest));
  }

  // ---- Timers

  #setTimer(task: Task, kind: number, atNs: number): void {
    const slot = task.number * TIMERS + kind;
    if (atNs < Infinity) this.#timers.set(slot, atNs, slot);
    else this.#timers.clear(slot);
  }

  #armTimer(): void {
    this.#host.setTimer(this, this.#timers.nextTime);
  }
}

function yieldsTo(current: Task, task: Task): boolean {
  return !current.isPinned && task.rank < current.rank;
}
