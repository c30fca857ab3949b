import { assert } from '../base/assert.ts';
import type { Pcpu, Vcpu } from './state.ts';
import { BLOCKS, MEMORY_BYTES, PCPU_BYTES, PCPUS, VCPU_BYTES, VCPUS } from './wasm/walk-layout.ts';
import { PAGE_BYTES, startWasm } from './wasm-program.ts';

/** What wasm/walk.ts exports. pCPUs and vCPUs are given as their addresses. */
export interface WalkProgram {
  takeTurns(turns: number): number;
  orderSize(): number;
  indexOf(pcpu: number): number;
  insert(pcpu: number): void;
  place(pcpu: number): void;
  removeAt(at: number): void;
  pass(pcpu: number): number;
  addToTable(vcpu: number): void;
  logTransition(vcpu: number, runstate: number, tsc: number): void;
  logVcpu(vcpu: number, domain: number): void;
  logSupposedRunner(vcpu: number): void;
  logForgottenStart(vcpu: number): void;
  hand(): void;
}

/**
 * The memory in which pCPUs, vCPUs and the run have what the program in wasm/ needs of them, and that program. Only
 * what is used of it takes room.
 */
export class WalkMemory {
  readonly tscBase: bigint;
  readonly program: WalkProgram;
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  readonly ints: Int32Array;
  readonly doubles: Float64Array;
  readonly integers: BigInt64Array;
  readonly #pcpus: Pcpu[] = [];
  readonly #vcpus: Vcpu[] = [];
  #blocksEnd = BLOCKS;

  /** Takes the words of the log. */
  onLog: (words: number) => void = () => {};
  /** Shows the current record of a pCPU. */
  onRecord: (pcpu: Pcpu) => void = () => {};
  /** A pCPU stops to run what it runs. */
  onPcpuTime: (pcpu: Pcpu, tsc: number) => void = () => {};
  /** A vCPU comes to a pCPU. */
  onMove: (vcpu: Vcpu, pcpu: Pcpu, tsc: number) => void = () => {};

  /** @param tscBase What TSCs are counted from. */
  constructor(tscBase: bigint) {
    this.tscBase = tscBase;
    const memory = new WebAssembly.Memory({ initial: MEMORY_BYTES / PAGE_BYTES });
    this.bytes = new Uint8Array(memory.buffer);
    this.words = new Uint32Array(memory.buffer);
    this.ints = new Int32Array(memory.buffer);
    this.doubles = new Float64Array(memory.buffer);
    this.integers = new BigInt64Array(memory.buffer);
    this.program = startWasm<WalkProgram>('walk', memory, {
      'runstate-log': { takeLog: (words) => this.onLog(words) },
      'usual-records': {
        showRecord: (pcpu) => this.onRecord(this.pcpuAt(pcpu)),
        countPcpuTime: (pcpu, tsc) => this.onPcpuTime(this.pcpuAt(pcpu), tsc),
        moveVcpu: (vcpu, pcpu, tsc) => this.onMove(this.vcpuAt(vcpu), this.pcpuAt(pcpu), tsc),
      },
    });
  }

  /** Takes room for a pCPU. Returns its address. */
  addPcpu(pcpu: Pcpu): number {
    this.#pcpus[pcpu.number] = pcpu;
    return PCPUS + pcpu.number * PCPU_BYTES;
  }

  /** Takes room for a vCPU. Returns its address. */
  addVcpu(vcpu: Vcpu): number {
    this.#vcpus.push(vcpu);
    return VCPUS + (this.#vcpus.length - 1) * VCPU_BYTES;
  }

  pcpuAt(address: number): Pcpu {
    return this.#pcpus[(address - PCPUS) / PCPU_BYTES];
  }

  vcpuAt(address: number): Vcpu {
    return this.#vcpus[(address - VCPUS) / VCPU_BYTES];
  }

  /** Takes room for so many words of a file. Returns its place among the words. */
  addBlock(words: number): number {
    const at = this.#blocksEnd;
    this.#blocksEnd += words * 4;
    assert(this.#blocksEnd <= MEMORY_BYTES, 'there is room for the blocks of all pCPUs');
    return at / 4;
  }

  /** The fields of a pCPU or vCPU. */
  fields(address: number, bytes: number): { ints: Int32Array; doubles: Float64Array } {
    return {
      ints: new Int32Array(this.bytes.buffer, address, bytes / 4),
      doubles: new Float64Array(this.bytes.buffer, address, bytes / 8),
    };
  }
}
