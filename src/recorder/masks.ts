import { closestWord } from '../base/closest-word.ts';
import { UserError } from '../base/errors.ts';
import { EVENT_CLASS_MASKS } from '../ring/index.ts';
import { parseInteger } from './numbers.ts';

/**
 * The event mask of `-e`, given once or several times, in order: a name adds its class, a number replaces
 * what came before (parse_evtmask()). undefined where the result is 0: xentrace then leaves Xen's mask alone.
 *
 * Throws UserError `bad-event-mask`.
 */
export function parseEventMask(values: readonly string[]): number | undefined {
  let mask = 0;
  for (const value of values) {
    const named = Object.entries(EVENT_CLASS_MASKS).find(([name]) => name === value);
    const number = named ? undefined : parseInteger(value);
    if (named) mask |= named[1];
    else if (number !== undefined && number >= -0x80000000 && number <= 0xffffffff) mask = number >>> 0;
    else {
      const names = Object.keys(EVENT_CLASS_MASKS);
      const near = closestWord(value, names);
      throw new UserError(
        'bad-event-mask',
        `--evt-mask: "${value}" is neither a 32-bit number nor ${orList(names)}`,
        near ? { hint: `did you mean "${near}"?` } : {},
      );
    }
  }
  return mask === 0 ? undefined : mask >>> 0;
}

/** Which pCPUs `-c` names, before it is known how many there are. */
export type CpuMask =
  | { readonly kind: 'all' }
  | { readonly kind: 'bits'; readonly bits: number }
  | { readonly kind: 'ranges'; readonly ranges: readonly CpuRange[] };

/** Both inclusive; `last` undefined is the host's last pCPU. */
export interface CpuRange {
  readonly first: number;
  readonly last: number | undefined;
}

const CPU_MASK_FORM = 'expected "all", a mask such as 0x3, or pCPUs such as 0-3,5,7-';

/**
 * The cpu mask of `-c` (parse_cpu_mask(), the same from Xen 4.6 to today): `all`, `0x...` of up to 32 bits,
 * or a list of pCPUs and ranges; `-3` starts at 0, `3-` ends at the last one. A last pCPU of 0 counts as not
 * given, so `0-0` is every pCPU, as with xentrace. Up to Xen 4.5 a plain number was a mask; it is a pCPU now.
 *
 * Throws UserError `bad-cpu-mask`.
 */
export function parseCpuMask(text: string): CpuMask {
  const refuse = (why: string): never => {
    throw new UserError('bad-cpu-mask', `--cpu-mask: ${why}`, { hint: CPU_MASK_FORM });
  };
  if (text === 'all') return { kind: 'all' };
  if (text.startsWith('0x')) {
    const bits = parseInteger(text);
    if (bits === undefined) return refuse(`"${text}" is not a hexadecimal number`);
    if (bits > 0xffffffff) return refuse(`"${text}" has more than 32 bits`);
    return { kind: 'bits', bits };
  }
  const ranges = text.split(',').map((item) => {
    const match = /^(\d*)(?:(-)(\d*))?$/.exec(item);
    if (!match || item === '') return refuse(`"${item}" in "${text}" is no pCPU and no range of pCPUs`);
    const first = Number(match[1]);
    const last = match[2] === undefined ? first : Number(match[3]) || undefined;
    if (last !== undefined && first > last) return refuse(`the range "${item}" runs backwards`);
    return { first, last };
  });
  return { kind: 'ranges', ranges };
}

/**
 * Which of a host's pCPUs a mask selects. Bits beyond the host are ignored, pCPUs beyond it are a mistake:
 * UserError `bad-cpu-mask`.
 */
export function selectPcpus(mask: CpuMask, pcpus: number): boolean[] {
  const selected = new Array<boolean>(pcpus).fill(mask.kind === 'all');
  if (mask.kind === 'bits') {
    for (let pcpu = 0; pcpu < Math.min(pcpus, 32); pcpu += 1) {
      selected[pcpu] = ((mask.bits >>> pcpu) & 1) === 1;
    }
  }
  if (mask.kind === 'ranges') {
    for (const { first, last = Math.max(first, pcpus - 1) } of mask.ranges) {
      if (last >= pcpus) {
        const host = pcpus === 1 ? 'has only pCPU 0' : `has pCPUs 0 to ${pcpus - 1}`;
        throw new UserError('bad-cpu-mask', `--cpu-mask: there is no pCPU ${last}, the host ${host}`);
      }
      selected.fill(true, first, last + 1);
    }
  }
  return selected;
}

function orList(words: readonly string[]): string {
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}
