import { assert } from '../base/assert.ts';
import type { Pcpu, Vcpu } from './state.ts';
import { layoutOf, StructMemory, structOf } from './struct.ts';
import { RUN as RUN_FIELDS } from './wasm/structs.mjs';
import {
  BLOCKS,
  GUEST_BYTES,
  GUESTS,
  LABEL_BYTES,
  LABEL_LENGTH,
  LABELS,
  MEMORY_BYTES,
  NO_LINE,
  OUTPUT,
  OUTPUT_BYTES,
  OVERSHOOT,
  PCPU_BYTES,
  PCPUS,
  PICTURE_CODE,
  RUN,
  TEMPLATES,
  TEMPLATES_BYTES,
  VCPU_BYTES,
  VCPUS,
} from './wasm/walk-layout.ts';
import { createMemory, PAGE_BYTES, startWasm } from './wasm-program.ts';

/** What wasm/walk.ts exports. pCPUs and vCPUs are given as their addresses. */
export interface WalkProgram {
  takeTurns(turns: number): number;
  orderSize(): number;
  first(): number;
  includes(pcpu: number): number;
  insert(pcpu: number): void;
  place(pcpu: number): number;
  remove(pcpu: number): void;
  pass(pcpu: number): number;
  count(pcpu: number): void;
  leap(pcpu: number): number;
  findOwn(pcpu: number): number;
  addressOf(offset: number, bytes: number): number;
  addToTable(vcpu: number): void;
  logTransition(vcpu: number, runstate: number, tsc: number): void;
  logStay(vcpu: number, pcpu: number, tsc: number): void;
  logExit(vcpu: number, key: number, cycles: number): void;
  logVcpu(vcpu: number, domain: number): void;
  logSupposedRunner(vcpu: number): void;
  logForgottenStart(vcpu: number): void;
  hand(): void;
  exactTscOf(tsc: number): bigint;
  writeLine(pcpu: number, line: number, mark: number): void;
  makeHeader(): void;
  putHeader(at: number): number;
  draw(pcpu: number): void;
  drawAll(pcpu: number): void;
}

/** The run as a whole. */
class Run extends structOf(RUN_FIELDS) {}

/**
 * The memory in which pCPUs, vCPUs and the run have what the program in wasm/ needs of them, and that program. Only
 * what is used of it takes room.
 */
export class WalkMemory extends StructMemory {
  readonly tscBase: bigint;
  readonly program: WalkProgram;
  readonly words: Uint32Array;
  readonly run: Run;
  /** Where text that is to be written lies, and, as the only element, how much there is. */
  readonly output: DataView;
  readonly outputAt: Int32Array;
  /** By number. */
  readonly pcpus: Pcpu[] = [];
  /** In the order in which they appeared. */
  readonly vcpus: Vcpu[] = [];
  #blocksEnd = BLOCKS;
  #templatesEnd = TEMPLATES;

  /** Takes the words of the log. */
  onLog: (words: number) => void = () => {};
  /** Reads the window header at a place in the file, unless it was read ahead, to HEADER_SCRATCH. */
  onReadHeader: (offset: number) => boolean = () => false;
  /** Writes the output that is in the memory. */
  onFlush: () => void = () => {};
  /** Finds the address of the line for records of an event and a number of extra words, or NO_LINE. */
  onNewLine: (event: number, extraWords: number) => number = () => NO_LINE;
  /** Shows the current record of a pCPU, of which there is no line. */
  onRecord: (pcpu: Pcpu) => void = () => {};
  /** Processes the current record of a pCPU, which is of another class than the scheduling one. */
  onOther: (pcpu: Pcpu) => void = () => {};
  /** Sets the time of a TSC that a number cannot hold. */
  onWideTime: (pcpu: Pcpu) => void = () => {};
  /** What pieces of lines are computed by, which write what they make of a record. */
  readonly computed: ((pcpu: Pcpu) => void)[] = [];
  /** A vCPU of an HVM guest is about to go over from one runstate to another. */
  onHvmTransition: (pcpu: Pcpu, vcpu: Vcpu, old: number, next: number) => void = () => {};
  /** A pCPU stops to run what it runs. */
  onPcpuTime: (pcpu: Pcpu, tsc: number) => void = () => {};

