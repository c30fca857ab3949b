import {
  COMMAND_FORMS,
  type CommandForm,
  type CommandName,
  expectedOf,
  isCommandName,
  type WordKind,
} from './command-forms.ts';
import { SCHEDULERS } from './keys.ts';
import type { Located } from './located.ts';
import { pcpuList } from './pcpu-list.ts';
import type { Problems } from './problems.ts';
import { quote } from './quote.ts';
import { unknownWord } from './read-keys.ts';
import { resolveAffinity } from './resolve-domains.ts';
import type { Command, DomainSpec, PriorityScheme, SchedulerName, ServerKind } from './scenario.ts';

/** What a command may name. */
export interface CommandScope {
  readonly domains: readonly DomainSpec[];
  /** Of all pools that there are at some time. */
  readonly cpupools: readonly string[];
  /** undefined: not known, so that it is not checked. */
  readonly pcpus: number | undefined;
}

/** A word with the place where it stands. */
interface Word {
  readonly text: string;
  readonly at: number;
}

type Value = string | number | readonly number[] | undefined;
/**
 * By the long names of options and the names of operands. An option without a value is 1; `-`, and `all` of
 * vCPUs, is undefined.
 */
type Values = Map<string, Value>;

/** A `-` where pCPUs are expected leaves them as they are. */
const STAYS = '-';

/** Reads a command of xl. Undefined, after `problems` was told where and why, if it is none. */
export function parseCommand(node: Located, scope: CommandScope, problems: Problems): Command | undefined {
  if (node.kind !== 'scalar' || typeof node.value !== 'string') {
    problems.add('scenario-bad-value', node.at, 'an action is text, such as "sched-credit -d 1 -w 512"');
    return undefined;
  }
  const text = node.value;
  const words = [...text.matchAll(/\S+/g)].map(
    (match): Word => ({
      text: match[0],
      at: node.sourceAt === undefined ? node.at : node.sourceAt + match.index,
    }),
  );
  const [first = { text: '', at: node.at }, ...rest] = words;
  if (!isCommandName(first.text)) {
    problems.add(
      'scenario-bad-value',
      first.at,
      unknownWord('action', first.text, Object.keys(COMMAND_FORMS)),
    );
    return undefined;
  }
  const countBefore = problems.count;
  const form: CommandForm = COMMAND_FORMS[first.text];
  const values: Values = new Map();
  const read = form.isConfiguration ? readConfiguration : readWords;
  read(form, rest, values, scope, first, problems);
  if (problems.count > countBefore) return undefined;
  return build(first.text, text.trim().replace(/\s+/g, ' '), values, first, problems);
}

/** Options and operands, in any order. */
function readWords(
  form: CommandForm,
  words: readonly Word[],
  values: Values,
  scope: CommandScope,
  command: Word,
  problems: Problems,
): void {
  let operands = 0;
  for (let i = 0; i < words.length; i += 1) {
    const word = words[i]!;
    if (form.options.length > 0 && /^--?[a-z]/.test(word.text)) {
      const [flag = '', attached] = word.text.split('=', 2);
      const option = form.options.find(({ letter, name }) => flag === `-${letter}` || flag === `--${name}`);
      if (option === undefined) {
        const known = form.options.flatMap(({ letter, name }) => [`-${letter}`, `--${name}`]);
        problems.add(
          'scenario-bad-value',
          word.at,
          unknownWord('option', flag, known, known.filter(isShort)),
        );
        return;
      }
      if (values.has(option.name)) {
        problems.add('scenario-bad-value', word.at, `option ${quote(flag)} stands twice`);
        return;
      }
      if (option.value === undefined) {
        values.set(option.name, 1);
        continue;
      }
      const value = attached === undefined ? words[i + 1] : { text: attached, at: word.at + flag.length + 1 };
      if (attached === undefined) i += 1;
      if (value === undefined) {
        const sentence = `option ${quote(flag)} lacks its value, expected ${expectedOf(option.value)}`;
        problems.add('scenario-bad-value', word.at, sentence);
        return;
      }
      values.set(option.name, readWord(value, flag, option.value, scope, problems));
      continue;
    }
    const operand = form.operands[operands];
    operands += 1;
    if (operand === undefined) {
      problems.add('scenario-bad-value', word.at, `${quote(word.text)} is too much, ${usageOf(form)}`);
      return;
    }
    values.set(operand.name, readWord(word, operand.name, operand.value, scope, problems));
  }
  const missing = form.operands.slice(operands).find(({ isOptional }) => !isOptional);
  if (missing !== undefined) {
    problems.add(
      'scenario-bad-value',
      command.at,
      `"${command.text}" lacks ${missing.name}, ${usageOf(form)}`,
    );
  }
}

