/**
 * Prints, for each scenario and version of Xen, the first difference between the simulator and the reference
 * results, and at the end how many agree: node test/simulator/differences.mjs SCHEDULER [PART-OF-NAME]...
 */
import { join } from 'node:path';
import { runnerImport } from 'vite';

const load = async (file) => (await runnerImport(join(import.meta.dirname, file))).module;
const { firstDifference, REFERENCE_VERSIONS, readReference, runScenario } = await load('fidelity.ts');
const { REFERENCE_ROOT, referenceScenarios } = await load('reference-folder.ts');

const [scheduler = 'credit2', ...parts] = process.argv.slice(2);
const names = referenceScenarios(REFERENCE_ROOT, scheduler).filter(
  (name) => parts.length === 0 || parts.some((part) => name.includes(part)),
);
for (const version of Object.keys(REFERENCE_VERSIONS)) {
  let same = 0;
  let traces = 0;
  let switches = 0;
  let events = 0;
  let ms = 0;
  for (const name of names) {
    const reference = readReference(REFERENCE_ROOT, name, version);
    const began = performance.now();
    let difference;
    try {
      const run = runScenario(reference.scenario);
      ms += performance.now() - began;
      events += run.events;
      difference = firstDifference(run, reference);
    } catch (error) {
      difference = error instanceof Error ? error.stack : String(error);
    }
    if (difference !== undefined) {
      console.log(`${version} ${name}: ${difference}`);
      continue;
    }
    same += 1;
    switches += reference.switches.split('\n').length - 2;
    if (reference.trace !== undefined) traces += 1;
  }
  console.log(
    `Xen ${version}: ${same} of ${names.length} ${scheduler} scenarios agree in all ${switches} ` +
      `switches and in figures, ${traces} of them also in all trace bytes; ` +
      `${events} events at ${Math.round(events / ms)} thousand per second`,
  );
}
