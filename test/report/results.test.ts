import { describe, expect, test } from 'vitest';
import type { ResultTable } from '../../src/analysis/index.ts';
import {
  formatBytes,
  formatCount,
  formatHz,
  formatNs,
  formatPercent,
  renderAnalysisText,
  renderResultCsv,
  renderResultsCsv,
  renderResultText,
  resultRows,
} from '../../src/report/index.ts';
import { summaryOf } from './summary-of.ts';

const table: ResultTable = {
  name: 'naps',
  title: 'Naps',
  doc: 'Who napped.',
  columns: [
    { name: 'dom', type: 'int', unit: 'dom', doc: '' },
    { name: 'vcpu', type: 'int', unit: 'vcpu', doc: '' },
    { name: 'why', type: 'string', doc: '' },
    { name: 'count', type: 'int', unit: 'count', doc: '' },
    { name: 'nap_ns_p95', type: 'int', unit: 'ns', doc: '', heading: 'p95', samplesMin: 20 },
    { name: 'nap_start_ns', type: 'int', unit: 'ns', doc: '', heading: 'at', instant: true },
    { name: 'rare_ns', type: 'int', unit: 'ns', doc: '', text: 'nonzero' },
    { name: 'coverage', type: 'float', unit: 'ratio', doc: '' },
  ],
  rows: [
    [1, 0, 'tired', 1234, 60_000_000, 1_500_000_000, 0, 1],
    [32767, 3, 'he said "no, why"', 3, 830, 0, 0, 0.99999],
    [2, 0, 'never', 0, null, null, 0, null],
  ],
  sampleColumn: 'count',
};

describe('renderResultText()', () => {
  test('lines columns up, scales units, says n/a, leaves out rows without samples and columns that say nothing', () => {
    expect(renderResultText(table)).toBe(
      [
        'Naps',
        '----',
        'vcpu       why                count    p95          at  coverage',
        'd1v0       tired              1,234  60 ms  1.500000 s   100.0 %',
        'd[IDLE]v3  he said "no, why"      3    n/a  0.000000 s   >99.9 %',
        '',
      ].join('\n'),
    );
  });

  test('of a single row is a list', () => {
    const single: ResultTable = {
      ...table,
      columns: table.columns.slice(3, 5),
      rows: [[25, 1]],
      single: true,
    };
    expect(renderResultText(single)).toBe('Naps\n----\ncount:  25\np95:    1 ns\n');
  });

  test('of nothing says so', () => {
    expect(renderResultText({ ...table, rows: [] })).toContain('None: ');
  });
});

describe('CSV', () => {
  test('renderResultCsv() is RFC 4180: quotes doubled, CRLF, nothing for what is not available', () => {
    const lines = renderResultCsv(table).split('\r\n');
    expect(lines).toEqual([
      'dom,vcpu,why,count,nap_ns_p95,nap_start_ns,rare_ns,coverage',
      '1,0,tired,1234,60000000,1500000000,0,1',
      '32767,3,"he said ""no, why""",3,830,0,0,0.99999',
      '2,0,never,0,,,0,',
      '',
    ]);
  });

  test('renderResultsCsv() names the table in the first column and leaves a line between tables', () => {
    const small: ResultTable = { ...table, columns: table.columns.slice(0, 2), rows: [[1, 2]] };
    const text = renderResultsCsv([small, { ...small, name: 'more' }]);
    expect(text).toBe('table,dom,vcpu\r\nnaps,1,2\r\n\r\ntable,dom,vcpu\r\nmore,1,2\r\n');
  });
});

test('resultRows() gives objects by column name, null for what is not available', () => {
  expect(resultRows(table)[2]).toEqual({
    dom: 2,
    vcpu: 0,
    why: 'never',
    count: 0,
    nap_ns_p95: null,
    nap_start_ns: null,
    rare_ns: 0,
    coverage: null,
  });
});

describe('renderAnalysisText()', () => {
  test('leaves a result by domain out where every domain has one vCPU', () => {
    const byDomain = { ...table, name: 'naps_by_domain', title: 'By domain' };
    expect(renderAnalysisText(summaryOf(), [table, byDomain])).not.toContain('By domain');
    const fewer = { ...byDomain, rows: table.rows.slice(0, 2) };
    expect(renderAnalysisText(summaryOf(), [table, fewer])).toContain('By domain');
  });

  test('says of a part of a trace nothing that would be of all of it', () => {
    const none = [
      { ...table, rows: [] },
      { ...table, title: 'Others', rows: [], empty: 'no vCPU napped.' },
    ];
    expect(renderAnalysisText(summaryOf(), none)).toContain(
      '\nNothing to tell of\n------------------\n' +
        'Naps: the trace has no records that would tell.\nOthers: no vCPU napped.\n',
    );
    const ofPart = { fromNs: 0, endNs: 1_000_000, vcpus: ['d1'], pcpus: null };
    const part = renderAnalysisText(summaryOf({ part: ofPart }), none);
    expect(part).toContain('\nNothing to tell of, in the part of the trace that was chosen\n');
    expect(part).toContain('\nNaps: it has no records that would tell.\n');
    expect(part).not.toContain('the trace has no records');
  });
});

describe('quantities', () => {
  test('formatNs() has four digits and the unit that fits', () => {
    const texts = [0, 1, 999, 1000, 12_345, 999_949, 999_950, 60_000_000, 999_949_999, 4_999_711_471].map(
      formatNs,
    );
    expect(texts).toEqual([
      '0',
      '1 ns',
      '999 ns',
      '1 us',
      '12.35 us',
      '999.9 us',
      '1.000 ms',
      '60 ms',
      '999.9 ms',
      '5.000 s',
    ]);
    expect(formatNs(1234.5)).toBe('1.234 us');
    expect(formatNs(3_600_000_000_000)).toBe('3600 s');
  });

  test('formatPercent() never rounds to all or to nothing', () => {
    const texts = [0, 0.0001, 0.4999, 0.9999, 1, 1.205, -0.5, -0.00001].map(formatPercent);
    expect(texts).toEqual(['0.0 %', '<0.1 %', '50.0 %', '>99.9 %', '100.0 %', '120.5 %', '-50.0 %', '0.0 %']);
  });

  test('counts, bytes and frequencies', () => {
    expect([7, 1234, 12_345_678].map(formatCount)).toEqual(['7', '1,234', '12,345,678']);
    expect([512, 1200, 4_050_000_000].map(formatBytes)).toEqual(['512 B', '1.20 kB', '4.050 GB']);
    expect([2.4e9, 1e8].map(formatHz)).toEqual(['2.4000 GHz', '100.000 MHz']);
  });
});
