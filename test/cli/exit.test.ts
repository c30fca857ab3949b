import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { MAIN } from './run-cli.ts';

const TRACE = fileURLToPath(new URL('../../samples/traces/credit-caps.trace', import.meta.url));

/**
 * V8 is told to compile more slowly and to collect all garbage at once: compilers in the background are still at work
 * when the run is over, and need memory when a collection is due. Four runs in ten never ended so.
 */
const SLOW_COMPILERS = ['--no-incremental-marking', '--concurrent-recompilation-delay=5'];

describe('the end of a run', () => {
  test('waits for no compiler that waits for it', async () => {
    const run = async () => {
      const process_ = spawn(process.execPath, [...SLOW_COMPILERS, MAIN, 'info', TRACE], {
        stdio: 'ignore',
        timeout: 30_000,
        killSignal: 'SIGKILL',
      });
      const [code] = await once(process_, 'exit');
      return code;
    };
    const codes: unknown[] = [];
    for (let round = 0; round < 7; round++) codes.push(...(await Promise.all([run(), run()])));
    expect(codes).toEqual(codes.map(() => 0));
  });
});
