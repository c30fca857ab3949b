import type { RecordBatch } from '../decoder/record-batch.ts';
import { DOM_IDLE, RUNNING, type RunstateBatch, type TransitionBatch } from '../timeline/index.ts';
import type { Analysis, AnalysisContext, AnalysisRun, Cell, Column, ResultTable } from './analysis.ts';
import { countColumn, DOM, nsColumn, ratioColumn, VCPU } from './columns.ts';
import { expectedRunning, pairsRunning, togetherShare } from './coscheduling.ts';
import { COVERAGE } from './coverage.ts';
import { DomainActivity } from './domain-activity.ts';
import {
  CONCURRENCY_HAZARD,
  DARK,
  DOMAIN_STATE_NAMES,
  DOMAIN_UNKNOWN,
  FULL_CONTENTION,
  FULL_RUN,
  KIND_OF_STATE,
  NO_DOMAIN,
  PARTIAL_CONTENTION,
  PARTIAL_RUN,
  RUNS,
  WAITS,
} from './domain-states.ts';
import { type DomainSpins, Preemptions, WORST_COUNT, WorstPreemptions } from './lock-holders.ts';
import { PendingTransitions } from './pending-transitions.ts';
import { sampleCells, sampleColumns } from './sample-columns.ts';
import { SampleBudget } from './samples.ts';
import { SpinRecords } from './spin-records.ts';

const STATE_COLUMNS: readonly Column[] = [
  DOM,
  {
    name: 'state',
    type: 'string',
    key: true,
    doc:
      '`full run`: all its vCPUs run; `partial run`: some run, the others are blocked or offline; ' +
      '`concurrency hazard`: some run and some wait; `partial contention`: some wait, the others are blocked or ' +
      'offline; `full contention`: all wait; `blocked`: all are blocked or offline; `unknown`.',
  },
  ratioColumn('share', 'time_ns over the time of the domain whose state is known; null for unknown.'),
  nsColumn('time_ns', 'Time in the state.'),
  countColumn(
    'stays',
    'Stays whose start and end were seen, by all the vCPUs that the state could hang on; null: none.',
  ),
  ...sampleColumns(
    'stay_ns',
    'those stays',
    'stay_max_start_ns',
    'When the longest began, since the start of the trace.',
  ),
  COVERAGE,
];

const COSCHEDULING_COLUMNS: readonly Column[] = [
  DOM,
  countColumn('vcpus', 'Its vCPUs that records name.'),
  ratioColumn(
    'all_run_ratio',
    'Part of the time in which some vCPU wants to run in which all that want to do: no one waits.',
    { better: 'higher' },
  ),
  ratioColumn('together_share', 'Part of the time in which two or more run.'),
  ratioColumn(
    'together_expected_share',
    'What it would be if each ran as much, and independently of the others.',
  ),
  ratioColumn(
    'overlap_ratio',
    'Pairs running at once, on average, over what independence would give: above 1 they run together, below 1 apart.',
  ),
  ratioColumn('hazard_share', 'Part of the time in which some run and some wait.', { better: 'lower' }),
  nsColumn('hazard_ns_max', 'The longest stretch of that.', { heading: 'worst hazard', better: 'lower' }),
  nsColumn('hazard_max_start_ns', 'When that began, since the start of the trace.', {
    heading: 'began at',
    instant: true,
  }),
  COVERAGE,
];

const RUNNING_COLUMNS: readonly Column[] = [
  DOM,
  {
    name: 'running',
    type: 'int',
    unit: 'count',
    key: true,
    doc: 'How many of its vCPUs run at once.',
  },
  nsColumn('time_ns', 'Time in which just as many run.'),
  ratioColumn('share', 'time_ns over the time in which the state of all its vCPUs is known.'),
  ratioColumn('expected_share', 'What it would be if each ran as much, and independently of the others.'),
  COVERAGE,
];

