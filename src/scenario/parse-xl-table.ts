import type { PromisedDomain, PromisedVcpu } from './domain-parameters.ts';
import { DOMAIN_ID_MAX } from './keys.ts';
import type { Problems } from './problems.ts';
import { quote } from './quote.ts';
import { unknownWord } from './read-keys.ts';

/*
 * What xl prints (tools/xl/xl_sched.c): a line about the cpupool, the names of the columns, and a line for each domain
 * or, with `sched-rtds -v all`, for each vCPU.
 *
 *     Cpupool Pool-0: tslice=30ms ratelimit=1000us migration-delay=0us
 *     Name                                ID Weight  Cap
 *     Domain-0                             0    256    0
 *
 *     Cpupool Pool-0: sched=RTDS
 *     Name                                ID VCPU    Period    Budget  Extratime
 *     web                                  1    0     10000      4000        yes
 */

/** What a column may hold; times are in microseconds. */
const COLUMNS = {
  ID: { min: 0, max: DOMAIN_ID_MAX },
  VCPU: { min: 0, max: 8191 },
  Weight: { min: 1, max: 65_535 },
  Cap: { min: 0, max: 65_535 },
  Period: { min: 10, max: 0xffffffff },
  Budget: { min: 10, max: 0xffffffff },
} as const;
const KNOWN_COLUMNS: readonly string[] = [...Object.keys(COLUMNS), 'Extratime'];
const HEADER = /^\s*Name\s+ID\s+\S/;
/** Lines that tell nothing of a domain: about a pool, or the command itself after a prompt. */
const ASIDE = /^\s*(Cpupool\s.*:.*|.*\bxl\s+(-\S+\s+)*sched-.*|[-=#].*)?$/;
const COMMANDS = 'xl sched-credit, sched-credit2 or sched-rtds';

/** Whether a text is what xl prints, and no YAML. */
export function isXlTable(text: string): boolean {
  return text.split('\n').some((line) => HEADER.test(line));
}

/** A word of a line, and where it stands in the text. */
interface Word {
  readonly text: string;
  readonly at: number;
}

/** Reads what {@link isXlTable} says is xl's. Later lines add to earlier ones about the same domain. */
export function parseXlTable(text: string, problems: Problems): Map<number, PromisedDomain> {
  const domains = new Map<number, PromisedDomain>();
  const lineOf = new Map<string, number>();
  let columns: readonly string[] | undefined;
  let at = 0;
  for (const line of text.split('\n')) {
    const words = wordsOf(line, at);
    if (HEADER.test(line)) columns = readHeader(words.slice(1), problems);
    else if (!ASIDE.test(line.trimEnd())) readRow(words, line, columns, domains, lineOf, problems);
    at += line.length + 1;
  }
  return domains;
}

function wordsOf(line: string, lineAt: number): Word[] {
  return [...line.matchAll(/\S+/g)].map((match) => ({ text: match[0], at: lineAt + match.index }));
}

/** The columns after `Name`. */
function readHeader(words: readonly Word[], problems: Problems): string[] {
  for (const { text, at } of words) {
    if (KNOWN_COLUMNS.includes(text)) continue;
    problems.add('scenario-unknown-key', at, unknownWord('column', text, KNOWN_COLUMNS));
  }
  return words.map(({ text }) => text);
}

/** A name may have blanks, or be missing: the other columns are counted from the end. */
function readRow(
  words: readonly Word[],
  line: string,
  columns: readonly string[] | undefined,
  domains: Map<number, PromisedDomain>,
  lineOf: Map<string, number>,
  problems: Problems,
): void {
  if (columns === undefined || words.length < columns.length) {
    const sentence = `${quote(line.trim())} is no line of ${COMMANDS}`;
    problems.add('scenario-syntax', words[0].at, sentence);
    return;
  }
  const names = words.slice(0, words.length - columns.length);
  const countBefore = problems.count;
  const values = new Map(
    columns.map((column, index) => [column, readCell(column, words[names.length + index], problems)]),
  );
  if (problems.count > countBefore) return;
  const dom = values.get('ID')!;
  const vcpu = values.get('VCPU');
  const key = `${dom} ${vcpu ?? ''} ${columns.join(' ')}`;
  const { line: lineNumber } = problems.positionAt(words[0].at);
  const earlier = lineOf.get(key);
  if (earlier !== undefined) {
    const who = vcpu === undefined ? `domain id ${dom}` : `d${dom}v${vcpu}`;
    problems.add('scenario-conflict', words[0].at, `${who} is already in line ${earlier}`);
  }
  lineOf.set(key, lineNumber);
  const name = names.map(({ text }) => text).join(' ');
  domains.set(dom, withRow(domains.get(dom) ?? {}, name, values));
}

function readCell(column: string, { text, at }: Word, problems: Problems): number {
  if (column === 'Extratime') {
    if (text !== 'yes' && text !== 'no') refuse(column, text, 'yes or no', at, problems);
    return Number(text === 'yes');
  }
  // A header with other columns was refused already.
  const { min, max } = COLUMNS[column as keyof typeof COLUMNS] ?? { min: 0, max: Number.MAX_SAFE_INTEGER };
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) {
    refuse(column, text, `a whole number from ${min} to ${max}`, at, problems);
  }
  return value;
}

function refuse(column: string, text: string, expected: string, at: number, problems: Problems): void {
  problems.add('scenario-bad-value', at, `"${column}" is ${quote(text)}, expected ${expected}`);
}

function withRow(before: PromisedDomain, name: string, values: ReadonlyMap<string, number>): PromisedDomain {
  const weight = values.get('Weight');
  const cap = values.get('Cap');
  const periodUs = values.get('Period');
  const budgetUs = values.get('Budget');
  const vcpu = values.get('VCPU');
  const server: PromisedVcpu =
    periodUs !== undefined && budgetUs !== undefined
      ? { reservation: { budgetNs: budgetUs * 1000, periodNs: periodUs * 1000 } }
      : {};
  const domain: PromisedDomain = {
    ...before,
    ...(name !== '' && name !== '(null)' && { name }),
    ...(weight !== undefined && { weight }),
    ...(cap !== undefined && { cap }),
  };
  if (vcpu === undefined) return { ...domain, ...server };
  return { ...domain, vcpus: new Map([...(before.vcpus ?? []), [vcpu, server]]) };
}
