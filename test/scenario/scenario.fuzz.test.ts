import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/base/errors.ts';
import { Prng } from '../../src/base/prng.ts';
import { parseScenario } from '../../src/scenario/index.ts';

const samples = fileURLToPath(new URL('../../samples', import.meta.url));
const texts = readdirSync(samples)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => readFileSync(`${samples}/${name}`, 'utf8'));
texts.push(
  '{"name": "p1", "sched": "rtds", "duration_ns": 5000000000, "pcpus": 8, "topology": {"sockets": 2, "cores": 2, ' +
    '"threads": 2}, "params": {}, "domains": [{"id": 1, "weight": 256, "cap": 50, "vcpus": [{"workload": ' +
    '"duty 987736 792358 11595475", "count": 2, "offset_step_ns": 5, "hard": [0, 1], "rtds": {"period_us": 10000, ' +
    '"budget_us": 1000, "extratime": false}}]}]}',
);

/** What YAML, the language or a hurried hand puts where it does not belong. */
const SPLINTERS = [
  ...[
    '{',
    '}',
    '[',
    ']',
    ':',
    ': ',
    ',',
    '- ',
    '\n',
    '\n  ',
    '\t',
    '"',
    "'",
    '#',
    '|',
    '>',
    '&a ',
    '*a',
    '!!',
    '!x ',
  ],
  ...[
    '<<: *a',
    '? ',
    '---\n',
    '...',
    '%',
    '@',
    '`',
    '~',
    'null',
    'true',
    '-1',
    '0',
    '1e999',
    '.nan',
    '-.inf',
    '0x',
  ],
  ...[
    '99999999999999999999999',
    '5ms',
    '1.5',
    '0-3,^2',
    'all',
    'uniform(1ms..2ms)',
    'exponential(',
    'hog',
    '__proto__',
  ],
  ...['constructor', 'weight', 'domains', 'vcpus:', '\u0000', '\ud800', '\ufeff', '\u2028', 'é', '💥'],
] as const;

function mutate(text: string, prng: Prng): string {
  let mutant = text;
  for (let rounds = 1 + prng.below(4); rounds > 0; rounds -= 1) {
    const at = prng.below(mutant.length + 1);
    const length = prng.below(prng.below(4) === 0 ? 200 : 8);
    const rest = mutant.slice(at + length);
    switch (prng.below(5)) {
      case 0:
        mutant = mutant.slice(0, at) + rest;
        break;
      case 1:
        mutant = mutant.slice(0, at) + SPLINTERS[prng.below(SPLINTERS.length)]! + mutant.slice(at);
        break;
      case 2:
        mutant = mutant.slice(0, at) + SPLINTERS[prng.below(SPLINTERS.length)]! + rest;
        break;
      case 3: {
        const from = prng.below(mutant.length + 1);
        mutant = mutant.slice(0, at) + mutant.slice(from, from + 1 + length) + mutant.slice(at);
        break;
      }
      default:
        mutant =
          prng.below(20) === 0
            ? mutant.slice(0, at)
            : mutant.replace(/\d+/g, (d) => (prng.below(9) ? d : `${at}`));
    }
  }
  return mutant;
}

describe('mutated scenarios', () => {
  it('end as a scenario or as a user error with a position in the text, never otherwise', () => {
    const root = Prng.fromSeed(20_261);
    const ends = { scenario: 0, error: 0 };
    for (let run = 0; run < 4000; run += 1) {
      const prng = root.fork(`run ${run}`);
      const mutant = mutate(texts[prng.below(texts.length)]!, prng);
      try {
        const scenario = parseScenario(mutant, 'mutant.yaml');
        expect(scenario.host.pcpus).toBeGreaterThanOrEqual(1);
        expect(Number.isSafeInteger(scenario.durationNs) && scenario.durationNs > 0).toBe(true);
        ends.scenario += 1;
      } catch (error) {
        if (!(error instanceof UserError))
          throw new Error(`run ${run}: ${JSON.stringify(mutant)}`, { cause: error });
        for (const line of error.message.split('\n')) expect(line).toMatch(/^mutant\.yaml:\d+:\d+: \S/);
        ends.error += 1;
      }
    }
    // Both ends are reached often, or the mutations are too weak or too strong to say anything.
    expect(ends.scenario).toBeGreaterThan(200);
    expect(ends.error).toBeGreaterThan(1000);
  });
});
