import { InvalidArgumentError } from 'commander';
import { UserError } from '../base/errors.ts';
import { parseNanoseconds } from '../base/nanoseconds.ts';
import { DOM_IDLE } from '../timeline/index.ts';

/** A parser for an option that may be given several times: what `parse` makes of each text, in their order. */
export function repeatable<T>(
  parse: (text: string) => readonly T[],
): (text: string, earlier?: readonly T[]) => T[] {
  return (text, earlier = []) => [...earlier, ...parse(text)];
}

/** The same for an option that takes one text each time, such as a file. */
export const gatherTexts = repeatable((text) => [text]);

/** A duration given to an option, in nanoseconds. */
export function parseDurationArgument(text: string): number {
  try {
    return parseNanoseconds(text);
  } catch (error) {
    if (error instanceof UserError) throw new InvalidArgumentError(`${error.message}.`);
    throw error;
  }
}

/** The same, of what has a length. */
export function parseLengthArgument(text: string): number {
  const ns = parseDurationArgument(text);
  if (ns > 0) return ns;
  throw new InvalidArgumentError('expected a time above 0.');
}

/** A whole number that is not negative. */
export function parseCountArgument(text: string): number {
  if (/^\d+$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
  throw new InvalidArgumentError('expected a whole number.');
}

/** The same for what each text says of a domain: what is said later holds. */
export function repeatableMap<K, V>(
  parse: (text: string) => ReadonlyMap<K, V>,
): (text: string, earlier?: ReadonlyMap<K, V>) => Map<K, V> {
  return (text, earlier = new Map()) => new Map([...earlier, ...parse(text)]);
}

/** Lists of pCPUs such as `0-3,5`, added up. */
export function gatherPcpus(text: string, earlier?: ReadonlySet<number>): Set<number> {
  const pcpus = new Set(earlier);
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

/** A vCPU, or a whole domain. */
export interface VcpuName {
  readonly dom: number;
  readonly vcpu: number | undefined;
}

/** Lists of vCPUs and domains as Xen's tools print them: `d1v0,d2,d[IDLE]v3`. */
export const gatherVcpus = repeatable((text) =>
  text.split(',').map((item): VcpuName => {
    const match = /^\s*d(\d+|\[IDLE\])(?:v(\d+))?\s*$/.exec(item);
    if (!match) {
      throw new InvalidArgumentError(`"${item.trim()}" should look like d1v0, or d1 for the whole domain.`);
    }
    const dom = match[1] === '[IDLE]' ? DOM_IDLE : Number(match[1]);
    return { dom, vcpu: match[2] === undefined ? undefined : Number(match[2]) };
  }),
);

/** Lists of domains, by number: `1,2`, or as Xen's tools print them, `d1,d2`. */
export const gatherDomains = repeatable((text) =>
  text.split(',').map((item): VcpuName => {
    const match = /^\s*d?(\d+)\s*$/.exec(item);
    if (!match) throw new InvalidArgumentError(`"${item.trim()}" should be the number of a domain.`);
    return { dom: Number(match[1]), vcpu: undefined };
  }),
);
