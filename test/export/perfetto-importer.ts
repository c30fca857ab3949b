/**
 * What Perfetto makes of a file: its official schema reads the packets, and the rules of its importer (google/perfetto
 * v58, src/trace_processor/importers/: generic_kernel/generic_kernel_parser.cc, common/thread_state_tracker.cc,
 * proto/track_event_{tokenizer,tracker}.cc, ftrace/ftrace_parser.cc), written down anew and as short as they can be, turn
 * them into the tables that its SQL shows. What it would count as an error is in `errors`.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import protobuf from 'protobufjs';

const schema = protobuf.parse(readFileSync(join(import.meta.dirname, 'perfetto.proto'), 'utf8'), {
  keepCase: true,
}).root;
const TracePacket = schema.lookupType('perfetto.protos.TracePacket');
/** BuiltinClock.BUILTIN_CLOCK_BOOTTIME */
const BOOTTIME = 6;
/** Sizes in the importer that end the import when they are exceeded. */
const FTRACE_CPUS_MAX = 1024;
const CPUS_MAX = 4096;
const STATES = ['', 'Created', 'R', 'Running', 'S', 'D', 'T', 'Z', 'X'];

export interface Slice {
  readonly track: string;
  readonly name: string;
  readonly startNs: number;
  /** Undefined: it did not end. */
  endNs?: number;
  readonly args: Record<string, number>;
}

export interface ThreadState {
  readonly tid: number;
  readonly tNs: number;
  state: string;
  endNs?: number;
  readonly cpu?: number;
  readonly waker?: number;
}

export interface SchedSlice {
  readonly cpu: number;
  readonly tid: number;
  readonly startNs: number;
  endNs?: number;
}

export interface Imported {
  readonly packets: number;
  readonly threads: Map<number, { name: string; pid: number; isIdle: boolean }>;
  readonly processes: Map<number, string>;
  readonly threadStates: ThreadState[];
  readonly schedSlices: SchedSlice[];
  readonly slices: Slice[];
  readonly counters: { track: string; unit: string; tNs: number; value: number }[];
  readonly errors: string[];
}

// biome-ignore lint/suspicious/noExplicitAny: what a schema reads is of any shape
export type Packet = Record<string, any>;

/** Packets of a trace between two that are checked for fields that the schema does not have. */
const CHECK_EVERY = 29;

/** Reads the packets one by one, and refuses what the schema does not have. */
export function readPackets(bytes: Uint8Array): Packet[] {
  const packets: Packet[] = [];
  const reader = protobuf.Reader.create(bytes);
  while (reader.pos < reader.len) {
    if (reader.uint32() !== ((1 << 3) | 2)) throw new Error(`no packet at ${reader.pos}`);
    const end = reader.uint32() + reader.pos;
    const message = TracePacket.decode(bytes.subarray(reader.pos, end));
    const packet = TracePacket.toObject(message, { longs: Number, enums: String });
    if (packets.length % CHECK_EVERY === 0 || packets.length < 1000) {
      // What the schema knows, written again, is as long as what was read, if nothing is unknown to it.
      const again = TracePacket.encode(TracePacket.fromObject(packet)).finish();
      if (again.length !== end - reader.pos) throw new Error(`unknown fields in ${JSON.stringify(packet)}`);
    }
    packets.push(packet);
    reader.pos = end;
  }
  return packets;
}

/** @param ftraceFirst whether ftrace's events come before others of the same time: the importer promises neither */
export function importPerfetto(packets: readonly Packet[], { ftraceFirst = false } = {}): Imported {
  const importer = new Importer(packets.length);
  const events = packets.flatMap((packet, order) => importer.tokenize(packet, order, ftraceFirst));
  events.sort((a, b) => a.tNs - b.tNs || a.queue - b.queue || a.order - b.order);
  for (const { parse } of events) parse();
  return importer;
}

interface Event {
  readonly tNs: number;
  readonly queue: number;
  readonly order: number;
  readonly parse: () => void;
}

