import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { UserError } from '../../src/base/errors.ts';
import { loadScenario } from '../../src/scenario/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'xenscope-scenario-'));
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function messageOf(path: string): string {
  try {
    loadScenario(path);
  } catch (error) {
    if (error instanceof UserError) return error.message.replace(`${folder}/`, '');
    throw error;
  }
  return 'no error';
}

describe('loadScenario', () => {
  it('names the scenario after its file, also with a byte order mark and Windows lines', () => {
    const path = write('marked.yaml', '\ufeffseed: 3\r\ndomains: [{vcpus: [hog]}]\r\n');
    expect(loadScenario(path)).toMatchObject({ name: 'marked', seed: 3 });
  });

  it('tells what is wrong with the file itself', () => {
    expect(messageOf(join(folder, 'missing.yaml'))).toBe('missing.yaml: no such file');
    expect(messageOf(join(write('file.yaml', 'x'), 'below.yaml'))).toBe('file.yaml/below.yaml: no such file');
    expect(messageOf(folder)).toContain('is a directory, expected a scenario file');
    expect(messageOf(write('empty.yaml', ''))).toBe('empty.yaml:1:1: the file is empty, expected a scenario');
    expect(messageOf(write('latin1.yaml', Buffer.from('name: a\ndescription: caf\xe9\n', 'latin1')))).toBe(
      'latin1.yaml:2:17: not UTF-8 text, expected YAML or JSON',
    );
    expect(messageOf(write('utf16.yaml', Buffer.from('name: a\n', 'utf16le')))).toBe(
      'utf16.yaml:1:2: a NUL byte, expected YAML or JSON in UTF-8',
    );
    expect(messageOf(write('large.yaml', new Uint8Array(8 * 1024 * 1024 + 1)))).toContain(
      'is too large for a scenario',
    );
  });

  it.skipIf(!existsSync('/dev/zero'))('does not read a device without end', () => {
    expect(messageOf('/dev/zero')).toBe('/dev/zero: is too large for a scenario, at most 8388608 bytes are');
  });

  it.skipIf(process.getuid?.() === 0)(
    'tells of a file that it may not read (skipped for root, who may)',
    () => {
      const path = write('secret.yaml', 'seed: 1');
      chmodSync(path, 0);
      expect(messageOf(path)).toBe('secret.yaml: no permission to read it');
    },
  );
});

const reference = fileURLToPath(
  new URL('../../../shared/reference/xen-c-schedulers/scenarios', import.meta.url),
);

describe.skipIf(!existsSync(reference))(
  'the reference scenarios (skipped where they are not at hand)',
  () => {
    it('all load as they are, and say what their JSON says', async () => {
      const files = readdirSync(reference).filter((name) => name.endsWith('.json'));
      expect(files.length).toBeGreaterThanOrEqual(181);
      for (const file of files) {
        const path = join(reference, file);
        const scenario = loadScenario(path);
        const { default: json } = await import(path, { with: { type: 'json' } });
        expect([scenario.name, scenario.scheduler, scenario.durationNs]).toEqual([
          json.name,
          json.sched,
          json.duration_ns,
        ]);
        expect(scenario.host.pcpus).toBe(json.pcpus);
        const { sockets, coresPerSocket, threadsPerCore } = scenario.host;
        expect(sockets * coresPerSocket * threadsPerCore).toBe(json.pcpus);
        expect(Object.keys(scenario.params)).toEqual(Object.keys(json.params ?? {}));
        expect(scenario.domains.map(({ id, weight, cap }) => [id, weight, cap])).toEqual(
          json.domains.map((domain: Record<string, number>) => [domain.id, domain.weight, domain.cap]),
        );
        const counts = json.domains.map((domain: { vcpus: { count?: number }[] }) =>
          domain.vcpus.reduce((sum, vcpu) => sum + (vcpu.count ?? 1), 0),
        );
        expect(scenario.domains.map(({ vcpus }) => vcpus.length)).toEqual(counts);
      }
    });
  },
);
