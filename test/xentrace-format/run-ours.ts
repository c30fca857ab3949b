import { writeFileSync } from 'node:fs';
import { DiagnosticLog } from '../../src/decoder/index.ts';
import { TextOutput } from '../../src/xenalyze/text-output.ts';
import { formatInFileOrder, parseRules, RecordPrinter } from '../../src/xentrace-format/index.ts';

export interface Outcome {
  readonly stdout: Buffer;
  /** The codes of what was told. */
  readonly told: readonly string[];
}

/** Formats a trace in this process, in file order. `path` is where it is kept meanwhile. */
export async function runOurs(
  definitions: string,
  trace: Uint8Array,
  path: string,
  mhz = 0,
): Promise<Outcome> {
  writeFileSync(path, trace);
  const pieces: Buffer[] = [];
  const out = new TextOutput((bytes) => pieces.push(Buffer.from(bytes)));
  const log = new DiagnosticLog();
  await formatInFileOrder(path, new RecordPrinter(parseRules(definitions, 'defs'), mhz, out, log));
  out.flush();
  return { stdout: Buffer.concat(pieces), told: log.rows().map(({ code }) => code) };
}
