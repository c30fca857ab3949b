export function generateTrace(
  path: string,
  options: { records: number; pcpus: number; spanNs?: number; vcpusOfPcpu?: number },
): { records: number; bytes: number; windows: number };
