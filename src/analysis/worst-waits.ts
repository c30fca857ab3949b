import { vcpuLabel, WAIT_CAUSES, type WaitBatch } from '../timeline/index.ts';
import type { Cell, Column, ResultTable } from './analysis.ts';
import { DOM, nsColumn, VCPU } from './columns.ts';

/** How many of the longest waits are kept, unless told otherwise. */
export const WORST_DEFAULT = 10;

/** One wait for a pCPU. pCPUs and who ran are null where not known. */
export interface WorstWait {
  readonly dom: number;
  readonly vcpu: number;
  /** One of WAIT_CAUSES: `wake`, `preempt`, `resume`. */
  readonly cause: string;
  readonly startNs: number;
  readonly endNs: number;
  /** Where it last ran before. */
  readonly fromPcpu: number | null;
  /** Where it got to run. */
  readonly toPcpu: number | null;
  /** Who ran longest there meanwhile, as `ranVcpu`, and for how long, `ranNs`; domain 32767 is the idle one. */
  readonly ranDom: number | null;
  readonly ranVcpu: number | null;
  readonly ranNs: number | null;
  /** The part of the wait in which its own budget or cap kept it back. */
  readonly throttledNs: number;
}

/** One of several numbers of a vCPU that the row is not about. */
const plainColumn = (name: string, doc: string): Column => ({ name, type: 'int', text: 'never', doc });
const pcpuColumn = (name: string, heading: string, doc: string): Column => {
  return { name, type: 'int', unit: 'pcpu', heading, doc };
};
const COLUMNS: readonly Column[] = [
  {
    name: 'rank',
    type: 'int',
    key: true,
    heading: '',
    doc: '1 is the longest; of equals the one that ended first.',
  },
  DOM,
  VCPU,
  { name: 'cause', type: 'string', doc: '`wake`, `preempt` or `resume`, as above.' },
  nsColumn('wait_ns', 'How long it waited: end_ns less start_ns.', { better: 'lower' }),
  nsColumn('start_ns', 'When the wait began, since the start of the trace.', { instant: true }),
  nsColumn('end_ns', 'When it began to run.', { instant: true }),
  pcpuColumn('from_pcpu', 'from', 'Where it last ran before; null: not known.'),
  pcpuColumn('to_pcpu', 'to', 'Where it got to run; null: not known.'),
  {
    name: 'ran',
    type: 'string',
    heading: 'ran there longest',
    doc: 'Who ran longest on to_pcpu meanwhile (of its last 128 runs), or its idle vCPU; null: not known.',
  },
  { ...plainColumn('ran_dom', 'The domain of `ran`; 32767 is the idle one.'), unit: 'dom' },
  { ...plainColumn('ran_vcpu', 'The number of `ran` within its domain.'), unit: 'vcpu' },
  nsColumn('ran_ns', 'How long that one ran there meanwhile.', { heading: 'for' }),
  nsColumn('throttled_ns', 'The part of the wait in which its own budget or cap kept it back.', {
    text: 'nonzero',
  }),
];

/** Keeps the longest waits of all, in bounded memory. */
export class WorstWaits {
  /** A wait that is no longer than this is not among the longest. */
  floorNs = -1;
  readonly #countMax: number;
  /** Longest first; of equals the one that was added first. */
  readonly #waits: WorstWait[] = [];

  constructor(countMax = WORST_DEFAULT) {
    this.#countMax = countMax;
    if (countMax === 0) this.floorNs = Number.POSITIVE_INFINITY;
  }

  /** Takes the wait in `row`, which is longer than {@link floorNs}. */
  add(batch: WaitBatch, row: number): void {
    const wait = waitOf(batch, row);
    const ns = wait.endNs - wait.startNs;
    const at = this.#waits.findIndex(({ startNs, endNs }) => endNs - startNs < ns);
    this.#waits.splice(at < 0 ? this.#waits.length : at, 0, wait);
    if (this.#waits.length < this.#countMax) return;
    this.#waits.length = this.#countMax;
    const last = this.#waits[this.#countMax - 1];
    this.floorNs = last.endNs - last.startNs;
  }

  table(): ResultTable {
    return {
      name: 'worst_waits',
      title: 'The longest waits',
      doc: 'The longest waits one by one, 10 or as many as `--worst` says: when, where, and who ran instead.',
      columns: COLUMNS,
      rows: this.#waits.map((wait, index) => rowOf(wait, index + 1)),
      empty: 'no wait was seen from its start to its end.',
    };
  }
}

/** The waits in a `worst_waits` table, as objects. */
export function worstWaitsOf({ columns, rows }: ResultTable): WorstWait[] {
  return rows.map((row) => {
    const cell = (name: string) => row[columns.findIndex((column) => column.name === name)];
    const number = (name: string) => cell(name) as number | null;
    return {
      dom: Number(cell('dom')),
      vcpu: Number(cell('vcpu')),
      cause: String(cell('cause')),
      startNs: Number(cell('start_ns')),
      endNs: Number(cell('end_ns')),
      fromPcpu: number('from_pcpu'),
      toPcpu: number('to_pcpu'),
      ranDom: number('ran_dom'),
      ranVcpu: number('ran_vcpu'),
      ranNs: number('ran_ns'),
      throttledNs: Number(cell('throttled_ns')),
    };
  });
}

function waitOf(batch: WaitBatch, row: number): WorstWait {
  const known = (number: number) => (number < 0 ? null : number);
  return {
    dom: batch.dom[row],
    vcpu: batch.vcpu[row],
    cause: WAIT_CAUSES[batch.cause[row]],
    startNs: batch.startNs[row],
    endNs: batch.endNs[row],
    fromPcpu: known(batch.fromPcpu[row]),
    toPcpu: known(batch.toPcpu[row]),
    ranDom: known(batch.ranDom[row]),
    ranVcpu: known(batch.ranVcpu[row]),
    ranNs: batch.ranDom[row] < 0 ? null : batch.ranNs[row],
    throttledNs: batch.throttledNs[row],
  };
}

function rowOf(wait: WorstWait, rank: number): Cell[] {
  const { dom, vcpu, cause, startNs, endNs, fromPcpu, toPcpu, ranDom, ranVcpu, ranNs, throttledNs } = wait;
  const ran = ranDom === null || ranVcpu === null ? null : vcpuLabel(ranDom, ranVcpu);
  return [
    rank,
    dom,
    vcpu,
    cause,
    endNs - startNs,
    startNs,
    endNs,
    fromPcpu,
    toPcpu,
    ran,
    ranDom,
    ranVcpu,
    ranNs,
    throttledNs,
  ];
}
