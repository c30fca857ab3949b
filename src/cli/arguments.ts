import { InvalidArgumentError } from 'commander';
import { UserError } from '../base/errors.ts';
import { parseNanoseconds } from '../base/nanoseconds.ts';

/** A duration given to an option, in nanoseconds. */
export function parseDurationArgument(text: string): number {
  try {
    return parseNanoseconds(text);
  } catch (error) {
    if (error instanceof UserError) throw new InvalidArgumentError(`${error.message}.`);
    throw error;
  }
}

/** A whole number that is not negative. */
export function parseCountArgument(text: string): number {
  if (/^\d+$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
  throw new InvalidArgumentError('expected a whole number.');
}

/** A list of pCPUs such as `0-3,5`. */
export function parsePcpuList(text: string): Set<number> {
  const pcpus = new Set<number>();
  for (const item of text.split(',')) {
    const match = /^\s*(\d+)(?:-(\d+))?\s*$/.exec(item);
    const first = Number(match?.[1]);
    const last = Number(match?.[2] ?? match?.[1]);
    if (!match || first > last || last > 4095) {
      throw new InvalidArgumentError(`"${item.trim()}" should be a pCPU or a range such as 0-3.`);
    }
    for (let pcpu = first; pcpu <= last; pcpu++) pcpus.add(pcpu);
  }
  return pcpus;
}
