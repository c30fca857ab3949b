/**
 * Perfetto's packets as bytes. Field numbers are those of google/perfetto, protos/perfetto/trace/, at v58; a file is a
 * `Trace`, which is no more than packets one after the other.
 * @module
 */
import { PbfWriter } from 'pbf';
import type { OutputSink } from '../../tables/byte-sink.ts';
import { ANNOTATIONS, type Annotation, EVENT_NAMES, type EventName } from './names.ts';

/** Bytes that are written at once. */
const FLUSH_BYTES = 1 << 20;
const TRACE_PACKET = 1;
/** Fields of TracePacket. */
const FTRACE_EVENTS = 1;
const TIMESTAMP = 8;
const SEQUENCE_ID = 10;
const TRACK_EVENT = 11;
const INTERNED_DATA = 12;
const SEQUENCE_FLAGS = 13;
const CLOCK_ID = 58;
const TRACK_DESCRIPTOR = 60;
const TASK_STATE = 117;
const PROCESS_TREE = 122;
/**
 * BuiltinClock.BUILTIN_CLOCK_BOOTTIME. It is every packet's, as one that names no clock stays where it is when
 * Perfetto moves a trace beside others.
 */
const BOOTTIME = 6;
/** Our only sequence. */
const SEQUENCE = 1;
const STATE_CLEARED = 1;
const NEEDS_STATE = 2;

/** TrackEvent.Type. */
const SLICE_BEGIN = 1;
const SLICE_END = 2;
const INSTANT = 3;
const COUNTER = 4;

/** GenericKernelTaskStateEvent.TaskStateEnum. */
export const TASK = { runnable: 2, running: 3, sleeping: 4, uninterruptible: 5, stopped: 6 } as const;

/** A message as its fields in order: numbers are varints. */
export type Message = readonly (readonly [field: number, value: number | string | Message])[];
export type Annotations = readonly (readonly [name: Annotation, value: number])[];

/** What the functions below put into a packet; one object, so that none is made for each packet. */
interface Values {
  tNs: number;
  pcpu: number;
  /** The tid, or the uuid of the track, that it is about. */
  about: number;
  /** The state, waker or value that it tells. */
  told: number;
}

export class PacketWriter {
  readonly #sink: OutputSink;
  readonly #pbf = new PbfWriter(new Uint8Array(2 * FLUSH_BYTES));
  readonly #values: Values = { tNs: 0, pcpu: 0, about: 0, told: 0 };

  /** Writes the packet that all others lean on: the names that they give by number. */
  constructor(sink: OutputSink) {
    this.#sink = sink;
    this.#write([
      [SEQUENCE_ID, SEQUENCE],
      [INTERNED_DATA, [...numbered(EVENT_NAMES, 2), ...numbered(ANNOTATIONS, 3)]],
      [SEQUENCE_FLAGS, STATE_CLEARED],
    ]);
  }

  /** A thread enters a state of {@link TASK}; `pcpu` is where it runs, or ran until now. */
  taskState(tNs: number, pcpu: number, tid: number, state: number): void {
    this.#writeValues(writeTaskState, tNs, pcpu, tid, state);
  }

  /** `waker`, which runs on `pcpu`, wakes `tid`: who is woken becomes runnable. */
  waking(tNs: number, pcpu: number, tid: number, waker: number): void {
    this.#writeValues(writeWaking, tNs, pcpu, tid, waker);
  }

  counter(tNs: number, track: number, value: number): void {
    this.#writeValues(writeCounter, tNs, 0, track, value);
  }

  slice(startNs: number, endNs: number, track: number, name: EventName, annotations: Annotations = []): void {
    this.#event(startNs, SLICE_BEGIN, track, name, annotations);
    this.#event(endNs, SLICE_END, track);
  }

  instant(tNs: number, track: number, name: EventName, annotations: Annotations = []): void {
    this.#event(tNs, INSTANT, track, name, annotations);
  }

  trackDescriptor(descriptor: Message): void {
    this.#write([
      [SEQUENCE_ID, SEQUENCE],
      [TRACK_DESCRIPTOR, descriptor],
    ]);
  }

  processTree(tNs: number, tree: Message): void {
    this.#write([
      [TIMESTAMP, tNs],
      [CLOCK_ID, BOOTTIME],
      [PROCESS_TREE, tree],
    ]);
  }

  flush(): void {
    const { buf, pos } = this.#pbf;
    if (pos > 0) this.#sink.write([buf.subarray(0, pos)]);
    this.#pbf.pos = 0;
  }

  #event(tNs: number, type: number, track: number, name?: EventName, annotations: Annotations = []): void {
    const event: [number, number | Message][] = annotations.map(([annotation, value]) => [
      4,
      [
        [1, ANNOTATIONS.indexOf(annotation) + 1],
        [4, value],
      ],
    ]);
    event.push([9, type]);
    if (name !== undefined) event.push([10, EVENT_NAMES.indexOf(name) + 1]);
    event.push([11, track]);
    this.#write([
      [TIMESTAMP, tNs],
      [CLOCK_ID, BOOTTIME],
      [SEQUENCE_ID, SEQUENCE],
      [TRACK_EVENT, event],
      [SEQUENCE_FLAGS, NEEDS_STATE],
    ]);
  }

  #write(packet: Message): void {
    this.#pbf.writeMessage(TRACE_PACKET, writeFields, packet);
    if (this.#pbf.pos >= FLUSH_BYTES) this.flush();
  }

  #writeValues(
    write: (values: Values, pbf: PbfWriter) => void,
    tNs: number,
    pcpu: number,
    about: number,
    told: number,
  ): void {
    const values = this.#values;
    values.tNs = tNs;
    values.pcpu = pcpu;
    values.about = about;
    values.told = told;
    this.#pbf.writeMessage(TRACE_PACKET, write, values);
    if (this.#pbf.pos >= FLUSH_BYTES) this.flush();
  }
}

