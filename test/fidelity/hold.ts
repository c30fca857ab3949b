import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { firstFigureDifference, type Reference, runScenario } from '../simulator/fidelity.ts';
import { folderOf2008, read2008, readFile2008, run2008 } from '../simulator/reference-2008.ts';
import { readFileOfRtXen, readRtXen, runRtXen } from '../simulator/rt-xen-2.ts';
import { type Collection, readResult } from './collections.ts';
import { compareRecords, compareSwitches } from './compare.ts';

/** A scenario held against its reference result. */
export interface Holding {
  readonly name: string;
  readonly switches: number;
  readonly switchesAgreed: number;
  /** undefined where the collection has no trace of it. */
  readonly records: number | undefined;
  readonly recordsAgreed: number;
  /** The first difference of switches, records or figures, in words. */
  readonly difference: string | undefined;
  readonly events: number;
  readonly seconds: number;
}

/** Runs scenario `name` of a collection and holds it against what Xen's own code did. */
export function hold(root: string, collection: Collection, name: string): Holding {
  if (collection.isOf2008) return holdOf2008(join(root, 'older'), collection, name);
  if (collection.isOfRtXen) return holdOfRtXen(root, collection, name);
  const reference = readResult(root, collection, name);
  const began = process.hrtime.bigint();
  try {
    const run = runScenario(reference.scenario);
    const seconds = Number(process.hrtime.bigint() - began) / 1e9;
    const switches = compareSwitches(run.switches, reference.switches);
    const records = reference.trace === undefined ? undefined : compareRecords(run.trace, reference.trace);
    const figures = figuresOf(reference, collection.leavesOutPolls ? run.scheduleCalls : undefined);
    return {
      name,
      switches: switches.total,
      switchesAgreed: switches.agreed,
      records: records?.total,
      recordsAgreed: records?.agreed ?? 0,
      difference: switches.difference ?? records?.difference ?? firstFigureDifference(run, figures),
      events: run.events,
      seconds,
    };
  } catch (error) {
    const total = reference.switches.split('\n').length - 2;
    const difference = `it does not run: ${error instanceof Error ? error.message : String(error)}`;
    const none = { switchesAgreed: 0, records: undefined, recordsAgreed: 0, events: 0, seconds: 0 };
    return { name, switches: total, difference, ...none };
  }
}

function holdOfRtXen(root: string, { scenarios, results }: Collection, name: string): Holding {
  const reference = readRtXen(root, results, name);
  const began = process.hrtime.bigint();
  const run = runRtXen(readFileOfRtXen(root, scenarios, name));
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  const switches = compareSwitches(run.switches, reference.switches);
  const state = compareSwitches(run.state, reference.state);
  const isSame = isDeepStrictEqual({ ...run }, { ...reference });
  const others = isSame ? undefined : `other budgets (${state.difference}), figures or number of records`;
  return {
    name,
    switches: switches.total,
    switchesAgreed: switches.agreed,
    records: undefined,
    recordsAgreed: 0,
    difference: switches.difference ?? others,
    events: reference.scheduleCalls,
    seconds,
  };
}

function holdOf2008(root: string, { xen, scheduler }: Collection, name: string): Holding {
  const folder = folderOf2008(scheduler);
  const reference = read2008(root, folder, name);
  const began = process.hrtime.bigint();
  const run = run2008(readFile2008(root, folder, name), xen);
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  const switches = compareSwitches(run.switches, reference.switches);
  const { scheduleCalls, state, records, times, settings } = reference;
  const isSame = isDeepStrictEqual({ ...run, switches: reference.switches }, { ...reference });
  const what = [
    run.state === state ? '' : 'credit over time',
    run.scheduleCalls === scheduleCalls && isDeepStrictEqual(run.times, times) ? '' : 'figures',
    isDeepStrictEqual(run.settings, settings) ? '' : 'parameters',
    isDeepStrictEqual(run.records, records) ? '' : 'number of records of a kind',
  ];
  const others = isSame ? undefined : `other ${what.filter((each) => each !== '').join(', ')}`;
  return {
    name,
    switches: switches.total,
    switchesAgreed: switches.agreed,
    records: undefined,
    recordsAgreed: 0,
    difference: switches.difference ?? others,
    events: switches.total,
    seconds,
  };
}

function figuresOf({ figures }: Reference, scheduleCalls: number | undefined): Reference['figures'] {
  if (scheduleCalls === undefined) return figures;
  return { ...figures, totals: { ...figures.totals, schedule_calls: scheduleCalls } };
}

/** Sums of a collection. */
export interface Totals {
  readonly scenarios: number;
  readonly exact: number;
  readonly switches: number;
  readonly switchesAgreed: number;
  readonly traces: number;
  readonly tracesExact: number;
  readonly records: number;
  readonly recordsAgreed: number;
}

export function totalsOf(holdings: readonly Holding[]): Totals {
  const sum = (value: (holding: Holding) => number) =>
    holdings.reduce((total, holding) => total + value(holding), 0);
  const traced = holdings.filter(({ records }) => records !== undefined);
  return {
    scenarios: holdings.length,
    exact: holdings.filter(({ difference }) => difference === undefined).length,
    switches: sum((one) => one.switches),
    switchesAgreed: sum((one) => one.switchesAgreed),
    traces: traced.length,
    tracesExact: traced.filter(({ records, recordsAgreed }) => records === recordsAgreed).length,
    records: sum((one) => one.records ?? 0),
    recordsAgreed: sum((one) => one.recordsAgreed),
  };
}
