import { describe, expect, it } from 'vitest';
import { describeScenario } from '../../src/scenario/index.ts';
import { errorsOf, parse } from './errors-of.ts';

const HEAD = 'scheduler: arinc653\ndomains: [{vcpus: [hog]}]\n';

describe('tables of ARINC653', () => {
  it('reads a table, and actions in the order of time', () => {
    const scenario = parse(`${HEAD}
arinc653: {major_frame: 40ms, entries: [{dom: 1, runtime: 15ms}, {dom: 2, vcpu: 1, runtime_ns: 10000000}]}
actions:
  - at: 2s
    arinc653: {major_frame_ns: 5000000, entries: [{dom: 1, runtime: 5ms}]}
  - at_ns: 1000
    arinc653: {major_frame: 1ms, entries: [{dom: 1, runtime: 2ms}], expect_refusal: 1}
`);
    expect(scenario.arinc653).toEqual({
      majorFrameNs: 40_000_000,
      entries: [
        { dom: 1, vcpu: 0, runtimeNs: 15_000_000 },
        { dom: 2, vcpu: 1, runtimeNs: 10_000_000 },
      ],
    });
    expect(scenario.actions!.map(({ atNs }) => atNs)).toEqual([1000, 2_000_000_000]);
    expect(scenario.actions![0]!.arinc653!.entries).toEqual([{ dom: 1, vcpu: 0, runtimeNs: 2_000_000 }]);
  });

  it('leaves tables to another scheduler that the caller chooses', () => {
    const text = `${HEAD}arinc653: {major_frame: 1ms, entries: [{dom: 1, runtime: 1ms}]}\n`;
    expect(parse(text, { scheduler: 'credit' }).scheduler).toBe('credit');
  });

  it.each([
    ['arinc653: {entries: []}', ['3:11: "arinc653" lacks "major_frame", expected both it and "entries"']],
    [
      'arinc653: {major_frame: 1ms}',
      ['3:11: "arinc653" lacks "entries", expected both it and "major_frame"'],
    ],
    [
      'arinc653: 5',
      ['3:11: arinc653 is 5, expected a map with keys such as major_frame, entries, expect_refusal'],
    ],
    [
      'arinc653: {major_frame: 1ms, entries: [{dom: 1}]}',
      ['3:40: an entry lacks "runtime", expected for example "{dom: 1, runtime: 10ms}"'],
    ],
    [
      'arinc653: {major_frame: 1ms, entries: [{runtime: 1ms}, 7]}',
      [
        '3:40: an entry lacks "dom", expected for example "{dom: 1, runtime: 10ms}"',
        '3:56: an entry is 7, expected a map with keys such as dom, vcpu, runtime',
      ],
    ],
    [
      'arinc653: {major_frame: 1ms, entries: 3}',
      ['3:39: "entries" is 3, expected a list of at most 10000 slots'],
    ],
    [
      'arinc653: {major_frame: 1ms, entries: [{dom: 1, runtime: 1001us}]}',
      ['3:39: Xen refuses the table: the slots are 1001000 ns in all, the major frame is 1000000 ns'],
    ],
    ['arinc653: {major_frame: 1ms, entries: []}', ['3:39: Xen refuses the table: it has no entries']],
    [
      'arinc653: {major_frame: 0, entries: [{dom: 1, runtime: 1ms}]}',
      ['3:37: Xen refuses the table: the major frame is 0'],
    ],
    [
      'arinc653: {major_frame: 1ms, entries: [{dom: 1, runtime: 0}]}',
      ['3:39: Xen refuses the table: a runtime is 0'],
    ],
    [
      'arinc653: {major_frame: 1ms, entries: [{dom: 1, runtime: 1ms}], expect_refusal: true}',
      ['3:11: Xen does not refuse the table, although "expect_refusal" says so'],
    ],
    ['actions: [{at: 1s}]', ['3:11: an action lacks "do", expected for example "at 2s: pause 1"']],
    [
      'actions: [{arinc653: {major_frame: 1ms, entries: []}}]',
      ['3:11: an action lacks "at", expected for example "at 2s: pause 1"'],
    ],
    [
      'actions: [{at: soon}]',
      ['3:16: "at": "soon" is not a duration such as 200us, 10ms, 1.5s, or a whole number of nanoseconds'],
    ],
  ])('%s', (text, messages) => {
    expect(errorsOf(`${HEAD}${text}\n`)).toEqual(messages);
  });

  it('knows that 65 entries are too many', () => {
    const entries = Array.from({ length: 65 }, () => '{dom: 1, runtime: 1us}').join(', ');
    expect(errorsOf(`${HEAD}arinc653: {major_frame: 1ms, entries: [${entries}]}\n`)).toEqual([
      '3:39: Xen refuses the table: it has 65 entries, at most 64 are allowed',
    ]);
  });

  it('finds tables where no ARINC653 is', () => {
    const text =
      'domains: [{vcpus: [hog]}]\narinc653: {major_frame: 1ms, entries: [{dom: 1, runtime: 1ms}]}\n';
    expect(errorsOf(text)).toEqual([
      '2:1: "arinc653" is for the scheduler arinc653, but the scheduler is credit',
    ]);
  });

  it('are shown to people, with what changes them', () => {
    const table =
      'arinc653: {major_frame: 40ms, entries: [{dom: 1, runtime: 15ms}, {dom: 2, runtime: 10ms}]}';
    const actions =
      'actions: [{at: 1007ms, arinc653: {major_frame: 30ms, entries: [{dom: 1, runtime: 5ms}]}}]';
    expect(describeScenario(parse(`name: slots\nxen: 4.17\n${HEAD}${table}\n${actions}\n`))).toBe(
      [
        'slots: arinc653 of Xen 4.17, 1 pCPU (1 socket x 1 core x 1 thread), 1s, seed 1',
        '  arinc653 every 40ms: d1v0 15ms, d2v0 10ms',
        '  d1  d1  hog',
        '  at 1.007s: arinc653 every 30ms: d1v0 5ms',
      ].join('\n'),
    );
  });
});
