/**
 * Writes down the digests of the reference results of a scheduler, with the scenarios:
 * node test/simulator/make-digests.mjs SCHEDULER. Needs the whole collection; see reference/README.md.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runnerImport } from 'vite';

const load = async (file) => (await runnerImport(join(import.meta.dirname, file))).module;
const { REFERENCE_VERSIONS, readReference } = await load('fidelity.ts');
const { digestOfReference } = await load('digest.ts');
const { REFERENCE_PART, REFERENCE_ROOT, referenceScenarios } = await load('reference-folder.ts');

const [scheduler = 'credit2'] = process.argv.slice(2);
if (REFERENCE_ROOT === REFERENCE_PART) throw new Error('the collection of reference results is not here');
const lines = referenceScenarios(REFERENCE_ROOT, scheduler).map((name) => {
  const scenario = JSON.parse(readFileSync(join(REFERENCE_ROOT, 'scenarios', `${name}.json`), 'utf8'));
  const digests = Object.fromEntries(
    Object.keys(REFERENCE_VERSIONS).map((version) => [
      version,
      digestOfReference(readReference(REFERENCE_ROOT, name, version)),
    ]),
  );
  return JSON.stringify({ scenario, digests });
});
writeFileSync(join(REFERENCE_PART, `digests-${scheduler}.jsonl`), `${lines.join('\n')}\n`);
