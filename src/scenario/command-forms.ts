import { SCHEDULERS } from './keys.ts';
import { PRIORITY_SCHEMES, SERVER_KINDS } from './server-words.ts';

/** What stands for a word of a command. */
export type WordKind =
  | { readonly kind: 'domain' | 'cpupool' | 'scheduler' | 'vcpu' | 'pcpus' | 'name' }
  | { readonly kind: 'word'; readonly words: readonly string[] }
  | { readonly kind: 'number'; readonly min: number; readonly max: number };

export interface CommandOption {
  /** Its letter and its long name, as xl has them. */
  readonly letter: string;
  readonly name: string;
  /** undefined: it takes no value. */
  readonly value: WordKind | undefined;
}

export interface CommandOperand {
  readonly name: string;
  readonly value: WordKind;
  /** May be left out, all behind it too. */
  readonly isOptional?: boolean;
}

/** A command of xl, as far as it is an action. */
export interface CommandForm {
  /** For messages and documents. */
  readonly usage: readonly string[];
  readonly doc: string;
  readonly options: readonly CommandOption[];
  readonly operands: readonly CommandOperand[];
  /** Operands are written `name=value`, in any order (cpupool-create). */
  readonly isConfiguration?: boolean;
}

function option(letter: string, name: string, value?: WordKind): CommandOption {
  return { letter, name, value };
}

function operand(
  name: string,
  kind: Exclude<WordKind['kind'], 'number' | 'word'>,
  isOptional = false,
): CommandOperand {
  return { name, value: { kind }, isOptional };
}

function number(min: number, max: number): WordKind {
  return { kind: 'number', min, max };
}

function word(words: readonly string[]): WordKind {
  return { kind: 'word', words };
}

const DOMAIN = operand('DOMAIN', 'domain');
const CPUPOOL = operand('CPUPOOL', 'cpupool');
const PCPUS = operand('PCPUS', 'pcpus');
const OF_DOMAIN = option('d', 'domain', { kind: 'domain' });
const WEIGHT_AND_CAP = [option('w', 'weight', number(1, 65_535)), option('c', 'cap', number(0, 65_535))];
const SCHEDPARAM = option('s', 'schedparam');
const RATELIMIT = option('r', 'ratelimit_us', number(0, 500_000));
const OF_CPUPOOL = option('p', 'cpupool', { kind: 'cpupool' });
const MICROSECONDS = number(10, 0xffffffff);

/** Of RT-Xen 2.0: its own tool's options, and with -s what that tool cannot do. */
function rtXenForm(name: 'sched-rtglobal' | 'sched-rtpartition') {
  return {
    usage: [
      `${name} -d DOMAIN [-v VCPU] [-p PERIOD_MS] [-b BUDGET_MS] [-e 0|1]`,
      `${name} -s [-m edf|rm] [-k deferrable|periodic] [-c CPUPOOL]`,
    ],
    doc: "The server of vCPU 0, or VCPU; for domain 0 EDF and RM change places. With -s: which, and the servers' kind.",
    options: [
      OF_DOMAIN,
      option('v', 'vcpu', number(0, 65_535)),
      option('p', 'period', number(1, 65_535)),
      option('b', 'budget', number(1, 65_535)),
      option('e', 'extra', number(0, 1)),
      SCHEDPARAM,
      option('m', 'scheme', word(PRIORITY_SCHEMES)),
      option('k', 'server', word(['deferrable', 'periodic'])),
      option('c', 'cpupool', { kind: 'cpupool' }),
    ],
    operands: [],
  } as const satisfies CommandForm;
}

/**
 * The commands of xl that an action may be, as data: the reader and docs/scenarios.md both go by this table.
 * Options are those of tools/xl/xl_cmdtable.c and xl_sched.c.
 */