const SHOWN: Readonly<Record<string, Partial<Column>>> = {
  exposed_ns_p50: { text: 'never' },
  exposed_ns_p999: { text: 'never' },
  exposed_ns_p9999: { text: 'never' },
};
const LOCK_MEASURES: readonly Column[] = [
  countColumn(
    'preemptions',
    'Times it was put aside while it wanted to run on, seen to the end; yields are not.',
  ),
  countColumn(
    'candidates',
    'Those in which a sibling ran meanwhile: it may have waited for a lock of this one.',
    {
      better: 'lower',
    },
  ),
  ...sampleColumns(
    'exposed_ns',
    'the exposed times: how long at least one sibling ran while this one was put aside, of each candidate',
    'exposed_max_start_ns',
    'When the preemption with the longest began, since the start of the trace.',
  ),
  nsColumn('exposed_ns_total', 'Their sum.', { heading: 'total', better: 'lower' }),
  nsColumn('siblings_ran_ns', 'Time that siblings ran meanwhile, added up: what they may have spun.', {
    text: 'never',
  }),
  countColumn('spun', 'Candidates in which a sibling yielded or made a PAUSE exit: stronger evidence.', {
    better: 'lower',
  }),
  countColumn('sibling_yields', 'Yields of siblings meanwhile; null: the trace has no such records.', {
    text: 'nonzero',
  }),
  countColumn('pause_exits', 'PAUSE exits of siblings (HVM) meanwhile; null likewise.', { text: 'nonzero' }),
  COVERAGE,
].map((column): Column => ({ ...column, ...SHOWN[column.name] }));

const WORST_COLUMNS: readonly Column[] = [
  DOM,
  VCPU,
  {
    ...nsColumn('start_ns', 'When it was put aside, since the start of the trace.', { instant: true }),
    key: true,
  },
  { name: 'pcpu', type: 'int', unit: 'pcpu', doc: 'Where it had run; null: not known.' },
  nsColumn('aside_ns', 'How long it was put aside.'),
  nsColumn('exposed_ns', 'How long at least one sibling ran meanwhile.'),
  nsColumn('siblings_ran_ns', 'Time that siblings ran meanwhile, added up.'),
  countColumn('sibling_yields', 'Yields of siblings meanwhile; null: the trace has no such records.'),
  countColumn('pause_exits', 'PAUSE exits of siblings (HVM) meanwhile; null likewise.', { text: 'nonzero' }),
];

const NO_SIBLINGS = 'no domain has two vCPUs that records name.';
const NOT_EXPOSED = 'no vCPU was preempted while a sibling ran.';

