import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { UserError } from '../base/errors.ts';
import type { RunReply, RunRequest } from './compare-worker.ts';

const WORKER = new URL(`./compare-worker${extname(fileURLToPath(import.meta.url))}`, import.meta.url);

/**
 * Does all runs on `workers` threads; `onResult` is told of each as it is done, in no order. When a run fails
 * the others are given up.
 *
 * Throws UserError for a mistake of the user that a run meets; Error for one of this program.
 */
export async function doRuns(
  requests: readonly RunRequest[],
  workers: number,
  onResult: (index: number, json: string) => void,
): Promise<void> {
  const queue = requests.values();
  const threads: Worker[] = [];
  const work = () =>
    new Promise<void>((resolve, reject) => {
      const thread = new Worker(WORKER);
      threads.push(thread);
      const next = () => {
        const { value, done } = queue.next();
        if (done) thread.once('exit', () => resolve());
        thread.postMessage(done ? null : value);
      };
      thread.on('error', reject);
      thread.on('message', (reply: RunReply) => {
        try {
          onResult(reply.index, resultOf(reply));
          next();
        } catch (error) {
          reject(error);
        }
      });
      next();
    });
  try {
    await Promise.all(Array.from({ length: Math.min(workers, requests.length) }, work));
  } finally {
    await Promise.all(threads.map((thread) => thread.terminate()));
  }
}

function resultOf(reply: RunReply): string {
  if ('json' in reply) return reply.json;
  if (reply.code === undefined) throw new Error(reply.message);
  throw new UserError(reply.code, reply.message);
}
