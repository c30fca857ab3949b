import type { Pcpu } from './state.ts';
import { structOf } from './struct.ts';
import type { WalkMemory, WalkProgram } from './walk-memory.ts';
import { ORDER_NODE } from './wasm/structs.mjs';
import { BEGINS, HOW_FAR, ORDER, ORDER_BYTES } from './wasm/walk-layout.ts';

class OrderNode extends structOf(ORDER_NODE) {}

/**
 * The pCPUs in the order in which their records come: that with the smallest orderTsc first, and of equal ones the one
 * that was last put in its place.
 *
 * xenalyze has a list and moves a pCPU from its front to its place step by step. A tournament gives the same order,
 * with a number that grows for each placement; but only as long as whatever is in front is put in its place after its
 * turn. Where the file ends early, xenalyze leaves in front what it has given up; and a pCPU whose time goes back does
 * not pass those that were found in front of it meanwhile: from then on it is a list here as well.
 */
export class PcpuOrder {
  readonly #memory: WalkMemory;
  readonly #program: WalkProgram;
  /** Instead of the tournament. */
  #list: Pcpu[] | undefined;

  /** How far {@link nextTurn} has gone: {@link BEGINS} and what stands beside it. */
  howFar = BEGINS;

  constructor(memory: WalkMemory) {
    this.#memory = memory;
    this.#program = memory.program;
  }

  /**
   * Begins the turn of the first pCPU, which lasts until the record of the one behind it, and returns it. Turns that
   * usual records fill are taken first, but no more than `turns` at once.
   */
  nextTurn(turns: number): Pcpu | undefined {
    const list = this.#list;
    if (list !== undefined) {
      this.howFar = BEGINS;
      this.#memory.run.turnEnd = list[1]?.orderTsc ?? Number.POSITIVE_INFINITY;
      return list[0];
    }
    const turn = this.#program.takeTurns(turns);
    if (turn === 0) return;
    this.howFar = turn & HOW_FAR;
    return this.#memory.pcpuAt(turn - this.howFar);
  }

  isFirst(pcpu: Pcpu): boolean {
    return this.#list === undefined ? this.#program.first() === pcpu.address : this.#list[0] === pcpu;
  }

  includes(pcpu: Pcpu): boolean {
    return this.#list?.includes(pcpu) ?? this.#program.includes(pcpu.address) !== 0;
  }

  /** Puts in its place a pCPU that is new. */
  insert(pcpu: Pcpu): void {
    const list = this.#list;
    if (list === undefined) {
      this.#program.insert(pcpu.address);
      return;
    }
    const place = list.findIndex(({ orderTsc }) => orderTsc >= pcpu.orderTsc);
    list.splice(place < 0 ? list.length : place, 0, pcpu);
  }

  /** Puts the pCPU whose turn it was in the place of its next record. */
  place(pcpu: Pcpu): void {
    if (this.#list === undefined && this.#program.place(pcpu.address) !== 0) return;
    moveBack(this.becomeList(), pcpu);
  }

  /** Takes a pCPU out; false where it was not in. */
  remove(pcpu: Pcpu): boolean {
    if (!this.includes(pcpu)) return false;
    if (this.#list === undefined) this.#program.remove(pcpu.address);
    else this.#list.splice(this.#list.indexOf(pcpu), 1);
    return true;
  }

  /** From now on, what is in front may stay there without being put in its place. Returns the list. */
  becomeList(): Pcpu[] {
    if (this.#list !== undefined) return this.#list;
    const leaves = Array.from({ length: this.#program.orderSize() }, (_, at) => {
      const leaf = new OrderNode(this.#memory, ORDER + at * ORDER_BYTES);
      return { key: leaf.key, pcpu: this.#memory.pcpuAt(leaf.pcpu)! };
    });
    leaves.sort((p, q) => Number(p.key - q.key) || q.pcpu.orderPlaced - p.pcpu.orderPlaced);
    this.#list = leaves.map(({ pcpu }) => pcpu);
    return this.#list;
  }
}

/** Moves a pCPU behind those behind it whose next record is earlier. */
function moveBack(list: Pcpu[], pcpu: Pcpu): void {
  let at = list.indexOf(pcpu);
  for (; at + 1 < list.length && list[at + 1].orderTsc < pcpu.orderTsc; at++) list[at] = list[at + 1];
  list[at] = pcpu;
}
