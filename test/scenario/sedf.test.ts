import { describe, expect, it } from 'vitest';
import { describeScenario } from '../../src/scenario/index.ts';
import { errorsOf, parse } from './errors-of.ts';

const HEAD = 'scheduler: sedf\nxen: "4.4"\n';
const HOG = `${HEAD}domains: [{name: web, vcpus: [hog]}]\n`;

describe('parameters of SEDF', () => {
  it('reads durations, and what the reference scenarios say', () => {
    const { domains } = parse(`${HEAD}domains:
  - {vcpus: [hog], sedf: {period: 20ms, slice: 5ms, extratime: true}}
  - {vcpus: [hog], sedf: {"period_ns": 20000000, "slice_ns": 5000000, "latency_ns": 7, "extratime": 1, "weight": 0}}
  - {vcpus: [hog], sedf: {weight: 3}}
  - {vcpus: [hog], sedf: {period: 10ms, slice: 20ms, expect_refusal: 1}}
  - {vcpus: [hog]}
`);
    const none = { periodNs: 0, sliceNs: 0, latencyNs: 0, extratime: false, weight: 0 };
    const timed = { ...none, periodNs: 20_000_000, sliceNs: 5_000_000, extratime: true };
    expect(domains.map(({ sedf }) => sedf)).toEqual([
      timed,
      { ...timed, latencyNs: 7 },
      { ...none, weight: 3 },
      { ...none, periodNs: 10_000_000, sliceNs: 20_000_000 },
      undefined,
    ]);
  });

  it('are described', () => {
    const described = describeScenario(
      parse(`${HEAD}domains:
  - {vcpus: [hog], sedf: {period: 20ms, slice: 5ms, extratime: true}}
  - {vcpus: [hog], sedf: {weight: 3}}
  - {vcpus: [hog], sedf: {weight: 3, extratime: true}}
actions: [{at: 2s, sedf: {dom: 1, period: 20ms, slice: 50us}}]
`),
    );
    expect(described.split('\n').slice(1)).toEqual([
      '  d1  d1  slice 5ms in 20ms and extra time: hog',
      '  d2  d2  slices by weight 3: hog',
      '  d3  d3  weight 3 of extra time: hog',
      '  at 2s: sedf of domain 1: slice 50us in 20ms',
    ]);
  });

  it('reads actions: of xl, where undefined stays, and of the hypercall, where nothing does', () => {
    const { actions } = parse(`${HOG}actions:
  - at 1s: sched-sedf -d web -p 20 --slice=5
  - at 1s: sched-sedf -d 1 -w 2 -e 1
  - at 1s: sched-sedf -d 1 -l 3
  - {at: 2s, sedf: {dom: 1, period: 20ms, slice: 5ms}}
  - {"at_ns": 3, "sedf": {"dom": 1, "period_ns": 0, "weight": 2}}
`);
    const commands = actions!.map(({ command }) =>
      command?.kind === 'sched-sedf' ? command.sedf : undefined,
    );
    expect(commands).toEqual([
      { periodNs: 0, sliceNs: 0, latencyNs: 0, extratime: false, weight: 2 },
      { periodNs: 20_000_000, sliceNs: 5_000_000, weight: 0 },
      { periodNs: 0, sliceNs: 0, extratime: true, weight: 2 },
      { latencyNs: 3_000_000 },
      { periodNs: 20_000_000, sliceNs: 5_000_000, latencyNs: 0, extratime: false, weight: 0 },
    ]);
  });

  it.each([
    ['period: 20ms', 'the slice is below 5 us'],
    ['period: 9us, slice: 6us', 'the period is below 10 us'],
    ['period: 10001ms, slice: 5ms', 'the period is above 10 s'],
    ['period: 10ms, slice: 20ms', 'the slice is above the period'],
    ['slice: 20ms', 'there is neither a period nor a weight'],
    ['extratime: true', 'there is neither a period nor a weight'],
  ])('{%s} is refused: %s', (given, why) => {
    const example = 'expected for example "{period: 20ms, slice: 5ms}" or "{weight: 2}"';
    const text = `${HEAD}domains: [{vcpus: [hog], sedf: {${given}}}]\n`;
    expect(errorsOf(text)).toEqual([`3:32: Xen refuses "sedf": ${why}, ${example}`]);
    expect(parse(text.replace(given, `${given}, expect_refusal: true`)).domains).toHaveLength(1);
  });

  it.each([
    ['{period: 20ms, slice: 5ms}', []],
    ['{period: 10us, slice: 5us}', []],
    ['{period: 10s, slice: 10s}', []],
    [
      '{weight: 2, expect_refusal: true}',
      ['3:32: Xen does not refuse "sedf", although "expect_refusal" says so'],
    ],
    ['{weight: 32768}', ['3:41: "weight" is 32768, expected a whole number from 0 to 32767']],
    ['{slcie: 5ms, weight: 1}', ['3:33: unknown key "slcie", did you mean "slice"?']],
    ['7', ['3:32: sedf is 7, expected a map with keys such as period, slice, latency, extratime']],
  ])('sedf: %s is told of', (given, expected) => {
    expect(errorsOf(`${HEAD}domains: [{vcpus: [hog], sedf: ${given}}]\n`)).toEqual(expected);
  });

  const usage =
    'expected "sched-sedf -d DOMAIN [-p PERIOD_MS] [-s SLICE_MS] [-l LATENCY_MS] [-e 0|1]" or "sched-sedf -d DOMAIN -w WEIGHT [-l LATENCY_MS] [-e 0|1]"';

  it.each([
    ['at 1s: sched-sedf -p 20', [`4:19: "sched-sedf" lacks -d, ${usage}`]],
    ['at 1s: sched-sedf -d 1', [`4:19: "sched-sedf" says nothing to change, ${usage}`]],
    ['at 1s: sched-sedf -d 1 -w 2 -s 5', [`4:19: "sched-sedf" has -w and -p or -s, ${usage}`]],
    ['at 1s: sched-sedf -d 1 -e 2', ['4:38: "-e" is "2", expected a whole number from 0 to 1']],
    ['at 1s: sched-sedf -d 1 -p 10001', ['4:38: "-p" is "10001", expected a whole number from 1 to 10000']],
    [
      '{at: 1s, sedf: {weight: 1}}',
      ['4:26: "sedf" lacks "dom", expected for example "{dom: 1, period: 20ms, slice: 5ms}"'],
    ],
    ['{at: 1s, sedf: {dom: 7, weight: 1}}', ['4:32: there is no domain 7']],
    [
      '{at: 1s, sedf: {dom: 1}}',
      [
        '4:26: Xen refuses "sedf": there is neither a period nor a weight, expected for example "{period: 20ms, slice: 5ms}" or "{weight: 2}"',
      ],
    ],
  ])('%s is told of', (action, expected) => {
    expect(errorsOf(`${HOG}actions: [${action.startsWith('{') ? action : `{${action}}`}]\n`)).toEqual(
      expected,
    );
  });
});