class DomainsRun implements AnalysisRun {
  readonly listener = {
    onRunstates: (batch: RunstateBatch) => {
      this.#pending.noteHeads(batch);
      this.#drain();
    },
    onTransitions: (batch: TransitionBatch) => {
      if (this.#pending.full) this.#drain();
      this.#pending.push(batch);
    },
  };
  readonly #fromNs: number;
  readonly #pending = new PendingTransitions();
  readonly #spins: SpinRecords;
  readonly #budget = new SampleBudget();
  readonly #domains = new Map<number, { readonly activity: DomainActivity; readonly spins: DomainSpins }>();
  /** By vCPU index. */
  readonly #vcpus: (Preemptions | undefined)[] = [];
  /** By dom << 16 | vcpu. */
  readonly #byKey = new Map<number, Preemptions>();
  /** By pCPU: who runs there, as far as is known. */
  readonly #runsOn: (Preemptions | undefined)[] = [];
  readonly #worst = new WorstPreemptions();

  constructor({ catalog, fromNs }: AnalysisContext) {
    this.#fromNs = fromNs;
    this.#spins = new SpinRecords(catalog);
  }

  onRecords(batch: RecordBatch): void {
    this.#spins.onRecords(batch);
  }

  finish(endNs: number): ResultTable[] {
    this.#drain();
    const domains = [...this.#domains.values()].map(({ activity }) => activity);
    domains.sort((a, b) => a.dom - b.dom);
    for (const domain of domains) domain.finish(endNs);
    for (const vcpu of this.#vcpus) vcpu?.finish(endNs, this.#worst);
    const several = domains.filter(({ siblings }) => siblings.length > 1);
    return [
      {
        name: 'domain_states',
        title: 'What the vCPUs of each domain do together',
        doc: "Time in xenalyze's states of a domain. The rows of a domain sum to its time in the trace.",
        columns: STATE_COLUMNS,
        rows: domains.flatMap(stateRows),
        sampleColumn: 'stays',
      },
      {
        name: 'coscheduling',
        title: 'Co-scheduling, by domain',
        doc: 'Whether the vCPUs of a domain run at the same time.',
        columns: COSCHEDULING_COLUMNS,
        rows: several.map(coschedulingRow),
        empty: NO_SIBLINGS,
      },
      {
        name: 'coscheduling_running',
        title: 'How many vCPUs of a domain run at once',
        doc: 'Time in which k of its vCPUs run, against what chance would give.',
        columns: RUNNING_COLUMNS,
        rows: several.flatMap(runningRows),
        detail: true,
        empty: NO_SIBLINGS,
      },
      ...this.#lockTables(several),
    ];
  }

  #lockTables(domains: readonly DomainActivity[]): ResultTable[] {
    const of = (domain: DomainActivity) => {
      return this.#vcpus.filter((vcpu) => vcpu?.sibling.domain === domain) as Preemptions[];
    };
    const empty = domains.length > 0 ? NOT_EXPOSED : NO_SIBLINGS;
    const byVcpu = (a: Preemptions, b: Preemptions) => a.sibling.vcpu - b.sibling.vcpu;
    return [
      {
        name: 'lock_holder_preemptions',
        title: 'Preemptions while siblings ran on, by vCPU',
        doc: 'Candidates for a preempted lock holder: for how long siblings ran, and may have spun, meanwhile.',
        columns: [DOM, VCPU, ...LOCK_MEASURES],
        rows: domains.flatMap((domain) =>
          of(domain)
            .sort(byVcpu)
            .map((vcpu) => [domain.dom, vcpu.sibling.vcpu, ...this.#lockCells([vcpu], domain)]),
        ),
        sampleColumn: 'candidates',
        empty,
      },
      {
        name: 'lock_holder_preemptions_by_domain',
        title: 'Preemptions while siblings ran on, by domain',
        doc: 'The same over all vCPUs of a domain.',
        columns: [DOM, ...LOCK_MEASURES],
        rows: domains.map((domain) => [domain.dom, ...this.#lockCells(of(domain), domain)]),
        sampleColumn: 'candidates',
        empty,
      },
      {
        name: 'lock_holder_worst',
        title: 'The longest of these preemptions',
        doc: `The ${WORST_COUNT} candidates during which siblings ran longest.`,
        columns: WORST_COLUMNS,
        rows: this.#worst.list.map((one) => [
          one.dom,
          one.vcpu,
          one.startNs,
          one.pcpu < 0 ? null : one.pcpu,
          one.asideNs,
          one.exposedNs,
          one.siblingsRanNs,
          ...this.#spinCells(one.yields, one.pauseExits),
        ]),
        detail: true,
        empty,
      },
    ];
  }

  #lockCells(vcpus: readonly Preemptions[], domain: DomainActivity): Cell[] {
    const total = (of: (vcpu: Preemptions) => number) => vcpus.reduce((sum, vcpu) => sum + of(vcpu), 0);
    const sets = vcpus.map(({ exposed }) => exposed);
    return [
      total(({ count }) => count),
      total(({ exposed }) => exposed.count),
      ...sampleCells(sets),
      total(({ exposed }) => exposed.sum),
      total(({ siblingsRanNs }) => siblingsRanNs),
      total(({ spun }) => spun),
      ...this.#spinCells(
        total(({ yields }) => yields),
        total(({ pauseExits }) => pauseExits),
      ),
      coverage(domain),
    ];
  }

  #spinCells(yields: number, pauseExits: number): Cell[] {
    const { yieldsTold, exitsTold, overflowed } = this.#spins;
    return [yieldsTold && !overflowed ? yields : null, exitsTold && !overflowed ? pauseExits : null];
  }

  #drain(): void {
    this.#pending.drain((batch) => this.#onTransitions(batch));
  }

  #onTransitions({ count, tNs, dom, vcpu, vcpuIndex, from, to, pcpu }: TransitionBatch): void {
    const vcpus = this.#vcpus;
    let nextSpinNs = this.#spins.nextNs;
    for (let row = 0; row < count; row++) {
      const nowNs = tNs[row];
      if (nextSpinNs <= nowNs) {
        this.#spins.take(nowNs, this.#takeSpin);
        nextSpinNs = this.#spins.nextNs;
      }
      if (dom[row] === DOM_IDLE) {
        if (to[row] === RUNNING && pcpu[row] >= 0) this.#runsOn[pcpu[row]] = undefined;
        continue;
      }
      const index = vcpuIndex[row];
      const preemptions =
        vcpus[index] ?? this.#add(nowNs, dom[row], vcpu[row], index, KIND_OF_STATE[from[row]]);
      const { sibling } = preemptions;
      const kind = KIND_OF_STATE[to[row]];
      const before = sibling.kind;
      if (kind === before) continue;
      sibling.domain.change(nowNs, sibling, kind);
      if (kind === RUNS) {
        if (pcpu[row] >= 0) this.#runsOn[pcpu[row]] = preemptions;
      } else if (kind === WAITS && before === RUNS && nowNs > this.#fromNs) {
        preemptions.begin(nowNs, pcpu[row]);
      }
      if (before === WAITS) preemptions.end(nowNs, kind < DARK, this.#worst);
    }
  }

