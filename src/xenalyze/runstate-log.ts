import { assert } from '../base/assert.ts';
import type { RunstateLines, RunstateTimes } from './runstate-times.ts';
import type { WalkMemory, WalkProgram } from './walk-memory.ts';
import { LOG } from './wasm/walk-layout.ts';

/**
 * What vCPUs do, of which {@link RunstateTimes} makes times, piece by piece: most of it is noted by the program in
 * wasm/, in the words that walk-layout.ts tells of. vCPUs and domains are given as their indexes.
 */
export class RunstateLog {
  readonly #program: WalkProgram;
  readonly #times: RunstateTimes | undefined;
  #lines: RunstateLines | undefined;

  /** @param times undefined: nobody wants to know. */
  constructor(memory: WalkMemory, times: RunstateTimes | undefined) {
    this.#program = memory.program;
    this.#times = times;
    memory.run.logs = times !== undefined;
    memory.onLog = (words) => times?.take(memory.ints.subarray(LOG / 4, LOG / 4 + words));
  }

  /** A vCPU that has no runstate yet, of a domain or of one that nobody asks for: -1. */
  addVcpu(vcpu: number, domain: number): void {
    this.#program.logVcpu(vcpu, domain);
  }

  /** A vCPU goes over to a runstate. */
  pass(vcpu: number, runstate: number, tsc: number): void {
    this.#program.logTransition(vcpu, runstate, tsc);
  }

  /** A vCPU comes to a pCPU, given by its number; which ends its stay where it was. */
  comeTo(vcpu: number, pcpu: number, tsc: number): void {
    this.#program.logStay(vcpu, pcpu, tsc);
  }

  /** A vCPU runs, but nobody knows since when; it does not count among its domain's. */
  supposeRunning(vcpu: number): void {
    this.#program.logSupposedRunner(vcpu);
  }

  /** It is not known any more since when a vCPU is in its runstate. */
  forgetStart(vcpu: number): void {
    this.#program.logForgottenStart(vcpu);
  }

  /** An exit of a vCPU of an HVM guest took so many cycles; the key is its reason, or EXIT_HANDLERS and a handler. */
  countExit(vcpu: number, key: number, cycles: number): void {
    this.#program.logExit(vcpu, key, cycles);
  }

  /** What came of it. Nothing can be added afterwards. */
  lines(): RunstateLines {
    if (this.#lines === undefined) {
      assert(this.#times !== undefined, 'somebody wants to know');
      this.#program.hand();
      this.#lines = this.#times.lines();
    }
    return this.#lines;
  }
}
