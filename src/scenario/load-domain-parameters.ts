/**
 * What domains were promised, from a file: a list in YAML or JSON, or what `xl sched-credit`, `sched-credit2` and
 * `sched-rtds` print.
 * @module
 */
import type { PromisedDomain, PromisedServer, PromisedVcpu } from './domain-parameters.ts';
import { DOMAIN_ID_MAX, DOMAIN_KEYS, nested, RTDS_KEYS, VCPUS_PER_DOMAIN_MAX } from './keys.ts';
import { describeLocated, type Located, type LocatedList, parseLocated } from './located.ts';
import { isXlTable, parseXlTable } from './parse-xl-table.ts';
import { type PcpuList, pcpuList } from './pcpu-list.ts';
import { Problems } from './problems.ts';
import { type Found, key, readKeys, Values, vocabulary } from './read-keys.ts';
import { readText } from './read-text.ts';
import { wholeNumber } from './value-types.ts';

const FILE_KEYS = {
  domains: key({
    name: 'domains',
    type: nested('list'),
    default: 'required',
    doc: 'The domains; a list may also stand alone.',
  }),
};
const SHARED_KEYS = {
  affinity: key({
    name: 'affinity',
    type: pcpuList,
    default: 'all',
    doc: 'pCPUs on which its vCPUs may run.',
    aliases: ['hard', 'hard_affinity', 'pcpus', 'cpus'],
  }),
  period: RTDS_KEYS.period,
  budget: RTDS_KEYS.budget,
  extratime: RTDS_KEYS.extratime,
};
const DOMAIN_PARAMETER_KEYS = {
  id: DOMAIN_KEYS.id,
  name: DOMAIN_KEYS.name,
  weight: DOMAIN_KEYS.weight,
  cap: DOMAIN_KEYS.cap,
  ...SHARED_KEYS,
  vcpus: key({
    name: 'vcpus',
    type: nested('list'),
    default: 'none',
    doc: 'What single vCPUs were promised instead.',
  }),
};
const VCPU_PARAMETER_KEYS = {
  vcpu: key({
    name: 'vcpu',
    type: wholeNumber(0, VCPUS_PER_DOMAIN_MAX - 1),
    default: 'one more than the last',
    doc: 'Number of the vCPU within its domain; the first is 0 unless given.',
    aliases: ['id'],
  }),
  ...SHARED_KEYS,
};

const FILE_WORDS = vocabulary(Object.values(FILE_KEYS));
const DOMAIN_WORDS = vocabulary(Object.values(DOMAIN_PARAMETER_KEYS));
const VCPU_WORDS = vocabulary(Object.values(VCPU_PARAMETER_KEYS));
/** What xl calls dom0. */
const DOM0_NAME = 'Domain-0';

/**
 * Reads the file `path`: domain id -> what the domain was promised.
 *
 * @throws UserError with file, line and column for whatever is wrong with the file or its text: all mistakes of a text
 *   at once (UserErrors)
 */
export function loadDomainParameters(path: string): Map<number, PromisedDomain> {
  const text = readText(path, 'a domains', 'YAML, JSON or what xl prints');
  return parseDomainParameters(text, path);
}

/** The same of a text; `fileName` stands in messages. */
export function parseDomainParameters(text: string, fileName: string): Map<number, PromisedDomain> {
  const problems = new Problems(fileName, text);
  const domains = isXlTable(text) ? parseXlTable(text, problems) : parseList(text, problems);
  problems.throwIfAny();
  return domains;
}

function parseList(text: string, problems: Problems): Map<number, PromisedDomain> {
  if (text.trim() === '') {
    problems.add('scenario-syntax', 0, 'the file is empty, expected a list of domains');
    return new Map();
  }
  const root = parseLocated(text, problems);
  if (root === undefined || problems.has('scenario-syntax')) return new Map();
  const list = root.kind === 'map' ? domainsOf(root, problems) : root;
  if (list === undefined) return new Map();
  if (list.kind !== 'list') {
    const example = '"- {id: 1, weight: 512}" or what xl sched-credit prints';
    const sentence = `the text is ${describeLocated(list)}, expected a list of domains such as ${example}`;
    problems.add('scenario-bad-value', list.at, sentence);
    return new Map();
  }
  return readDomains(list, problems);
}

function domainsOf(root: Located, problems: Problems): Located | undefined {
  const values = new Values();
  readKeys(root, 'a file of domains', FILE_WORDS, values, problems);
  const found = values.value(FILE_KEYS.domains);
  if (found === undefined) {
    problems.add('scenario-missing-key', root.at, 'the file lacks "domains", expected a list of domains');
  }
  return found;
}

