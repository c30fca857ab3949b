import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type Reference, type ReferenceFigures, runScenario } from './fidelity.ts';
import { REFERENCE_PART, REFERENCE_ROOT } from './reference-folder.ts';
import { readReferenceScenario } from './reference-scenario.ts';

/** Where the results of other schedulers and older versions are: all of them, or the part in the tree. */
export const OLDER_ROOT = join(REFERENCE_ROOT, 'older');
export const OLDER_PART = join(REFERENCE_PART, 'older');

/** The names of the scenarios in a folder of them, in order. */
export function olderScenarios(root: string, kind: string): string[] {
  return readdirSync(join(root, 'scenarios', kind))
    .map((file) => file.slice(0, -'.json'.length))
    .sort();
}

/** The results in `folder` of a scenario of this kind, to be held against `xen`. */
export function readOlder(root: string, kind: string, folder: string, name: string, xen: string): Reference {
  const base = join(root, folder, name);
  const trace = `${base}.trace.gz`;
  return {
    scenario: readReferenceScenario(join(root, 'scenarios', kind, `${name}.json`), xen),
    switches: gunzipSync(readFileSync(`${base}.switches.csv.gz`)).toString(),
    trace: existsSync(trace) ? gunzipSync(readFileSync(trace)) : undefined,
    figures: JSON.parse(readFileSync(`${base}.json`, 'utf8')) as ReferenceFigures,
  };
}

/** A run without its trace: that of an idle pCPU of Xen 4.6 is endless, and layouts differ. */
export function runUntraced(reference: Reference) {
  const { scenario } = reference;
  return runScenario({ ...scenario, trace: { ...scenario.trace, eventMask: 0 } });
}
