/**
 * Lines of ftrace as their readers see them: by the pattern of Perfetto (src/trace_processor/importers/systrace/
 * systrace_line_tokenizer.cc) and that of Trace Compass (its incubator, IGenericFtraceConstants.java), which must agree.
 */
const PERFETTO =
  /-(\d+)\s+\(?\s*(\d+|-+)?\)?\s?\[(\d+)\]\s*([a-zA-Z.]{3}[0-9a-f.]{1,2}\s*)?(\d+\.\d+):\s+(\S+):/;
const TRACE_COMPASS =
  /^\s*(?<comm>.*)-(?<pid>\d+)(?:\s+\(.*\))?\s+\[(?<cpu>\d+)\](?:\s+....)?\s+(?<timestamp>[0-9]+(?<us>\.[0-9]+)?): (?<name>\w+:\s+)+(?<data>.+)/;
const LOST = /^CPU:(\d+) \[LOST (\d+) EVENTS\]$/;
const KEYS: Record<string, string> = {
  sched_switch: 'prev_comm prev_pid prev_prio prev_state next_comm next_pid next_prio',
  sched_waking: 'comm pid prio target_cpu',
};

export interface FtraceLine {
  readonly tNs: number;
  readonly cpu: number;
  readonly task: string;
  readonly event: string;
  readonly args: Record<string, string>;
}

export function readFtrace(text: string): FtraceLine[] {
  const lines = text.split('\n');
  if (!lines[0]?.startsWith('# tracer')) throw new Error('no head');
  if (lines.pop() !== '') throw new Error('the last line does not end');
  return lines.filter((line) => !line.startsWith('#')).map(readLine);
}

function readLine(line: string): FtraceLine {
  const lost = LOST.exec(line);
  if (lost)
    return { tNs: -1, cpu: Number(lost[1]), task: '', event: 'LOST', args: { count: lost[2] as string } };
  const match = PERFETTO.exec(line);
  const other = TRACE_COMPASS.exec(line)?.groups;
  if (!match || !other) throw new Error(`not a line of ftrace: ${line}`);
  const [all, pid, tgid, cpu, , seconds, event] = match as unknown as string[];
  const task = line.slice(0, match.index).trim();
  const same = [other.comm, other.pid, other.cpu, other.timestamp, other.name?.trim()];
  if (same.join() !== [task, pid, cpu, seconds, `${event}:`].join()) throw new Error(`two readings: ${line}`);
  if (!(Number(pid) < 2 ** 32) || !(Number.isNaN(Number(tgid)) || Number(tgid) < 2 ** 32))
    throw new Error(line);
  const rest = line.slice(match.index + (all as string).length);
  const args = Object.fromEntries(
    [...rest.matchAll(/([^\s=]+)=([^\s=]+)/g)].map(([, key, value]) => [key, value]),
  );
  if (Object.keys(args).join(' ') !== KEYS[event as string]) throw new Error(`other fields: ${line}`);
  const [whole, decimals] = (seconds as string).split('.') as [string, string];
  return {
    tNs: Number(whole) * 1e9 + Number(decimals),
    cpu: Number(cpu),
    task,
    event: event as string,
    args,
  };
}
