import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const installed = spawnSync('xenalyze', ['--help']).error === undefined;

/** Why tests with the real xenalyze do not run here, or undefined where they do. */
export const whyNoXenalyze: string | undefined = installed
  ? undefined
  : 'skipped: there is no xenalyze on the path (Debian has it in xen-utils-4.17)';

const MODES = ['--summary', '--dump-all', '--report-pcpu'] as const;
const REMARK = /strange|warning|fatal|unexpected|error|assert/i;

/**
 * What the real xenalyze has to say against a trace, in its three modes: its remarks, and how it ended if not
 * well. An empty list is what a trace should get. `expectDump` is something that its dump must contain.
 */
export function xenalyzeRemarks(trace: Uint8Array, expectDump: RegExp = /./): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'xenscope-'));
  try {
    const path = join(folder, 'a.trace');
    writeFileSync(path, trace);
    return MODES.flatMap((mode) => {
      const { status, signal, stdout, stderr } = spawnSync('xenalyze', ['--cpu-hz', '1G', mode, path], {
        encoding: 'utf8',
        maxBuffer: 1 << 29,
      });
      const remarks = `${stdout}\n${stderr}`.split('\n').filter((line) => REMARK.test(line));
      if (status !== 0) remarks.push(`ended with ${status ?? signal}`);
      if (mode === '--dump-all' && !expectDump.test(stdout)) remarks.push(`no ${expectDump} in the dump`);
      return remarks.map((remark) => `${mode}: ${remark}`);
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
