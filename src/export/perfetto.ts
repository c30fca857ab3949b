/**
 * A trace as Perfetto's protobuf: vCPUs are threads, domains processes, pCPUs CPUs. docs/exports.md says what becomes
 * what.
 * @module
 */
import { type Analysis, type AnalysisRun, analyzeTrace, type Selection } from '../analysis/index.ts';
import type { TraceClock } from '../decoder/index.ts';
import type { OutputSink } from '../tables/byte-sink.ts';
import type { FileExporter } from './exporters.ts';
import { JobSlices } from './perfetto/job-slices.ts';
import { PacketWriter } from './perfetto/packet-writer.ts';
import { RecordTracks } from './perfetto/record-tracks.ts';
import { Tracks } from './perfetto/tracks.ts';
import { VcpuStates } from './perfetto/vcpu-states.ts';
import { WaitingCounters } from './perfetto/waiting-counters.ts';

export const exportTrace: FileExporter['exportTrace'] = (trace, sink, selection = {}) => {
  analyzeTrace(trace, { analyses: [perfettoPass(sink, trace.clock, selection)], selection });
};

/** A pass that answers with no table but writes packets as it goes. */
function perfettoPass(sink: OutputSink, clock: TraceClock, selection: Selection): Analysis {
  return {
    name: 'perfetto',
    title: 'Perfetto',
    doc: 'Packets of states, counters, jobs and losses.',
    create({ catalog }): AnalysisRun {
      const writer = new PacketWriter(sink);
      const tracks = new Tracks(writer);
      const states = new VcpuStates(writer, tracks, selection);
      const jobs = new JobSlices(writer, tracks);
      const waiting = new WaitingCounters(writer, tracks);
      const records = new RecordTracks(writer, tracks, catalog, clock);
      return {
        listener: {
          onRunstates: (batch) => states.onRunstates(batch),
          onJobs: (batch) => jobs.onJobs(batch),
          onTransitions(batch) {
            states.onTransitions(batch);
            waiting.onTransitions(batch);
          },
        },
        onRecords: (batch) => records.onRecords(batch),
        finish() {
          waiting.finish();
          writer.flush();
          return [];
        },
      };
    },
  };
}