class Importer implements Imported {
  readonly packets: number;
  readonly threads: Imported['threads'] = new Map();
  readonly processes = new Map<number, string>();
  readonly threadStates: ThreadState[] = [];
  readonly schedSlices: SchedSlice[] = [];
  readonly slices: Slice[] = [];
  readonly counters: Imported['counters'] = [];
  readonly errors: string[] = [];
  readonly #names = new Map<number, string>();
  readonly #annotations = new Map<number, string>();
  #cleared = false;
  readonly #tracks = new Map<number, Packet>();
  readonly #open = new Map<number, Slice[]>();
  readonly #last = new Map<number, ThreadState>();
  readonly #pending: (SchedSlice | undefined)[] = [];
  /** By thread: its run that another thread's begin has ended. */
  readonly #hanging = new Map<number, SchedSlice>();

  constructor(packets: number) {
    this.packets = packets;
  }

  tokenize(packet: Packet, order: number, ftraceFirst: boolean): Event[] {
    const { timestamp: tNs, sequence_flags: flags = 0 } = packet;
    const sequence = packet.trusted_packet_sequence_id;
    // Such a packet stays where it is when a manifest moves the trace beside others.
    if (tNs !== undefined && packet.timestamp_clock_id !== BOOTTIME) this.errors.push('a time of no clock');
    if (flags & 1) this.#cleared = true;
    if (flags & 2 && !this.#cleared) this.errors.push('needs incremental state');
    const { interned_data: interned, track_descriptor: track } = packet;
    for (const { iid, name } of interned?.event_names ?? []) this.#names.set(iid, name);
    for (const { iid, name } of interned?.debug_annotation_names ?? []) this.#annotations.set(iid, name);
    if (track) this.#describe(track);
    const event = (queue: number, parse: () => void): Event[] => [{ tNs, queue, order, parse }];
    if (packet.track_event) {
      if (!sequence) this.errors.push('track event without sequence');
      return event(1, () => this.#trackEvent(tNs, packet.track_event));
    }
    if (packet.generic_kernel_process_tree) {
      return event(0, () => this.#processTree(packet.generic_kernel_process_tree));
    }
    if (packet.generic_kernel_task_state_event) {
      return event(0, () => this.#taskState(tNs, packet.generic_kernel_task_state_event));
    }
    if (packet.ftrace_events) {
      const { cpu, event: all } = packet.ftrace_events;
      if (!(cpu >= 0 && cpu < FTRACE_CPUS_MAX)) throw new Error(`ftrace of cpu ${cpu}: import ends`);
      return all.map(({ timestamp, pid, sched_waking }: Packet) => {
        if (pid === undefined) throw new Error('ftrace event without pid: import ends');
        const parse = () => this.#waking(timestamp, sched_waking.pid, pid);
        return { tNs: timestamp, queue: ftraceFirst ? -1 : 2, order, parse };
      });
    }
    return [];
  }

  #describe(track: Packet): void {
    const { uuid, parent_uuid, process, thread } = track;
    if (!uuid) this.errors.push('track without uuid');
    if (this.#tracks.has(uuid)) this.errors.push(`track ${uuid} twice`);
    if (parent_uuid && !this.#tracks.has(parent_uuid)) this.errors.push(`track ${uuid} before its parent`);
    if (thread && !(thread.pid > 0 && thread.tid > 0)) this.errors.push(`track ${uuid} of no thread`);
    if (process && !(process.pid > 0)) this.errors.push(`track ${uuid} of no process`);
    this.#tracks.set(uuid, track);
  }

  #trackName(uuid: number): string {
    const { name, parent_uuid, thread, process } = this.#tracks.get(uuid) ?? {};
    if (thread) return this.threads.get(thread.tid)?.name ?? `thread ${thread.tid}`;
    if (process) return process.process_name;
    return parent_uuid ? `${this.#trackName(parent_uuid)}/${name}` : name;
  }

  #trackEvent(tNs: number, event: Packet): void {
    const { type, track_uuid: uuid } = event;
    const track = this.#tracks.get(uuid);
    if (track === undefined) {
      this.errors.push(`no track ${uuid}`);
      return;
    }
    if ((type === 'TYPE_COUNTER') !== (track.counter !== undefined)) this.errors.push('wrong kind of track');
    const open = this.#open.get(uuid) ?? [];
    this.#open.set(uuid, open);
    if (type === 'TYPE_COUNTER') {
      const unit = track.counter.unit.replace('UNIT_', '');
      this.counters.push({ track: this.#trackName(uuid), unit, tNs, value: event.counter_value });
    } else if (type === 'TYPE_SLICE_END') {
      const slice = open.pop();
      if (slice) slice.endNs = tNs;
      else this.errors.push('slice ends that did not begin');
    } else {
      const name = this.#names.get(event.name_iid) ?? event.name;
      if (!name) this.errors.push('slice without name');
      const args = Object.fromEntries(
        (event.debug_annotations ?? []).map(({ name_iid, int_value }: Packet) => {
          const key = this.#annotations.get(name_iid);
          if (key === undefined) this.errors.push('annotation without name');
          return [key, int_value];
        }),
      );
      const slice: Slice = { track: this.#trackName(uuid), name, startNs: tNs, args };
      this.slices.push(slice);
      if (type === 'TYPE_INSTANT') slice.endNs = tNs;
      else open.push(slice);
    }
  }

  #processTree({ processes = [], threads = [] }: Packet): void {
    for (const { pid, cmdline } of processes) this.processes.set(pid, cmdline);
    for (const { tid, pid, comm, is_main_thread, is_idle } of threads) {
      if (is_main_thread !== (tid === pid)) this.errors.push(`thread ${tid} main of ${pid}?`);
      this.threads.set(tid, { name: comm, pid, isIdle: is_idle });
    }
  }

  #taskState(tNs: number, { cpu, tid, state: name }: Packet): void {
    const states = schema.lookupEnum('perfetto.protos.GenericKernelTaskStateEvent.TaskStateEnum').values;
    const state = STATES[states[name] as number] as string;
    if (!state || state === 'Created') this.errors.push(`state ${name}`);
    if (!(cpu >= 0 && cpu < CPUS_MAX)) throw new Error(`cpu ${cpu}: the importer would crash`);
    if (state === 'Running' && this.#last.get(tid)?.state === 'Running') {
      this.errors.push(`${tid} runs twice at ${tNs}`);
      return;
    }
    const pending = this.#pending[cpu];
    if (state === 'Running') {
      if (pending) {
        pending.endNs = tNs;
        this.#hanging.set(pending.tid, pending);
        this.#push(tNs, pending.tid, '');
      }
      const slice: SchedSlice = { cpu, tid, startNs: tNs };
      this.schedSlices.push(slice);
      this.#pending[cpu] = slice;
    } else if (pending !== undefined && pending.tid === tid) {
      pending.endNs = tNs;
      this.#pending[cpu] = undefined;
    } else if (this.#hanging.get(tid)?.endNs === tNs) {
      this.#hanging.delete(tid);
      this.#last.get(tid)!.state = state;
      return;
    }
    this.#push(tNs, tid, state, state === 'Running' ? cpu : undefined);
  }

  #waking(tNs: number, tid: number, waker: number): void {
    const state = this.#last.get(tid)?.state;
    if (state === 'R' || state === 'Running') this.errors.push(`spurious wake-up of ${tid} at ${tNs}`);
    else this.#push(tNs, tid, 'R', undefined, waker);
  }

  #push(tNs: number, tid: number, state: string, cpu?: number, waker?: number): void {
    const last = this.#last.get(tid);
    if (last) last.endNs = tNs;
    if (last?.tNs === tNs) this.errors.push(`two states of ${tid} at ${tNs}`);
    const row: ThreadState = {
      tid,
      tNs,
      state,
      ...(cpu === undefined ? {} : { cpu }),
      ...(waker === undefined ? {} : { waker }),
    };
    this.threadStates.push(row);
    this.#last.set(tid, row);
  }
}
