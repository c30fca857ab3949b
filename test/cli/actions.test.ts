import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { runCli, scratchFolder } from './run-cli.ts';

test('record says what the simulated host refused, and goes on', () => {
  const folder = scratchFolder();
  try {
    const scenario = folder.path('scenario.yaml');
    const text = 'duration: 50ms\ndomains: [{name: web, vcpus: [hog]}]\nactions:\n  - at 10ms: unpause web\n';
    writeFileSync(scenario, text);
    const { status, stderr } = runCli(['record', scenario, '-o', folder.path('a.trace')]);
    expect(stderr).toContain('xenscope: at 10ms: "unpause web" is refused: domain 1 is not paused\n');
    expect(stderr).toContain('  at 10ms: unpause web\n');
    expect(status).toBe(0);
  } finally {
    folder.remove();
  }
});