function readDomains(list: LocatedList, problems: Problems): Map<number, PromisedDomain> {
  const domains = new Map<number, PromisedDomain>();
  const lineOf = new Map<number, number>();
  let nextId = 1;
  for (const node of list.items) {
    const values = new Values();
    readKeys(node, 'a domain', DOMAIN_WORDS, values, problems);
    if (node.kind !== 'map') continue;
    const name = values.value(DOMAIN_PARAMETER_KEYS.name);
    const idGiven = values.get(DOMAIN_PARAMETER_KEYS.id);
    const id = idGiven?.value ?? (name === DOM0_NAME ? 0 : nextId);
    nextId = id + 1;
    checkNew(id, lineOf, idGiven?.at ?? node.at, `domain id ${id}`, problems);
    if (id > DOMAIN_ID_MAX) {
      problems.add('scenario-bad-value', node.at, `domain id ${id} is beyond the last, ${DOMAIN_ID_MAX}`);
    }
    const weight = values.value(DOMAIN_PARAMETER_KEYS.weight);
    const cap = values.value(DOMAIN_PARAMETER_KEYS.cap);
    const vcpus = values.get(DOMAIN_PARAMETER_KEYS.vcpus);
    domains.set(id, {
      ...(name !== undefined && { name }),
      ...(weight !== undefined && { weight }),
      ...(cap !== undefined && { cap }),
      ...readShared(values, problems),
      ...(vcpus && { vcpus: readVcpus(vcpus, problems) }),
    });
  }
  return domains;
}

function readVcpus(list: Found<Located>, problems: Problems): Map<number, PromisedVcpu> {
  const vcpus = new Map<number, PromisedVcpu>();
  if (list.value.kind !== 'list') {
    const sentence = `"vcpus" is ${describeLocated(list.value)}, expected a list such as [{vcpu: 0, affinity: 0-3}]`;
    problems.add('scenario-bad-value', list.at, sentence);
    return vcpus;
  }
  const lineOf = new Map<number, number>();
  let next = 0;
  for (const node of list.value.items) {
    const values = new Values();
    readKeys(node, 'a vCPU', VCPU_WORDS, values, problems);
    const vcpu = values.value(VCPU_PARAMETER_KEYS.vcpu) ?? next;
    next = vcpu + 1;
    checkNew(vcpu, lineOf, node.at, `vCPU ${vcpu}`, problems);
    vcpus.set(vcpu, readShared(values, problems));
  }
  return vcpus;
}

function checkNew(
  id: number,
  lineOf: Map<number, number>,
  at: number,
  what: string,
  problems: Problems,
): void {
  const earlier = lineOf.get(id);
  if (earlier !== undefined) problems.add('scenario-conflict', at, `${what} is already in line ${earlier}`);
  lineOf.set(id, problems.positionAt(at).line);
}

/** What a domain and a vCPU may both be promised. */
function readShared(values: Values, problems: Problems): PromisedVcpu {
  const pcpus = readAffinity(values.get(SHARED_KEYS.affinity), problems);
  const reservation = readServer(values, problems);
  return { ...(pcpus && { pcpus }), ...(reservation && { reservation }) };
}

function readAffinity(given: Found<PcpuList> | undefined, problems: Problems): readonly number[] | undefined {
  if (given === undefined) return undefined;
  if (!('allBut' in given.value)) return given.value;
  if (given.value.allBut.length > 0) {
    const sentence = `"${given.name}" is all pCPUs but some, and how many there are is not known here`;
    problems.add('scenario-bad-value', given.at, `${sentence}, expected pCPUs such as 1-7`);
  }
  return undefined;
}

function readServer(values: Values, problems: Problems): PromisedServer | undefined {
  const period = values.get(SHARED_KEYS.period);
  const budget = values.get(SHARED_KEYS.budget);
  const areBroken = values.isBroken(SHARED_KEYS.period) || values.isBroken(SHARED_KEYS.budget);
  const only = period ?? budget;
  if (areBroken || only === undefined) return undefined;
  if (period === undefined || budget === undefined) {
    const [has, lacks] = period === undefined ? ['budget', 'period'] : ['period', 'budget'];
    problems.add(
      'scenario-missing-key',
      only.keyAt,
      `"${has}" is given and "${lacks}" is not, expected both`,
    );
    return undefined;
  }
  if (budget.value > period.value) {
    const sentence = `the budget of ${budget.value / 1000} us is above the period of ${period.value / 1000} us`;
    problems.add('scenario-conflict', budget.at, sentence);
  }
  return { budgetNs: budget.value, periodNs: period.value };
}
