import { describe, expect, test } from 'vitest';
import { renderHead, renderInfoCsv, renderInfoJson, renderInfoText } from '../../src/report/index.ts';
import { summaryOf } from './summary-of.ts';

describe('renderHead()', () => {
  test('says what the trace is and that it can be trusted', () => {
    expect(renderHead(summaryOf())).toBe(
      [
        'trace    small.trace: 1.20 kB, 50 records in 2 windows',
        'span     1 ms on 3 pCPUs (0-1, 4)',
        'domains  d1 (2 vCPUs)',
        'clock    TSC at 1.0000 GHz, derived from 20 stretches that the records time, half of which agree within 1.5 ppm',
        'trust    Nothing is lost, damaged or unknown.',
        '',
      ]
        .join('\n')
        .replace('within 1.5 ppm', 'within 1.5\n         ppm'),
    );
  });

  test('says what is wrong', () => {
    const head = renderHead(
      summaryOf({
        lostRecords: 50,
        skippedBytes: 120,
        unknownRecords: 3,
        repairs: 1,
        lateRecords: 2,
        cpuHz: null,
        cpuHzSource: 'unknown',
      }),
    ).replace(/\s+/g, ' ');
    expect(head).toContain('Xen lost 50 records (50.0 %)');
    expect(head).toContain('120 B (10.0 %) are damaged');
    expect(head).toContain('3 records of unknown kinds');
    expect(head).toContain('break 1 time where');
    expect(head).toContain('runs back on a pCPU 2 times');
    expect(head).toContain('in ticks, not in nanoseconds');
    expect(head).not.toContain('Nothing is lost');
  });

  test('a trace of a gzip file with a wrong checksum does not say that nothing is lost', () => {
    const wrong = { severity: 'data_loss', code: 'gzip_checksum', pcpu: -1, tNs: undefined } as const;
    const diagnostics = [{ ...wrong, offset: 1200, bytes: 0, count: 1, message: '', advice: '' }];
    const head = renderHead(summaryOf({ skippedBytes: 0, diagnostics }));
    expect(head).toContain("The gzip file's checksum is wrong");
    expect(head).not.toContain('cut short');
    expect(head).not.toContain('Nothing is lost');
  });

  test('says which part is looked at, and of how much', () => {
    const part = { fromNs: 200_000, endNs: 700_000, vcpus: ['d1', 'd2v0'], pcpus: [4, 0, 1] };
    expect(renderHead(summaryOf({ part })).split('\n').slice(1, 3)).toEqual([
      'span     from 0.000200 s to 0.000700 s: 500 us of 1 ms on 3 pCPUs (0-1, 4)',
      'only     d1, d2v0 on pCPUs 0-1, 4',
    ]);
  });

  test.each([
    'truncated_gzip',
    'corrupt_gzip',
    'truncated_window',
    'truncated_header',
    'file_shrank',
  ] as const)('a trace that was cut short, %s, does not say that nothing is lost', (code) => {
    const diagnostic = {
      severity: 'data_loss',
      code,
      pcpu: -1,
      tNs: undefined,
      offset: 1200,
      bytes: 0,
      count: 1,
    } as const;
    const diagnostics = [{ ...diagnostic, message: '', advice: '' }];
    const head = renderHead(summaryOf({ skippedBytes: 0, diagnostics }));
    expect(head).toContain('cut short');
    expect(head).not.toContain('Nothing is lost');
  });

  test('a trace without some pCPU says that only running time is known', () => {
    expect(renderHead(summaryOf({ partial: true }))).toContain('only running time is known');
  });
});

describe('info', () => {
  test('renderInfoJson() has records and cpu_hz at its top level, and 64-bit values exact', () => {
    const info = JSON.parse(renderInfoJson(summaryOf()));
    expect(info).toMatchObject({
      records: 50,
      cpu_hz: 1e9,
      span_ns: 1_000_000,
      tsc_start: '1152921504606846977',
    });
    expect(info.events).toEqual([
      { name: 'TRC_SCHED_WAKE', id: '0x00028004', class: 'sched_core', records: 50 },
    ]);
    expect(JSON.parse(renderInfoJson(summaryOf({ cpuHz: null }))).cpu_hz).toBeNull();
  });

  test('renderInfoCsv() has a line for each plain fact', () => {
    const lines = renderInfoCsv(summaryOf()).split('\r\n');
    expect(lines).toContain('records,50');
    expect(lines).toContain('cpu_hz,1000000000');
  });

  test('renderInfoText() lists pCPUs, domains, events, unknown kinds and diagnostics', () => {
    const text = renderInfoText(
      summaryOf({
        unknown: [{ kind: '0x0002f123/5', records: 7 }],
        diagnostics: [
          {
            severity: 'data_loss',
            code: 'lost_records',
            pcpu: 1,
            offset: -1,
            bytes: 0,
            count: 5,
            tNs: 10,
            message: 'Five are lost.',
            advice: 'Take larger buffers.',
          },
        ],
      }),
    );
    expect(text).toMatch(/^ {3}0 {7}30 {2}60\.0 %$/m);
    expect(text).toMatch(/^d\[IDLE\] +3 +- +-$/m);
    expect(text).toMatch(/^d1 +2 +- +500 ns$/m);
    expect(text).toMatch(/^TRC_SCHED_WAKE +0x00028004 +sched_core +50 +100\.0 %$/m);
    expect(text).toMatch(/^0x0002f123\/5 +7$/m);
    expect(text).toContain('data_loss lost_records\n    Five are lost. Take larger buffers.\n');
  });
});
