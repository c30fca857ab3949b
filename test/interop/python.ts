import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const PACKAGES = ['pyarrow', 'pandas', 'polars'];
const INSTALL_MS = 90_000;
/** Installed once and kept beside the other things that npm's folder keeps for tools. */
const VENV = join(import.meta.dirname, '..', '..', 'node_modules', '.cache', 'xenscope-interop-python');

/** A Python that can import the notebook packages, or why there is none. */
export type Python = { readonly command: string } | { readonly reason: string };

/**
 * Looks for a Python that has them, and else installs them into an environment of its own: from wheels only, without
 * waiting long for a package index that is out of reach.
 */
export function findPython(): Python {
  const inVenv = join(VENV, 'bin', 'python');
  for (const command of ['python3', inVenv]) if (canImport(command)) return { command };
  const failure =
    attempt('python3', ['--version'], 10_000) ??
    attempt('python3', ['-m', 'venv', VENV], 60_000) ??
    installInto(inVenv);
  if (failure === undefined && canImport(inVenv)) return { command: inVenv };
  rmSync(VENV, { recursive: true, force: true });
  return { reason: failure ?? 'the packages were installed but cannot be imported' };
}

function canImport(command: string): boolean {
  if (command.includes('/') && !existsSync(command)) return false;
  return attempt(command, ['-c', `import ${PACKAGES.join(', ')}`], 60_000) === undefined;
}

function installInto(python: string): string | undefined {
  mkdirSync(VENV, { recursive: true });
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-input'];
  const quick = ['--timeout', '5', '--retries', '0', '--only-binary', ':all:'];
  return attempt(python, [...pip, ...quick, ...PACKAGES], INSTALL_MS);
}

/** Undefined when it worked, else why not, in a line. */
function attempt(command: string, args: readonly string[], timeoutMs: number): string | undefined {
  try {
    execFileSync(command, args, { stdio: 'pipe', timeout: timeoutMs });
    return undefined;
  } catch (error) {
    const { message, stderr } = error as Error & { stderr?: Buffer };
    const lines = String(stderr ?? '')
      .split('\n')
      .filter((line) => /error/i.test(line));
    return `${command} ${args.slice(0, 3).join(' ')}: ${lines.at(-1) ?? message.split('\n')[0]}`;
  }
}
