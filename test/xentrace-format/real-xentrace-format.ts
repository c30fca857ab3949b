import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** As Debian's xen-utils-common installs it: a script for Python 2 that is called by Python 3. */
const SCRIPT = '/usr/bin/xentrace_format';
const PYENV_VERSIONS = join(process.env.PYENV_ROOT ?? join(homedir(), '.pyenv'), 'versions');

/** What runs the real xentrace_format, or why nothing does. */
export const REAL: { readonly python: string } | { readonly reason: string } = find();

function find(): { python: string } | { reason: string } {
  if (!existsSync(SCRIPT)) return { reason: `there is no ${SCRIPT}` };
  const versions = existsSync(PYENV_VERSIONS) ? readdirSync(PYENV_VERSIONS) : [];
  const ofPyenv = versions
    .filter((name) => name.startsWith('2.'))
    .map((name) => join(PYENV_VERSIONS, name, 'bin/python'));
  const python = ['python2.7', 'python2', ...ofPyenv].find(isPython2);
  return python === undefined ? { reason: 'there is no Python 2' } : { python };
}

function isPython2(command: string): boolean {
  const program = 'import sys; sys.exit(sys.version_info[0] != 2 or sys.maxint < 2 ** 63 - 1)';
  return spawnSync(command, ['-c', program]).status === 0;
}

export interface RealOutcome {
  readonly stdout: Buffer;
  readonly stderr: string;
  readonly status: number | null;
}

/** Runs it over a trace with its own arguments. */
export function runReal(argv: readonly string[], trace: Uint8Array): RealOutcome {
  if ('reason' in REAL) throw new Error(REAL.reason);
  const { stdout, stderr, status, error } = spawnSync(REAL.python, [SCRIPT, ...argv], {
    input: trace,
    maxBuffer: 2 ** 28,
  });
  if (stdout === null) throw error ?? new Error('no output');
  return { stdout, stderr: stderr.toString(), status };
}