export const COMMAND_FORMS = {
  'sched-credit': {
    usage: [
      'sched-credit -d DOMAIN [-w WEIGHT] [-c CAP]',
      'sched-credit -s [-t TSLICE_MS] [-r RATELIMIT_US] [-m MIGRATION_DELAY_US] [-p CPUPOOL]',
    ],
    doc: 'Weight and cap of a domain; time slice, rate limit and migration delay of the scheduler.',
    options: [
      OF_DOMAIN,
      ...WEIGHT_AND_CAP,
      SCHEDPARAM,
      option('t', 'tslice_ms', number(1, 1000)),
      RATELIMIT,
      option('m', 'migration_delay_us', number(0, 100_000)),
      OF_CPUPOOL,
    ],
    operands: [],
  },
  'sched-credit2': {
    usage: [
      'sched-credit2 -d DOMAIN [-w WEIGHT] [-c CAP]',
      'sched-credit2 -s [-r RATELIMIT_US] [-p CPUPOOL]',
    ],
    doc: 'The same of credit2.',
    options: [OF_DOMAIN, ...WEIGHT_AND_CAP, SCHEDPARAM, RATELIMIT, OF_CPUPOOL],
    operands: [],
  },
  'sched-bcredit': {
    usage: ['sched-bcredit -d DOMAIN [-w WEIGHT] [-c CAP] [-m MAX_BOOST_PERIOD_MS] [-r BOOST_RATIO]'],
    doc: 'The parameters of a domain, with xm. Without any it reads them. What Xen refuses it does not tell.',
    options: [
      OF_DOMAIN,
      ...WEIGHT_AND_CAP,
      // xm hands them on as signed short integers.
      option('m', 'maxboostperiod', number(0, 32_767)),
      option('r', 'ratio', number(0, 32_767)),
    ],
    operands: [],
  },
  'sched-rtds': {
    usage: ['sched-rtds -d DOMAIN -v VCPU|all -p PERIOD_US -b BUDGET_US -e 0|1'],
    doc: 'The server of a vCPU. It counts from the next period on. What is left out stays.',
    options: [
      OF_DOMAIN,
      option('v', 'vcpuid', { kind: 'vcpu' }),
      option('p', 'period', MICROSECONDS),
      option('b', 'budget', MICROSECONDS),
      option('e', 'extratime', number(0, 1)),
    ],
    operands: [],
  },
  'sched-sedf': {
    usage: [
      'sched-sedf -d DOMAIN [-p PERIOD_MS] [-s SLICE_MS] [-l LATENCY_MS] [-e 0|1]',
      'sched-sedf -d DOMAIN -w WEIGHT [-l LATENCY_MS] [-e 0|1]',
    ],
    doc: 'Slices and extra time of a domain under SEDF. What is left out stays; a weight ends a slice.',
    options: [
      OF_DOMAIN,
      option('p', 'period', number(1, 10_000)),
      option('s', 'slice', number(1, 10_000)),
      option('l', 'latency', number(0, 10_000)),
      option('e', 'extra', number(0, 1)),
      option('w', 'weight', number(1, 32_767)),
    ],
    operands: [],
  },
  'sched-rtxen': {
    usage: [
      'sched-rtxen -d DOMAIN -v VCPU|all [-p PERIOD_US] [-b BUDGET_US] [-r PRIORITY] [-k KIND]',
      'sched-rtxen -s -k KIND [-c CPUPOOL]',
    ],
    doc: 'The server of a vCPU; with -s the kind of all servers of a pool. What is left out stays.',
    options: [
      OF_DOMAIN,
      option('v', 'vcpu', { kind: 'vcpu' }),
      option('p', 'period', MICROSECONDS),
      option('b', 'budget', MICROSECONDS),
      option('r', 'priority', number(0, 65_535)),
      option('k', 'server', word(SERVER_KINDS)),
      SCHEDPARAM,
      option('c', 'cpupool', { kind: 'cpupool' }),
    ],
    operands: [],
  },
  'sched-rtglobal': rtXenForm('sched-rtglobal'),
  'sched-rtpartition': rtXenForm('sched-rtpartition'),
  'vcpu-pin': {
    usage: ['vcpu-pin DOMAIN VCPU|all HARD [SOFT]'],
    doc: 'Where vCPUs may run and where they prefer to: pCPU lists, `all`, or `-` to leave it.',
    options: [],
    operands: [DOMAIN, operand('VCPU', 'vcpu'), operand('HARD', 'pcpus'), operand('SOFT', 'pcpus', true)],
  },
  'vcpu-set': {
    usage: ['vcpu-set DOMAIN COUNT'],
    doc: 'How many of its vCPUs the guest keeps online; the first COUNT of them.',
    options: [],
    operands: [DOMAIN, { name: 'COUNT', value: number(1, 8192) }],
  },
  pause: {
    usage: ['pause DOMAIN'],
    doc: 'Stops a domain, from Xen 4.5 on once more each time.',
    options: [],
    operands: [DOMAIN],
  },
  unpause: {
    usage: ['unpause DOMAIN'],
    doc: 'Undoes one `pause`, until Xen 4.4 all of them.',
    options: [],
    operands: [DOMAIN],
  },
  create: {
    usage: ['create DOMAIN'],
    doc: 'Creates a domain of `domains`, which is then not there from the start. Its offsets count from here.',
    options: [],
    operands: [DOMAIN],
  },
  destroy: { usage: ['destroy DOMAIN'], doc: 'Ends a domain.', options: [], operands: [DOMAIN] },
  nemesis: {
    usage: ['nemesis add MASTER MEMBER', 'nemesis remove MASTER MEMBER', 'nemesis destroy MASTER'],
    doc: "Scheduling domains: MEMBER shares MASTER's time slices, or no longer, or nobody does (credit).",
    options: [],
    operands: [
      { name: 'ACTION', value: word(['add', 'remove', 'destroy']) },
      operand('MASTER', 'domain'),
      operand('MEMBER', 'domain', true),
    ],
  },
  'cpupool-create': {
    usage: ['cpupool-create name=NAME sched=SCHEDULER cpus=PCPUS'],
    doc: 'A new pool of pCPUs that are free.',
    options: [],
    operands: [operand('name', 'name'), operand('sched', 'scheduler'), operand('cpus', 'pcpus')],
    isConfiguration: true,
  },
  'cpupool-destroy': {
    usage: ['cpupool-destroy CPUPOOL'],
    doc: 'Ends a pool without domains; its pCPUs are free.',
    options: [],
    operands: [CPUPOOL],
  },
  'cpupool-cpu-add': {
    usage: ['cpupool-cpu-add CPUPOOL PCPUS'],
    doc: 'Free pCPUs join a pool.',
    options: [],
    operands: [CPUPOOL, PCPUS],
  },
  'cpupool-cpu-remove': {
    usage: ['cpupool-cpu-remove CPUPOOL PCPUS'],
    doc: 'pCPUs leave a pool and are free. The vCPUs on them move to others of the pool.',
    options: [],
    operands: [CPUPOOL, PCPUS],
  },
  'cpupool-migrate': {
    usage: ['cpupool-migrate DOMAIN CPUPOOL'],
    doc: "A domain changes to another pool. It starts with the default parameters of that pool's scheduler.",
    options: [],
    operands: [DOMAIN, CPUPOOL],
  },
} as const satisfies Record<string, CommandForm>;

export type CommandName = keyof typeof COMMAND_FORMS;

export function isCommandName(word: string): word is CommandName {
  return Object.hasOwn(COMMAND_FORMS, word);
}

/** What a word is expected to be, in a few words. */
export function expectedOf(value: WordKind): string {
  switch (value.kind) {
    case 'domain':
      return "a domain's name or id";
    case 'cpupool':
      return 'the name of a cpupool';
    case 'scheduler':
      return `one of ${SCHEDULERS.join(', ')}`;
    case 'vcpu':
      return "a vCPU's number or all";
    case 'pcpus':
      return 'pCPUs such as 0-3,6 or all';
    case 'name':
      return 'a name';
    case 'word':
      return `one of ${value.words.join(', ')}`;
    case 'number':
      return `a whole number from ${value.min} to ${value.max}`;
  }
}
