/** The real xenalyze reads traces in which the toolstack is busy without a remark, as it does quiet ones. */
import { describe, expect, test } from 'vitest';
import {
  createTraceRings,
  MemorySink,
  parseRecorderOptions,
  planRecording,
  record,
} from '../../src/recorder/index.ts';
import { Simulation } from '../../src/simulator/index.ts';
import { randomActions } from '../simulator/random-actions.ts';
import { whyNoXenalyze, xenalyzeRemarks } from './xenalyze.ts';

if (whyNoXenalyze) console.warn(whyNoXenalyze);

describe.skipIf(whyNoXenalyze)('xenalyze', () => {
  test.each(Array.from({ length: 30 }, (_, i) => 1001 + i))('has nothing to say against seed %i', (seed) => {
    const scenario = randomActions(seed);
    const plan = planRecording(parseRecorderOptions({}), scenario);
    const rings = createTraceRings(plan);
    const out = new MemorySink();
    record(new Simulation(scenario, rings), rings, plan, out);
    expect(xenalyzeRemarks(out.bytes())).toEqual([]);
  });
});
