/**
 * Holds the global and the partitioned scheduler of RT-Xen 2.0 against what its own C code did: every switch, the
 * budgets over time, the figures, the number of records of each kind. No tolerance.
 */
import { describe, expect, test } from 'vitest';
import { OLDER_PART, OLDER_ROOT, olderScenarios } from './older-reference.ts';
import { readFileOfRtXen, readRtXen, runRtXen } from './rt-xen-2.ts';

const folders = ['rtxen2-global', 'rtxen2-partitioned-deferrable'];

const fileOf = (root: string, folder: string, name: string) =>
  readFileOfRtXen(root, `scenarios/${folder}`, name);

describe.each(folders)('RT-Xen 2.0, %s', (folder) => {
  test.each(olderScenarios(OLDER_ROOT, folder))('does %s as the C code does', (name) => {
    expect(runRtXen(fileOf(OLDER_ROOT, folder, name))).toEqual(readRtXen(OLDER_ROOT, folder, name));
  });

  test('is compared on scenarios with settings at run time, both schemes and several pCPUs', () => {
    const files = olderScenarios(OLDER_PART, folder).map((name) => fileOf(OLDER_PART, folder, name));
    expect(files.some(({ actions = [] }) => actions.some(({ dom }) => dom === 0))).toBe(true);
    expect(files.some(({ actions = [] }) => actions.some(({ dom }) => dom !== 0))).toBe(true);
    expect(files.some(({ domains }) => domains.some(({ adjust }) => adjust !== undefined))).toBe(true);
    expect(files.some(({ pcpus }) => pcpus > 1)).toBe(true);
    expect(files.some(({ domains }) => domains.every(({ adjust }) => adjust === undefined))).toBe(true);
  });
});
