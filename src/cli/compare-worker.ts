/**
 * A worker thread of `xenscope compare`: does one run after the other.
 * @module
 */
import { parentPort } from 'node:worker_threads';
import { collectBeforeExit } from '../base/collect-before-exit.ts';
import { UserError } from '../base/errors.ts';
import { type RunTask, runSimulation } from './simulated-run.ts';

/** To a worker; null: there are no more. */
export interface RunRequest {
  readonly index: number;
  readonly task: RunTask;
  readonly tracePath: string | undefined;
}

/** From a worker: the result as JSON, or what was wrong. */
export type RunReply =
  | { readonly index: number; readonly json: string }
  | { readonly index: number; readonly code: string | undefined; readonly message: string };

parentPort?.on('message', async (request: RunRequest | null) => {
  if (request === null) {
    // Not after each run: what is collected is compiled code, too.
    collectBeforeExit();
    parentPort?.close();
    return;
  }
  const { index, task, tracePath } = request;
  let reply: RunReply;
  try {
    reply = { index, json: JSON.stringify(await runSimulation(task, tracePath)) };
  } catch (error) {
    const code = error instanceof UserError ? error.code : undefined;
    reply = {
      index,
      code,
      message: code === undefined ? String((error as Error).stack) : String((error as Error).message),
    };
  }
  parentPort?.postMessage(reply);
});
