import { describeLocated, type Located } from './located.ts';
import type { Problems } from './problems.ts';
import { quote } from './quote.ts';
import { refuse, type ValueType } from './value-types.ts';

/** No pCPU has a higher number: Xen is built for at most 4095 of them. */
export const PCPUS_MAX = 4095;

/** Stands for all pCPUs while a list is read. */
const ALL = -1;

/** The pCPUs that an affinity names: ascending and without repetition, or all but some. */
export type PcpuList = readonly number[] | { readonly allBut: readonly number[] };

/**
 * Lists of pCPUs as xl writes them: `3`, `"0-3,6"`, `"0-7,^2"` (all of 0 to 7 but 2), `all`, or a list of
 * numbers and such texts; `all,^0` is all but pCPU 0. What is excluded is excluded wherever it stands.
 */
export const pcpuList: ValueType<PcpuList> = {
  label: 'pCPU list',
  expected: 'pCPUs such as 0-3,6 or [0, 1, 2, 3, 6] or all',
  read(node, name, problems) {
    const included = new Set<number>();
    const excluded = new Set<number>();
    const parts = node.kind === 'list' ? node.items : [node];
    let sound = true;
    for (const part of parts) sound = readPart(part, name, problems, included, excluded) && sound;
    if (!sound) return undefined;
    const all = included.delete(ALL);
    if (all) return { allBut: [...excluded] };
    const pcpus = [...included].filter((pcpu) => !excluded.has(pcpu)).sort((a, b) => a - b);
    if (pcpus.length > 0) return pcpus;
    const shown = node.kind === 'scalar' ? describeLocated(node) : 'an empty list';
    problems.add('scenario-bad-value', node.at, `"${name}" is ${shown}, expected at least one pCPU`);
    return undefined;
  },
};

function readPart(
  node: Located,
  name: string,
  problems: Problems,
  included: Set<number>,
  excluded: Set<number>,
): boolean {
  const refused = () => {
    refuse(pcpuList, node, name, problems);
    return false;
  };
  if (node.kind !== 'scalar' || node.value === null || typeof node.value === 'boolean') return refused();
  for (const range of String(node.value).split(',')) {
    if (range.trim() === 'all') {
      included.add(ALL);
      continue;
    }
    const match = /^\s*(\^?)\s*(\d{1,6})(?:\s*-\s*(\d{1,6}))?\s*$/.exec(range);
    if (!match) return refused();
    const first = Number(match[2]);
    const last = match[3] === undefined ? first : Number(match[3]);
    const wrong = last < first ? 'runs backwards' : last > PCPUS_MAX ? `goes beyond pCPU ${PCPUS_MAX}` : '';
    if (wrong !== '') {
      problems.add('scenario-bad-value', node.at, `"${name}": the range ${quote(range.trim())} ${wrong}`);
      return false;
    }
    const target = match[1] === '^' ? excluded : included;
    for (let pcpu = first; pcpu <= last; pcpu += 1) target.add(pcpu);
  }
  return true;
}
