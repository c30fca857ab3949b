import { readFileSync } from 'node:fs';
import { analyses, analyzeTrace, type ResultTable } from '../analysis/index.ts';
import type { FigureTable } from '../compare/index.ts';
import { openTrace } from '../decoder/index.ts';
import {
  createTraceRings,
  MemorySink,
  parseRecorderOptions,
  planRecording,
  record,
  recordToFile,
} from '../recorder/index.ts';
import { parseScenario, type Scenario, scenarioDomainParameters } from '../scenario/index.ts';
import { Simulation } from '../simulator/index.ts';
import { refuseBeyond, type SelectionOptions, selectionOf } from './selection-options.ts';

/** One run of one variant of a scenario: all that its result depends on. Plain values, for worker threads. */
export interface RunTask {
  readonly text: string;
  readonly fileName: string;
  readonly xen?: string | undefined;
  readonly scheduler?: string | undefined;
  readonly durationNs?: number | undefined;
  readonly seed: number;
  readonly windowNs: number;
  /** The part of the run that is looked at. */
  readonly selection: SelectionOptions;
  /** Names of passes; all, without their details, unless given. */
  readonly passes?: readonly string[] | undefined;
}

/** What a run says, as it is kept in a file. */
export interface RunResult {
  readonly scenario: string;
  readonly scheduler: string;
  readonly xen: string;
  readonly seed: number;
  /** Length of the part that was looked at. */
  readonly spanNs: number;
  readonly records: number;
  readonly lostRecords: number;
  readonly tables: readonly FigureTable[];
}

/**
 * Simulates, records as `xenscope record` does, and analyses what the trace says; a trace goes to `tracePath`
 * where one is given, else it stays in memory. Throws UserError for what is wrong with the scenario or the
 * file.
 */
export async function runSimulation(task: RunTask, tracePath?: string): Promise<RunResult> {
  const scenario = scenarioOf(task);
  const plan = planRecording(parseRecorderOptions({}), scenario);
  const rings = createTraceRings(plan);
  const simulation = new Simulation(scenario, rings);
  let trace: Uint8Array;
  if (tracePath === undefined) {
    const sink = new MemorySink();
    record(simulation, rings, plan, sink);
    trace = sink.bytes();
  } else {
    recordToFile(simulation, rings, plan, tracePath);
    trace = readFileSync(tracePath);
  }
  const reader = await openTrace(trace);
  const { passes } = task;
  const selection = selectionOf(task.selection);
  const { tables, fromNs, endNs, spanNs } = analyzeTrace(reader, {
    analyses: passes ? analyses.filter(({ name }) => passes.includes(name)) : analyses,
    domainParameters: scenarioDomainParameters(scenario),
    windowNs: task.windowNs,
    selection,
  });
  refuseBeyond(selection, spanNs, task.fileName);
  const { records, lostRecords } = reader.counts();
  reader.close();
  return {
    scenario: scenario.name,
    scheduler: scenario.scheduler,
    xen: scenario.xen,
    seed: task.seed,
    spanNs: endNs - fromNs,
    records,
    lostRecords,
    tables: comparedTables(tables, passes !== undefined).map(figureTable),
  };
}

/** The scenario of a task. Throws UserError for its mistakes. */
export function scenarioOf({ text, fileName, xen, scheduler, durationNs, seed }: RunTask): Scenario {
  return parseScenario(text, fileName, { xen, scheduler, durationNs, seed });
}

/** Details (worst instants, series over time) are compared only where their pass was asked for by name. */
export function comparedTables(tables: readonly ResultTable[], named: boolean): readonly ResultTable[] {
  return tables.filter(({ detail }) => named || !detail);
}

function figureTable({ name, columns, rows, sampleColumn }: ResultTable): FigureTable {
  return {
    name,
    columns: columns.map(({ doc, ...column }) => column),
    rows,
    ...(sampleColumn === undefined ? {} : { sampleColumn }),
  };
}
