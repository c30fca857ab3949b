import type { Diagnostic, Severity } from './diagnostic.ts';

/** What a finder of damage knows; the rest of a {@link Diagnostic} has defaults. */
export interface Finding {
  readonly severity: Severity;
  readonly code: string;
  readonly message: string;
  readonly advice: string;
  readonly pcpu?: number;
  readonly offset?: number;
  readonly bytes?: number;
  readonly count?: number;
  readonly tNs?: number | undefined;
}

/** Rows of one code that are kept as they are; later ones are folded into one row per pCPU. */
const ROWS_PER_CODE = 500;

interface Row extends Diagnostic {
  bytes: number;
  count: number;
}

/**
 * Collects diagnostics in bounded memory: the first {@link ROWS_PER_CODE} of a code one by one, the others as
 * one row per code and pCPU whose `count` and `bytes` are sums. No byte is ever lost from the sums.
 */
export class DiagnosticLog {
  #bytes = 0;
  readonly #rows: Row[] = [];
  readonly #rowsOfCode = new Map<string, number>();
  readonly #folded = new Map<string, Row>();

  /** The sum of all rows' `bytes`: input bytes that are neither in a window header nor in a record. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Notes a finding; one that goes on where the last one of its code ended becomes one with it. */
  add(finding: Finding): void {
    const { pcpu = -1, offset = -1, bytes = 0, count = 1, tNs, ...rest } = finding;
    this.#bytes += bytes;
    if (this.#extendLast(rest.code, pcpu, offset, bytes)) return;
    const seen = this.#rowsOfCode.get(rest.code) ?? 0;
    this.#rowsOfCode.set(rest.code, seen + 1);
    if (seen < ROWS_PER_CODE) {
      this.#rows.push({ ...rest, pcpu, offset, bytes, count, tNs });
      return;
    }
    const key = `${rest.code}/${pcpu}`;
    const folded = this.#folded.get(key);
    if (folded) {
      folded.bytes += bytes;
      folded.count += count;
      return;
    }
    const message = `${rest.message} This row sums up this and all later ones of its kind on its pCPU.`;
    this.#folded.set(key, { ...rest, message, pcpu, offset, bytes, count, tNs });
  }

  /** A log with the same rows, to go on from. */
  copy(): DiagnosticLog {
    const copy = new DiagnosticLog();
    copy.#bytes = this.#bytes;
    for (const row of this.#rows) copy.#rows.push({ ...row });
    for (const [code, count] of this.#rowsOfCode) copy.#rowsOfCode.set(code, count);
    for (const [key, row] of this.#folded) copy.#folded.set(key, { ...row });
    return copy;
  }

  /** All rows so far, in the order in which they were found. */
  rows(): Diagnostic[] {
    return [...this.#rows, ...this.#folded.values()];
  }

  /** A damaged stretch that is read in several pieces stays one row. */
  #extendLast(code: string, pcpu: number, offset: number, bytes: number): boolean {
    const last = this.#rows.at(-1);
    if (bytes === 0 || last === undefined || last.code !== code || last.pcpu !== pcpu) return false;
    if (last.bytes === 0 || last.offset + last.bytes !== offset) return false;
    last.bytes += bytes;
    return true;
  }
}
