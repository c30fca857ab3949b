import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Reference, ReferenceFigures } from '../simulator/fidelity.ts';
import { readReferenceScenario } from '../simulator/reference-scenario.ts';

/** Results of one version of a scheduler, to be held against a version that we model. */
export interface Collection {
  readonly scheduler: string;
  /** Our name of the version. */
  readonly xen: string;
  /** What ran. */
  readonly source: string;
  /** Below the folder of the reference results. */
  readonly scenarios: string;
  readonly results: string;
  /** Why no trace is compared; undefined where traces are. */
  readonly whyNoTraces?: string;
  /** Polls of idle pCPUs that find nothing are left out here, so that there are fewer decisions. */
  readonly leavesOutPolls?: boolean;
  /**
   * Its scenarios and results are those of reference-2008.ts: with settings at run time, and the credit over
   * time.
   */
  readonly isOf2008?: boolean;
  /** Those of rt-xen-2.ts, likewise with the budgets over time. */
  readonly isOfRtXen?: boolean;
}

const CURRENT = [
  { xen: '4.17', source: '4.17.7', folder: 'xen-4.17.7', arinc653: 'older/arinc653-4.17.7' },
  { xen: 'head', source: 'c447b7308b', folder: 'xen-head', arinc653: 'older/arinc653-head' },
] as const;

const untraced = { scenarios: 'older/scenarios/rtds', whyNoTraces: 'the layout of records is another' };

function folderOfRtXen(kind: 'global' | 'partition'): string {
  return kind === 'global' ? 'rtxen2-global' : 'rtxen2-partitioned-deferrable';
}

export const collections: readonly Collection[] = [
  ...CURRENT.flatMap(({ xen, source, folder }) =>
    ['credit', 'credit2', 'rtds', 'null'].map((scheduler) => {
      return { scheduler, xen, source, scenarios: 'scenarios', results: folder };
    }),
  ),
  ...CURRENT.map(({ xen, source, arinc653 }) => {
    return { scheduler: 'arinc653', xen, source, scenarios: 'older/scenarios/arinc653', results: arinc653 };
  }),
  {
    scheduler: 'credit',
    xen: '3.3',
    source: 'fd3c09b029 of November 2008',
    scenarios: 'older/scenarios/credit-2008',
    results: 'older/credit-2008',
    isOf2008: true,
  },
  ...(['global', 'partition'] as const).map((kind) => ({
    scheduler: `rt${kind}`,
    xen: 'rt-xen-2.0',
    source: 'RT-Xen 8b32b0d7c2',
    scenarios: `older/scenarios/${folderOfRtXen(kind)}`,
    results: `older/${folderOfRtXen(kind)}`,
    whyNoTraces: 'there is none',
    isOfRtXen: true,
  })),
  {
    scheduler: 'bcredit',
    xen: '3.3',
    source: 'the same with the patch of December 2008',
    scenarios: 'older/scenarios/bcredit',
    results: 'older/bcredit',
    isOf2008: true,
  },
  { scheduler: 'rtds', xen: '4.7', source: '4.7.0', results: 'older/rtds-4.7.0', ...untraced },
  {
    scheduler: 'rtds',
    xen: '4.6',
    source: '4.6.0',
    results: 'older/rtds-4.6.0',
    leavesOutPolls: true,
    ...untraced,
  },
  {
    scheduler: 'sedf',
    xen: '4.4',
    source: '4.4.0',
    scenarios: 'older/scenarios/sedf',
    results: 'older/sedf-4.4.0',
    whyNoTraces: 'there is none',
  },
  {
    scheduler: 'rtds',
    xen: '4.6-rfc',
    source: '4.6.0 with the patch',
    results: 'older/rtds-seed-patch',
    leavesOutPolls: true,
    ...untraced,
  },
];

/** The names of a collection's scenarios in `root`, in order; none where the folder is missing. */
export function scenarioNames(root: string, { scheduler, scenarios, results }: Collection): string[] {
  const folder = join(root, scenarios);
  if (!existsSync(folder) || !existsSync(join(root, results))) return [];
  const end = scenarios === 'scenarios' ? `__${scheduler}.json` : '.json';
  return readdirSync(folder)
    .filter((file) => file.endsWith(end))
    .map((file) => file.slice(0, -'.json'.length))
    .sort();
}

export function readResult(root: string, collection: Collection, name: string): Reference {
  const { scenarios, results, xen, whyNoTraces } = collection;
  const base = join(root, results, name);
  const trace = `${base}.trace.gz`;
  const hasTrace = whyNoTraces === undefined && existsSync(trace);
  const scenario = readReferenceScenario(join(root, scenarios, `${name}.json`), xen);
  return {
    // Without a trace to compare none is made: that of an idle pCPU of Xen 4.6 is endless.
    scenario: hasTrace ? scenario : { ...scenario, trace: { ...scenario.trace, eventMask: 0 } },
    switches: gunzipSync(readFileSync(`${base}.switches.csv.gz`)).toString(),
    trace: hasTrace ? gunzipSync(readFileSync(trace)) : undefined,
    figures: JSON.parse(readFileSync(`${base}.json`, 'utf8')) as ReferenceFigures,
  };
}
