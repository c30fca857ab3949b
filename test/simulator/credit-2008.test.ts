/**
 * Holds the credit of November 2008 (Xen 3.3) against what Xen's own C code of that day did: every switch,
 * the scheduler's own data at rest, the figures, the number of records of each kind. No tolerance.
 */
import { describe, expect, test } from 'vitest';
import { OLDER_PART, OLDER_ROOT, olderScenarios } from './older-reference.ts';
import { read2008, readFile2008, run2008 } from './reference-2008.ts';

const names = olderScenarios(OLDER_ROOT, 'credit-2008');

describe('credit of 2008', () => {
  test.each(names)('does %s as the C code does', (name) => {
    const file = readFile2008(OLDER_ROOT, 'credit-2008', name);
    expect(run2008(file, '3.3')).toEqual(read2008(OLDER_ROOT, 'credit-2008', name));
  });

  test('is compared on scenarios with caps, settings, pinning, several pCPUs and sockets', () => {
    const files = olderScenarios(OLDER_PART, 'credit-2008').map((name) =>
      readFile2008(OLDER_PART, 'credit-2008', name),
    );
    expect(files.some(({ domains }) => domains.some(({ cap }) => (cap ?? 0) > 0))).toBe(true);
    expect(files.some(({ actions }) => actions !== undefined)).toBe(true);
    expect(files.some(({ xmalloc_fill }) => xmalloc_fill === 2)).toBe(true);
    expect(files.some(({ topology }) => (topology?.sockets ?? 1) > 1)).toBe(true);
    const pins = ({ domains }: (typeof files)[number]) =>
      domains.some(({ vcpus }) => vcpus.some(({ hard }) => hard !== undefined));
    expect(files.some(pins)).toBe(true);
  });

  test.each(['4.0', '4.2', 'head'])('is not what Xen %s does', (xen) => {
    const name = 'p1_2hogs_w256_512__credit2008';
    expect(run2008(readFile2008(OLDER_PART, 'credit-2008', name), xen).state).not.toBe(
      read2008(OLDER_PART, 'credit-2008', name).state,
    );
  });
});
