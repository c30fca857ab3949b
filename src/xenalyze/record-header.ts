import type { Analyser } from './analyser.ts';
import { AsciiText, OVERSHOOT, putAscii, putByte, putBytes, putSeconds } from './ascii.ts';
import { IDLE_DOMAIN, type Pcpu } from './state.ts';

const SPACE = 0x20;
const NO_TIME = new AsciiText(' '.repeat(15));
const NOBODY = new AsciiText('d?v?');
const BYTES = 16 * 1024;
/** xenalyze has no room for more, which takes 233 pCPUs; what it does not live to see is shown in full. */
const LENGTH_MAX = 255;
/** Times up to this many cycles are taken without a division. */
const SHORT_CYCLES = 2 ** 43;

// The picture's characters.
const HAS_RECORD = 0x78;
const LOST = 0x6c;

/**
 * The text in front of the lines of a record: the time, one character a pCPU, and the vCPU.
 *
 * It is made when the first line of a record is written, or earlier where the record may change what it shows.
 */
export class RecordHeader {
  readonly #a: Analyser;
  /** The text, once it is made. */
  readonly #view = new DataView(new ArrayBuffer(BYTES + OVERSHOOT));
  #length = 0;
  /** Whose record it is, if it is not made yet. */
  #of: Pcpu | undefined;

  /** What each pCPU does; how many of them are shown; and which has a record. */
  readonly #picture = new DataView(new ArrayBuffer(BYTES + OVERSHOOT));
  #drawn = 0;
  #current: Pcpu | undefined;

  /** Nanoseconds of a time are looked for in the second of the time before. */
  #second = 0;
  readonly #nsPerCycle: number;

  constructor(a: Analyser) {
    this.#a = a;
    this.#nsPerCycle = 1 / a.options.cpuQhz;
  }

  begin(pcpu: Pcpu): void {
    this.#of = pcpu;
  }

  make(): void {
    if (this.#of === undefined) return;
    this.#length = this.#put(this.#view, 0, this.#of);
    this.#of = undefined;
  }

  /** Puts the text into a buffer. Returns the place behind it. */
  put(view: DataView, at: number): number {
    if (this.#of === undefined) return putBytes(view, at, this.#view, this.#length);
    return this.#put(view, at, this.#of);
  }

  get text(): string {
    this.make();
    return Buffer.from(this.#view.buffer, 0, this.#length).toString('latin1');
  }

  /** The picture of all pCPUs, with `pcpu` as the one that has a record. */
  picture(pcpu: Pcpu): string {
    this.#drawAll(pcpu);
    return Buffer.from(this.#picture.buffer, 0, this.#drawn).toString('latin1');
  }

  /** Brings the character of a pCPU up to date. */
  draw(pcpu: Pcpu): void {
    const { current } = pcpu;
    let code = SPACE;
    if (pcpu.lostActive) code = LOST;
    else if (current !== undefined) {
      code = current.pictureCode;
      if (current.domain.id === IDLE_DOMAIN && this.#a.options.dumpShowPowerStates)
        code = (pcpu.powerState + 0x30) & 0xff;
    }
    this.#picture.setUint8(pcpu.number, code);
  }

  #put(view: DataView, start: number, pcpu: Pcpu): number {
    let at = this.#putTime(view, start, pcpu);
    this.#drawAll(pcpu);
    at = putBytes(view, at, this.#picture, this.#drawn);
    at = putByte(view, at, SPACE);
    at = putAscii(view, at, pcpu.current === undefined ? NOBODY : pcpu.current.text);
    return at - start > LENGTH_MAX && !this.#a.ended ? start + LENGTH_MAX : at;
  }

  #putTime(view: DataView, at: number, pcpu: Pcpu): number {
    const a = this.#a;
    const cycles = pcpu.tsc - a.firstTsc;
    if (pcpu.exactTsc === undefined && cycles <= 0) return putAscii(view, at, NO_TIME);
    if (pcpu.exactTsc !== undefined || cycles >= SHORT_CYCLES) return this.#putWideTime(view, at, pcpu);
    const { cpuQhz } = a.options;
    let ns = Math.floor(cycles * 1024 * this.#nsPerCycle);
    const rest = cycles * 1024 - ns * cpuQhz;
    if (rest < 0) ns--;
    else if (rest >= cpuQhz) ns++;
    if (ns === 0) return putAscii(view, at, NO_TIME);
    if (ns < this.#second || ns >= this.#second + 1e9) this.#second = Math.floor(ns / 1e9) * 1e9;
    return putSeconds(view, at, this.#second / 1e9, ns - this.#second);
  }

  #putWideTime(view: DataView, at: number, { tsc, exactTsc }: Pcpu): number {
    const a = this.#a;
    if (exactTsc === undefined) a.setTime(tsc);
    else a.setTimeOfAbsolute(exactTsc);
    const { seconds, nanoseconds } = a;
    if (seconds === 0 && nanoseconds === 0) return putAscii(view, at, NO_TIME);
    return putSeconds(view, at, seconds, nanoseconds);
  }

  #drawAll(pcpu: Pcpu): void {
    const a = this.#a;
    if (this.#current !== undefined && this.#current !== pcpu) this.draw(this.#current);
    while (this.#drawn <= a.maxActivePcpu) this.draw(a.pcpu(this.#drawn++));
    // Those that were drawn when they came, and that left before they were shown.
    while (this.#picture.getUint8(this.#drawn) > 0) this.#drawn++;
    this.#picture.setUint8(pcpu.number, HAS_RECORD);
    this.#current = pcpu;
  }
}