const isShort = (flag: string): boolean => !flag.startsWith('--');

function usageOf({ usage }: CommandForm): string {
  return `expected "${usage.join('" or "')}"`;
}

/** `name=value` pairs, as in the configuration of a pool. */
function readConfiguration(
  form: CommandForm,
  words: readonly Word[],
  values: Values,
  scope: CommandScope,
  command: Word,
  problems: Problems,
): void {
  for (const word of words) {
    const [name = '', written = ''] = word.text.split('=', 2);
    const operand = form.operands.find((one) => one.name === name);
    if (operand === undefined) {
      const names = form.operands.map((one) => one.name);
      problems.add('scenario-bad-value', word.at, unknownWord('setting', name, names));
      return;
    }
    const quoted = /^(["'])(.*)\1$/.exec(written);
    const value = { text: quoted?.[2] ?? written, at: word.at + name.length + 1 + (quoted ? 1 : 0) };
    values.set(name, readWord(value, name, operand.value, scope, problems));
  }
  const missing = form.operands.find(({ name }) => !values.has(name));
  if (missing !== undefined) {
    problems.add(
      'scenario-bad-value',
      command.at,
      `"${command.text}" lacks ${missing.name}, ${usageOf(form)}`,
    );
  }
}

function readWord(
  word: Word,
  name: string,
  wanted: WordKind,
  scope: CommandScope,
  problems: Problems,
): Value {
  const { text, at } = word;
  const tell = (sentence: string): undefined => {
    problems.add('scenario-bad-value', at, sentence);
    return undefined;
  };
  const refuse = () => tell(`"${name}" is ${quote(text)}, expected ${expectedOf(wanted)}`);
  switch (wanted.kind) {
    case 'number': {
      const value = /^\d{1,10}$/.test(text) ? Number(text) : -1;
      return value >= wanted.min && value <= wanted.max ? value : refuse();
    }
    case 'vcpu':
      if (text === 'all') return undefined;
      return /^\d{1,4}$/.test(text) ? Number(text) : refuse();
    case 'name':
      return text === '' ? refuse() : text;
    case 'scheduler':
      return SCHEDULERS.some((known) => known === text)
        ? text
        : tell(unknownWord('scheduler', text, SCHEDULERS));
    case 'word':
      return wanted.words.includes(text) ? text : refuse();
    case 'cpupool':
      return scope.cpupools.includes(text) ? text : tell(unknownWord('cpupool', text, scope.cpupools));
    case 'domain': {
      const { domains } = scope;
      const found =
        domains.find((domain) => domain.name === text) ?? domains.find(({ id }) => String(id) === text);
      if (found !== undefined) return found.id;
      const known = domains.map((domain) => domain.name);
      return known.length === 0 ? refuse() : tell(unknownWord('domain', text, known));
    }
    case 'pcpus':
      return text === STAYS ? undefined : readPcpus(word, name, scope, problems);
  }
}

function readPcpus({ text, at }: Word, name: string, scope: CommandScope, problems: Problems): Value {
  const node: Located = { kind: 'scalar', at, value: text, source: text, sourceAt: at };
  const list = pcpuList.read(node, name, problems);
  if (list === undefined) return undefined;
  const resolved = resolveAffinity({ value: list, at, keyAt: at, name }, scope.pcpus, problems);
  return resolved ?? Array.from({ length: scope.pcpus ?? 0 }, (_, pcpu) => pcpu);
}

function build(
  name: CommandName,
  text: string,
  values: Values,
  command: Word,
  problems: Problems,
): Command | undefined {
  const number = (key: string): number | undefined => values.get(key) as number | undefined;
  const pcpus = (key: string): readonly number[] | undefined =>
    values.get(key) as readonly number[] | undefined;
  const dom = number('DOMAIN') ?? -1;
  const cpupool = (values.get('CPUPOOL') as string | undefined) ?? '';
  switch (name) {
    case 'sched-credit':
    case 'sched-credit2':
    case 'sched-bcredit':
    case 'sched-rtds':
      return buildSched(name, text, values, command, problems);
    case 'sched-sedf':
      return buildSedf(text, values, command, problems);
    case 'sched-rtxen':
    case 'sched-rtglobal':
    case 'sched-rtpartition':
      return buildServer(name, text, values, command, problems);
    case 'vcpu-pin': {
      const hard = pcpus('HARD');
      const soft = pcpus('SOFT');
      return { text, kind: name, dom, vcpu: number('VCPU'), hard, soft };
    }
    case 'nemesis': {
      const action = values.get('ACTION') as 'add' | 'remove' | 'destroy';
      if (values.has('MEMBER') === (action === 'destroy')) {
        const why = action === 'destroy' ? 'has a MEMBER too much' : 'lacks MEMBER';
        const sentence = `"nemesis ${action}" ${why}, ${usageOf(COMMAND_FORMS.nemesis)}`;
        problems.add('scenario-bad-value', command.at, sentence);
        return undefined;
      }
      return { text, kind: name, action, dom: number('MASTER')!, member: number('MEMBER') };
    }
    case 'vcpu-set':
      return { text, kind: name, dom, count: number('COUNT')! };
    case 'pause':
    case 'unpause':
    case 'create':
    case 'destroy':
      return { text, kind: name, dom };
    case 'cpupool-create': {
      const scheduler = values.get('sched') as SchedulerName;
      return { text, kind: name, cpupool: String(values.get('name')), scheduler, pcpus: pcpus('cpus') ?? [] };
    }
    case 'cpupool-destroy':
      return { text, kind: name, cpupool };
    case 'cpupool-cpu-add':
    case 'cpupool-cpu-remove':
      return { text, kind: name, cpupool, pcpus: pcpus('PCPUS') ?? [] };
    case 'cpupool-migrate':
      return { text, kind: name, dom, cpupool };
  }
}

/** Parameters of a domain, of a vCPU, or of the scheduler itself, as xl tells them apart. */
function buildSched(
  name: 'sched-credit' | 'sched-credit2' | 'sched-bcredit' | 'sched-rtds',
  text: string,
  values: Values,
  command: Word,
  problems: Problems,
): Command | undefined {
  const number = (key: string): number | undefined => values.get(key) as number | undefined;
  const refuse = (why: string): undefined => {
    problems.add('scenario-bad-value', command.at, `"${name}" ${why}, ${usageOf(COMMAND_FORMS[name])}`);
    return undefined;
  };
  const dom = number('domain');
  const scheduler = name === 'sched-credit' ? 'credit' : 'credit2';
  if (values.has('schedparam') && name !== 'sched-rtds') {
    if (dom !== undefined || values.has('weight') || values.has('cap')) return refuse('has -s and -d');
    return {
      text,
      kind: 'sched-pool',
      scheduler,
      cpupool: (values.get('cpupool') as string | undefined) ?? 'Pool-0',
      tsliceMs: number('tslice_ms'),
      ratelimitUs: number('ratelimit_us'),
      migrationDelayUs: number('migration_delay_us'),
    };
  }
  if (dom === undefined) return refuse('lacks -d');
  if (name === 'sched-bcredit') {
    const boost = { maxBoostPeriodMs: number('maxboostperiod'), boostRatio: number('ratio') };
    const given = { dom, weight: number('weight'), cap: number('cap'), ...boost };
    return { text, kind: 'sched-domain', scheduler: 'bcredit', ...given };
  }
  if (name !== 'sched-rtds') {
    const stray = ['tslice_ms', 'ratelimit_us', 'migration_delay_us', 'cpupool'].find((key) =>
      values.has(key),
    );
    if (stray !== undefined) return refuse(`has --${stray} without -s`);
    return { text, kind: 'sched-domain', scheduler, dom, weight: number('weight'), cap: number('cap') };
  }
  if (!values.has('vcpuid')) return refuse('lacks -v');
  const extratime = number('extratime');
  return {
    text,
    kind: 'sched-vcpu',
    dom,
    vcpu: number('vcpuid'),
    periodUs: number('period'),
    budgetUs: number('budget'),
    extratime: extratime === undefined ? undefined : extratime === 1,
  };
}

/** A weight ends a period and a slice, and either of these a weight, as xl has it. */
function buildSedf(text: string, values: Values, command: Word, problems: Problems): Command | undefined {
  const refuse = (why: string): undefined => {
    const usage = usageOf(COMMAND_FORMS['sched-sedf']);
    problems.add('scenario-bad-value', command.at, `"sched-sedf" ${why}, ${usage}`);
    return undefined;
  };
  const number = (key: string): number | undefined => values.get(key) as number | undefined;
  const dom = number('domain');
  const [period, slice, latency, extra, weight] = ['period', 'slice', 'latency', 'extra', 'weight'].map(
    number,
  );
  const isTimed = (period ?? slice) !== undefined;
  if (dom === undefined) return refuse('lacks -d');
  if (weight !== undefined && isTimed) return refuse('has -w and -p or -s');
  if (!isTimed && (latency ?? extra ?? weight) === undefined) return refuse('says nothing to change');
  const ns = (ms: number | undefined) => (ms === undefined ? undefined : ms * 1_000_000);
  const sedf = {
    periodNs: weight === undefined ? ns(period) : 0,
    sliceNs: weight === undefined ? ns(slice) : 0,
    latencyNs: ns(latency),
    extratime: extra === undefined ? undefined : extra === 1,
    weight: isTimed ? 0 : weight,
  };
  return { text, kind: 'sched-sedf', dom, sedf };
}

/** The server of a vCPU under RT-Xen, or with -s what all have in common. RT-Xen 2.0 counts in milliseconds. */
function buildServer(
  name: 'sched-rtxen' | 'sched-rtglobal' | 'sched-rtpartition',
  text: string,
  values: Values,
  command: Word,
  problems: Problems,
): Command | undefined {
  const refuse = (why: string): undefined => {
    problems.add('scenario-bad-value', command.at, `"${name}" ${why}, ${usageOf(COMMAND_FORMS[name])}`);
    return undefined;
  };
  const number = (key: string): number | undefined => values.get(key) as number | undefined;
  const scheduler = name === 'sched-rtxen' ? 'rtxen' : name === 'sched-rtglobal' ? 'rtglobal' : 'rtpartition';
  const dom = number('domain');
  const serverKind = values.get('server') as ServerKind | undefined;
  const scheme = values.get('scheme') as PriorityScheme | undefined;
  const ofVcpu = ['domain', 'vcpu', 'period', 'budget', 'priority', 'extra'].find((key) => values.has(key));
  if (values.has('schedparam')) {
    if (ofVcpu !== undefined) return refuse(`has -s and --${ofVcpu}`);
    if ((serverKind ?? scheme) === undefined) return refuse('says nothing to change');
    const cpupool = (values.get('cpupool') as string | undefined) ?? 'Pool-0';
    const others = { tsliceMs: undefined, ratelimitUs: undefined, migrationDelayUs: undefined };
    return { text, kind: 'sched-pool', scheduler, cpupool, serverKind, scheme, ...others };
  }
  if (dom === undefined) return refuse('lacks -d');
  const stray = ['scheme', 'cpupool', ...(scheduler === 'rtxen' ? [] : ['server'])].find((key) =>
    values.has(key),
  );
  if (stray !== undefined) return refuse(`has --${stray} without -s`);
  if (scheduler === 'rtxen' && !values.has('vcpu')) return refuse('lacks -v');
  const unitUs = scheduler === 'rtxen' ? 1 : 1000;
  const us = (key: string) => (values.has(key) ? number(key)! * unitUs : undefined);
  const extra = number('extra');
  const server = {
    periodUs: us('period'),
    budgetUs: us('budget'),
    priority: number('priority'),
    serverKind,
    extratime: extra === undefined ? undefined : extra === 1,
  };
  const vcpu = scheduler === 'rtxen' ? number('vcpu') : (number('vcpu') ?? 0);
  return { text, kind: 'sched-server', scheduler, dom, vcpu, server };
}
