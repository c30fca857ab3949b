import { FLOAT_ZERO } from '../../base/zero.ts';
import type { Arinc653Table } from '../../scenario/scenario.ts';
import type { Cpupool } from '../cpupool.ts';
import type { Hypervisor } from '../hypervisor.ts';
import type { Pcpu } from '../pcpu.ts';
import type { Scheduler } from '../scheduler.ts';
import type { Vcpu } from '../vcpu.ts';
import type { Arinc653Version } from '../versions.ts';

/** A slot of dom0, and how often a scheduler without a table looks (DEFAULT_TIMESLICE). */
const DEFAULT_SLOT_NS = 10_000_000;
/** ARINC653_MAX_DOMAINS_PER_SCHEDULE */
const ENTRIES_MAX = 64;

/** A slot of the table. */
interface Slot {
  readonly dom: number;
  readonly vcpu: number;
  readonly runtimeNs: number;
  /** undefined while there is no such vCPU: the slot stays empty. */
  owner: Vcpu | undefined;
}

/** Where in the major frame the scheduler is. */
class Position {
  slot = 0;
  nextSwitchNs = FLOAT_ZERO;
}

/** Up to 4.17 all ARINC653 pools of a host have their position in common: it is static in the function. */
const sharedPositions = new WeakMap<Hypervisor, Position>();

/**
 * The ARINC 653 scheduler (common/sched/arinc653.c): a table of slots that repeats every major frame. In
 * its slot a vCPU runs if it can, on the pCPU where it is; everything else idles.
 */
export class Arinc653Scheduler implements Scheduler {
  readonly name = 'arinc653';
  readonly #xen: Hypervisor;
  readonly #version: Arinc653Version;
  readonly #position: Position;
  #table: Slot[] = [];
  /** The domain that each place of the table was for last, also beyond its present end. */
  readonly #lastDoms: number[] = [];
  #majorFrameNs: number;
  #nextMajorFrameNs = FLOAT_ZERO;
  /** Those that have been woken and not put to sleep since. */
  readonly #awake = new Set<Vcpu>();
  /** By domain << 16 | vCPU. */
  readonly #members = new Map<number, Vcpu>();
  #pool: Cpupool | undefined;

  constructor(xen: Hypervisor) {
    this.#xen = xen;
    this.#version = xen.version.arinc653;
    this.#majorFrameNs = this.#version.anchorsFrames ? DEFAULT_SLOT_NS : 0;
    this.#position = this.#version.sharesPosition ? sharedPosition(xen) : new Position();
  }

  // ---- Members come and go

  addPcpu(pcpu: Pcpu, pool: Cpupool): number {
    this.#pool = pool;
    return pcpu.id;
  }

