import { JOB_MISSED, type JobBatch } from '../../timeline/index.ts';
import { isVcpu } from '../linux-ids.ts';
import type { Annotation } from './names.ts';
import type { Annotations, PacketWriter } from './packet-writer.ts';
import type { Tracks } from './tracks.ts';

/**
 * A slice for each job, from its release, or the completion of the one before it, to its completion: slices of one
 * track do not overlap, and a guest works its jobs off in turn. A missed deadline is a mark where it was.
 */
export class JobSlices {
  readonly #writer: PacketWriter;
  readonly #tracks: Tracks;
  /** By track: where its last slice ends. */
  readonly #endNs = new Map<number, number>();

  constructor(writer: PacketWriter, tracks: Tracks) {
    this.#writer = writer;
    this.#tracks = tracks;
  }

  onJobs(batch: JobBatch): void {
    for (let row = 0; row < batch.count; row++) this.#job(batch, row);
  }

  #job(batch: JobBatch, row: number): void {
    if (!isVcpu(batch.dom[row] * 0x10000)) return;
    const track = this.#tracks.task(batch.dom[row], batch.task[row]);
    const releaseNs = batch.releaseNs[row];
    const completionNs = batch.completionNs[row];
    const annotations = annotationsOf(batch, row);
    if (!Number.isNaN(completionNs)) {
      const seenNs = Number.isNaN(releaseNs) ? batch.startNs[row] : releaseNs;
      const beginNs = Number.isNaN(seenNs) ? completionNs : Math.max(seenNs, this.#endNs.get(track) ?? 0);
      this.#writer.slice(Math.min(beginNs, completionNs), completionNs, track, 'job', annotations);
      this.#endNs.set(track, completionNs);
    } else if (!Number.isNaN(releaseNs)) {
      this.#writer.instant(releaseNs, track, 'job not completed', annotations);
    }
    if (batch.missed[row] === JOB_MISSED) {
      this.#writer.instant(batch.deadlineNs[row], track, 'deadline missed', [['job', batch.job[row]]]);
    }
  }
}

function annotationsOf(batch: JobBatch, row: number): Annotations {
  const all: [Annotation, number][] = [
    ['job', batch.job[row]],
    ['release_ns', batch.releaseNs[row]],
    ['start_ns', batch.startNs[row]],
    ['deadline_ns', batch.deadlineNs[row]],
    ['execution_ns', batch.executionNs[row]],
  ];
  return all.filter(([, value]) => !Number.isNaN(value));
}