  #add(tNs: number, dom: number, vcpu: number, index: number, kind: number): Preemptions {
    let domain = this.#domains.get(dom);
    if (domain === undefined) {
      const activity = new DomainActivity(dom, this.#fromNs, this.#budget);
      domain = { activity, spins: { yields: 0, pauseExits: 0 } };
      this.#domains.set(dom, domain);
    }
    // Of a vCPU whose first interval was on a pCPU that is not looked at, there may be none, or a later one.
    const headSeen = this.#pending.headNs(index) <= tNs;
    const headNs = headSeen ? this.#pending.headNs(index) : tNs;
    const unknownNs = headSeen ? this.#pending.unknownNs(index) : 0;
    const sibling = domain.activity.add(tNs, vcpu, kind, headNs, unknownNs);
    const preemptions = new Preemptions(sibling, domain.spins, this.#budget);
    this.#vcpus[index] = preemptions;
    this.#byKey.set(((dom << 16) | vcpu) >>> 0, preemptions);
    return preemptions;
  }

  readonly #takeSpin = (tNs: number, who: number, isYield: boolean): void => {
    const vcpu = isYield ? this.#byKey.get(who) : this.#runsOn[who];
    if (vcpu === undefined) return;
    vcpu.yieldedNs = tNs;
    if (isYield) vcpu.spins.yields++;
    else if (vcpu.sibling.kind === RUNS) vcpu.spins.pauseExits++;
  };
}

/** Time of a domain in the trace, known or not. */
function totalNs({ times }: DomainActivity): number {
  return times.reduce((sum, ns, state) => (state === NO_DOMAIN ? sum : sum + ns), 0);
}

function ratio(part: number, whole: number): number | null {
  return whole > 0 ? part / whole : null;
}

/** Known part of the time of a domain. */
function coverage(domain: DomainActivity): number | null {
  const wholeNs = totalNs(domain);
  return ratio(wholeNs - domain.times[DOMAIN_UNKNOWN], wholeNs);
}

function stateRows(domain: DomainActivity): Cell[][] {
  const { dom, times, stays } = domain;
  const knownNs = totalNs(domain) - times[DOMAIN_UNKNOWN];
  return DOMAIN_STATE_NAMES.flatMap((name, state) => {
    if (times[state] === 0) return [];
    const samples = state === DOMAIN_UNKNOWN ? [] : [stays[state]];
    const count = stays[state]?.count ?? 0;
    const share = state === DOMAIN_UNKNOWN ? null : ratio(times[state], knownNs);
    const stay = sampleCells(samples);
    return [[dom, name, share, times[state], count === 0 ? null : count, ...stay, coverage(domain)]];
  });
}

function coschedulingRow(domain: DomainActivity): Cell[] {
  const { dom, siblings, times, stays, running, knownNs } = domain;
  const shares = running.map((ns) => (knownNs > 0 ? ns / knownNs : 0));
  const expected = expectedRunning(domain);
  const allRunNs = times[FULL_RUN] + times[PARTIAL_RUN];
  const someWaitNs = times[CONCURRENCY_HAZARD] + times[PARTIAL_CONTENTION] + times[FULL_CONTENTION];
  const hazard = stays[CONCURRENCY_HAZARD];
  return [
    dom,
    siblings.length,
    ratio(allRunNs, allRunNs + someWaitNs),
    knownNs > 0 ? togetherShare(shares) : null,
    expected === null ? null : togetherShare(expected),
    expected === null ? null : ratio(pairsRunning(shares), pairsRunning(expected)),
    ratio(times[CONCURRENCY_HAZARD], totalNs(domain) - times[DOMAIN_UNKNOWN]),
    hazard.count === 0 ? null : hazard.max,
    hazard.count === 0 ? null : hazard.maxAtNs,
    ratio(knownNs, totalNs(domain)),
  ];
}

function runningRows(domain: DomainActivity): Cell[][] {
  const { dom, running, knownNs } = domain;
  const expected = expectedRunning(domain);
  return running.map((ns, k) => {
    return [dom, k, ns, ratio(ns, knownNs), expected?.[k] ?? null, ratio(knownNs, totalNs(domain))];
  });
}

/** What the vCPUs of a domain do together. Definitions: docs/metrics.md. */
export const domains: Analysis = {
  name: 'domains',
  title: 'What the vCPUs of a domain do together',
  doc: "xenalyze's states of a domain, co-scheduling, and preemptions that may have caught the holder of a lock.",
  hears: 'all',
  create: (context) => new DomainsRun(context),
};