  /** @param tscBase What TSCs are counted from. */
  constructor(tscBase: bigint) {
    const pages = MEMORY_BYTES / PAGE_BYTES;
    // No thread shares it. Of any other memory V8 believes that it is all in use, and collects garbage to make room.
    const memory = createMemory({ initial: pages, maximum: pages, shared: true });
    super(memory.buffer);
    this.tscBase = tscBase;
    this.words = new Uint32Array(memory.buffer);
    this.run = new Run(this, RUN);
    this.output = new DataView(memory.buffer, OUTPUT, OUTPUT_BYTES + OVERSHOOT);
    this.outputAt = new Int32Array(memory.buffer, RUN + layoutOf(RUN_FIELDS).offsets.outputAt, 1);
    this.program = startWasm<WalkProgram>('walk', memory, {
      'runstate-log': { takeLog: (words) => this.onLog(words) },
      'shown-records': { findLine: (event, extraWords) => this.onNewLine(event, extraWords) },
      'usual-records': {
        showRecord: (pcpu) => this.onRecord(this.pcpuAt(pcpu)!),
        processOther: (pcpu) => this.onOther(this.pcpuAt(pcpu)!),
        noteHvmTransition: (pcpu, vcpu, old, next) =>
          this.onHvmTransition(this.pcpuAt(pcpu)!, this.vcpuAt(vcpu)!, old, next),
        countPcpuTime: (pcpu, tsc) => this.onPcpuTime(this.pcpuAt(pcpu)!, tsc),
      },
      'window-chain': { readHeader: (offset) => Number(this.onReadHeader(offset)) },
      'record-header': { takeWideTime: (pcpu) => this.onWideTime(this.pcpuAt(pcpu)!) },
      'record-lines': {
        flush: () => this.onFlush(),
        writeComputed: (number, pcpu) => this.computed[number](this.pcpuAt(pcpu)!),
      },
    });
  }

  /**
   * Takes room for the next of {@link vcpus}. Returns its address.
   *
   * @param label ASCII text, of less than {@link LABEL_LENGTH} characters.
   * @param pictureCode The character of a pCPU on which it runs.
   */
  addVcpu(label: string, pictureCode: number): number {
    const text = LABELS + this.vcpus.length * LABEL_BYTES;
    for (let i = 0; i < label.length; i++) this.bytes[text + i] = label.charCodeAt(i);
    this.bytes[text + LABEL_LENGTH] = label.length;
    this.bytes[text + PICTURE_CODE] = pictureCode;
    return VCPUS + this.vcpus.length * VCPU_BYTES;
  }

  pcpuAt(address: number): Pcpu | undefined {
    return address === 0 ? undefined : this.pcpus[(address - PCPUS) / PCPU_BYTES];
  }

  vcpuAt(address: number): Vcpu | undefined {
    return address === 0 ? undefined : this.vcpus[(address - VCPUS) / VCPU_BYTES];
  }

  /** Where there is room for what a vCPU has as that of a PV or an HVM guest. */
  guestAt({ address }: Vcpu): number {
    return GUESTS + ((address - VCPUS) / VCPU_BYTES) * GUEST_BYTES;
  }

  /** Takes room for pieces of lines or their text, behind which so many bytes may be read. Returns its address. */
  addToTemplates(bytes: Uint8Array, overshoot: number): number {
    const at = this.#templatesEnd;
    this.#templatesEnd += Math.ceil((bytes.length + overshoot) / 8) * 8;
    assert(this.#templatesEnd <= TEMPLATES + TEMPLATES_BYTES, 'there is room for all lines');
    this.bytes.set(bytes, at);
    return at;
  }

  /** Takes room for so many words of a file. Returns its place among the words. */
  addBlock(words: number): number {
    const at = this.#blocksEnd;
    this.#blocksEnd += words * 4;
    assert(this.#blocksEnd <= MEMORY_BYTES, 'there is room for the blocks of all pCPUs');
    return at / 4;
  }

  /** ASCII text. */
  text(address: number, length: number): string {
    return Buffer.from(this.buffer, address, length).toString('latin1');
  }
}
