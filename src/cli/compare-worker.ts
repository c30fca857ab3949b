/**
 * A worker thread of `xenscope compare`: does one run after the other.
 * @module
 */
import { parentPort } from 'node:worker_threads';
import { collectBeforeExit } from '../base/collect-before-exit.ts';
import { UserError } from '../base/errors.ts';
import { type RunTask, runSimulation } from './simulated-run.ts';

/** To a worker. */
export interface RunRequest {
  readonly index: number;
  readonly task: RunTask;
  readonly tracePath: string | undefined;
}

/** From a worker: the result as JSON, or what was wrong. */
export type RunReply =
  | { readonly index: number; readonly json: string }
  | { readonly index: number; readonly code: string | undefined; readonly message: string };

parentPort?.on('message', async ({ index, task, tracePath }: RunRequest) => {
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
  // Who is told of the last run ends this thread at once.
  collectBeforeExit();
  parentPort?.postMessage(reply);
});