  /**
   * a653sched_alloc_udata(): each vCPU of dom0 gets a slot by itself, as long as there is room in the
   * table.
   */
  allocVcpu(vcpu: Vcpu): void {
    const { domain } = vcpu;
    if (vcpu.isIdle) return;
    this.#members.set(vcpu.packedId, vcpu);
    if (domain.id === 0 && this.#table.length < ENTRIES_MAX) {
      // With anchored frames the frame has the length of one slot before there is any.
      const isCounted = this.#version.anchorsFrames && !this.#version.countsFirstSlotTwice;
      if (!isCounted || this.#table.length > 0) this.#majorFrameNs += DEFAULT_SLOT_NS;
      const last = this.#lastDoms[this.#table.length] ?? 0;
      const dom = this.#version.keepsOldHandles ? last : 0;
      this.#table.push({ dom, vcpu: vcpu.id, runtimeNs: DEFAULT_SLOT_NS, owner: undefined });
    }
    this.#findOwners();
  }

  freeVcpu(vcpu: Vcpu): void {
    this.#members.delete(vcpu.packedId);
    this.#awake.delete(vcpu);
    this.#findOwners();
  }

  /** Whoever creates a vCPU places it, and there is no queue. */
  insertVcpu(): void {}

  removeVcpu(): void {}

  // ---- The table

  /**
   * arinc653_sched_set(): a new table, or false if Xen refuses it. Nobody is told: the running slot goes on
   * to its end, or to the next decision.
   */
  setTable({ majorFrameNs, entries }: Arinc653Table): boolean {
    if (majorFrameNs <= 0 || entries.length < 1 || entries.length > ENTRIES_MAX) return false;
    if (entries.some(({ runtimeNs }) => runtimeNs <= 0)) return false;
    if (entries.reduce((sum, { runtimeNs }) => sum + runtimeNs, 0) > majorFrameNs) return false;
    this.#majorFrameNs = majorFrameNs;
    this.#table = entries.map(({ dom, vcpu, runtimeNs }) => ({ dom, vcpu, runtimeNs, owner: undefined }));
    for (const [i, { dom }] of entries.entries()) this.#lastDoms[i] = dom;
    this.#findOwners();
    this.#nextMajorFrameNs = this.#xen.machine.nowNs;
    return true;
  }

  /** update_schedule_units() */
  #findOwners(): void {
    for (const slot of this.#table) slot.owner = this.#members.get(((slot.dom << 16) | slot.vcpu) >>> 0);
  }

  // ---- Sleep and wake

  sleep(vcpu: Vcpu): void {
    this.#awake.delete(vcpu);
    if (this.#xen.machine.pcpus[vcpu.processor]!.chosen === vcpu) this.#xen.raiseSchedule(vcpu.processor);
  }

  /** A wake-up leads to a decision in any case, whoever's slot it is. */
  wake(vcpu: Vcpu): void {
    this.#awake.add(vcpu);
    this.#xen.raiseSchedule(vcpu.processor);
  }

  // ---- The decision

  /** a653sched_do_schedule() */
  doSchedule(prev: Vcpu, nowNs: number, taskletWork: boolean): void {
    const { cpu, pcpus } = this.#xen.machine;
    const { idle } = pcpus[cpu]!;
    if (this.#version.anchorsFrames) this.#findSlotByAnchor(nowNs);
    else this.#findSlotFromNow(nowNs);
    const position = this.#position;
    if (position.slot >= this.#table.length) position.nextSwitchNs = this.#nextMajorFrameNs;
    const owner = this.#table[position.slot]?.owner;
    let next = idle;
    // A vCPU that is elsewhere is not fetched.
    if (owner !== undefined && this.#awake.has(owner) && owner.checkRunnable()) {
      if (!taskletWork && owner.processor === cpu) next = owner;
    }
    prev.nextTask = next;
    prev.nextTimeNs = position.nextSwitchNs - nowNs;
    next.migrated = false;
  }

  /** Until 4.18: a frame begins when the first decision after the end of the last one happens. */
  #findSlotFromNow(nowNs: number): void {
    const position = this.#position;
    if (this.#table.length < 1) {
      this.#nextMajorFrameNs = nowNs + DEFAULT_SLOT_NS;
    } else if (nowNs >= this.#nextMajorFrameNs) {
      position.slot = 0;
      this.#nextMajorFrameNs = nowNs + this.#majorFrameNs;
      position.nextSwitchNs = nowNs + this.#table[0]!.runtimeNs;
    } else {
      while (nowNs >= position.nextSwitchNs && position.slot < this.#table.length) {
        position.slot += 1;
        position.nextSwitchNs += this.#table[position.slot]?.runtimeNs ?? 0;
      }
    }
  }

  /** Since 4.19: frames begin at whole multiples of their length after the first. */
  #findSlotByAnchor(nowNs: number): void {
    const position = this.#position;
    const table = this.#table;
    if (nowNs >= this.#nextMajorFrameNs) {
      const beginNs = nowNs - ((nowNs - this.#nextMajorFrameNs) % this.#majorFrameNs);
      position.slot = 0;
      this.#nextMajorFrameNs = beginNs + this.#majorFrameNs;
      position.nextSwitchNs = beginNs + (table[0]?.runtimeNs ?? DEFAULT_SLOT_NS);
    }
    while (nowNs >= position.nextSwitchNs) {
      position.slot += 1;
      if (position.slot >= table.length) break;
      position.nextSwitchNs += table[position.slot]!.runtimeNs;
    }
  }

  /** a653sched_pick_resource(): where it is, whatever its affinity, as long as that is in the pool. */
  pickPcpu(vcpu: Vcpu): number {
    const { valid } = this.#pool!;
    return valid.has(vcpu.processor) ? vcpu.processor : valid.first();
  }
}

function sharedPosition(xen: Hypervisor): Position {
  let position = sharedPositions.get(xen);
  if (position === undefined) {
    position = new Position();
    sharedPositions.set(xen, position);
  }
  return position;
}