/** Interned strings, each with its number, as entries of `field`. */
function numbered(names: readonly string[], field: number): Message {
  return names.map((name, index) => {
    const entry: Message = [
      [1, index + 1],
      [2, name],
    ];
    return [field, entry];
  });
}

function writeFields(message: Message, pbf: PbfWriter): void {
  for (const [field, value] of message) {
    if (typeof value === 'number') pbf.writeVarintField(field, value);
    else if (typeof value === 'string') pbf.writeStringField(field, value);
    else pbf.writeMessage(field, writeFields, value);
  }
}

function writeTime({ tNs }: Values, pbf: PbfWriter): void {
  pbf.writeVarintField(TIMESTAMP, tNs);
  pbf.writeVarintField(CLOCK_ID, BOOTTIME);
}

function writeTaskState(values: Values, pbf: PbfWriter): void {
  writeTime(values, pbf);
  pbf.writeMessage(TASK_STATE, writeTaskStateEvent, values);
}

function writeTaskStateEvent({ pcpu, about, told }: Values, pbf: PbfWriter): void {
  pbf.writeVarintField(1, pcpu);
  pbf.writeVarintField(3, about);
  pbf.writeVarintField(4, told);
}

function writeWaking(values: Values, pbf: PbfWriter): void {
  writeTime(values, pbf);
  pbf.writeMessage(FTRACE_EVENTS, writeFtraceBundle, values);
}

function writeFtraceBundle(values: Values, pbf: PbfWriter): void {
  pbf.writeVarintField(1, values.pcpu);
  pbf.writeMessage(2, writeFtraceEvent, values);
}

function writeFtraceEvent(values: Values, pbf: PbfWriter): void {
  pbf.writeVarintField(1, values.tNs);
  pbf.writeVarintField(2, values.told);
  pbf.writeMessage(20, writeSchedWaking, values);
}

function writeSchedWaking({ about, pcpu }: Values, pbf: PbfWriter): void {
  pbf.writeVarintField(2, about);
  pbf.writeVarintField(5, pcpu);
}

function writeCounter(values: Values, pbf: PbfWriter): void {
  writeTime(values, pbf);
  pbf.writeVarintField(SEQUENCE_ID, SEQUENCE);
  pbf.writeMessage(TRACK_EVENT, writeCounterEvent, values);
}

function writeCounterEvent({ about, told }: Values, pbf: PbfWriter): void {
  pbf.writeVarintField(9, COUNTER);
  pbf.writeVarintField(11, about);
  pbf.writeVarintField(30, told);
}
