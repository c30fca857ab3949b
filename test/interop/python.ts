import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TestContext } from 'vitest';

const PACKAGES = ['pyarrow', 'pandas', 'polars', 'duckdb', 'matplotlib'];
const INSTALL_MS = 120_000;
/** Longer than an installation takes: who holds the lock longer died. */
const LOCK_MS = 240_000;
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
  return locked(() => install(inVenv));
}

/** Runs a script that prints JSON. Where there is no Python for it the test is skipped, and standard error says why. */
export function runPython<T>(python: Python, context: TestContext, words: readonly string[]): T {
  if ('reason' in python) {
    process.stderr.write(`skipped ${context.task.name}: ${python.reason}\n`);
    context.skip(python.reason);
    throw new Error('skipped');
  }
  return JSON.parse(
    execFileSync(python.command, words, { encoding: 'utf8', maxBuffer: 1 << 30, stdio: 'pipe' }),
  );
}

function install(inVenv: string): Python {
  if (canImport(inVenv)) return { command: inVenv }; // Another test file was quicker.
  const failure =
    attempt('python3', ['--version'], 10_000) ??
    attempt('python3', ['-m', 'venv', VENV], 60_000) ??
    installInto(inVenv);
  if (failure === undefined && canImport(inVenv)) return { command: inVenv };
  rmSync(VENV, { recursive: true, force: true });
  return { reason: failure ?? 'the packages were installed but cannot be imported' };
}

/** Test files run side by side, and all want the same environment. */
function locked<T>(action: () => T): T {
  const lock = `${VENV}.lock`;
  const pause = new Int32Array(new SharedArrayBuffer(4));
  mkdirSync(dirname(VENV), { recursive: true });
  for (;;) {
    try {
      mkdirSync(lock);
      break;
    } catch {
      const heldMs = Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
      if (heldMs > LOCK_MS) rmSync(lock, { recursive: true, force: true });
      Atomics.wait(pause, 0, 0, 200);
    }
  }
  try {
    return action();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
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
