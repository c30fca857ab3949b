import { describe, expect, it } from 'vitest';
import { describeScenario, parseScenario, XEN_SERIES, XEN_SERIES_WORDS } from '../../src/scenario/index.ts';
import { parse } from './errors-of.ts';

const HOG = 'domains: [{vcpus: [hog]}]';

describe('parseScenario', () => {
  it('fills in every default', () => {
    const scenario = parseScenario(HOG, 'some/where/two-hogs.yaml');
    expect(scenario).toEqual({
      name: 'two-hogs',
      description: '',
      xen: 'head',
      scheduler: 'credit',
      params: {},
      durationNs: 1_000_000_000,
      seed: 1,
      host: {
        pcpus: 1,
        sockets: 1,
        coresPerSocket: 1,
        threadsPerCore: 1,
        nodes: 1,
        tscHz: 1_000_000_000,
        tscBase: 1_000_000_000n,
        tscSkewTicks: [],
        contextSwitchNs: 0,
        timerJitterNs: 0,
        jitterSeed: 1,
        timerBatch: true,
        randomSeed: 0,
      },
      trace: { eventMask: 0x2f000, flushNs: 100_000_000, endNs: 1_000_000_000 },
      domains: [
        {
          id: 1,
          name: 'd1',
          weight: undefined,
          cap: undefined,
          vcpus: [
            {
              workload: { kind: 'hog', offsetNs: 0 },
              yieldEveryNs: 0,
              hardAffinity: undefined,
              softAffinity: undefined,
              rtds: undefined,
            },
          ],
        },
      ],
    });
  });

  it('takes the preferred spellings and those of the machine model for the same', () => {
    const preferred = parse(`
name: both
scheduler: rtds
duration: 5s
host: {pcpus: 8, sockets: 2, cores: 2, threads: 2, nodes: 2, tsc_hz: 2.4GHz, tsc_base: 5,
       context_switch: 20us, timer_batch: false, timer_jitter: 5us, jitter_seed: 3, random_seed: 4}
trace: {events: 0x21000, flush: 10ms, end: 2s}
domains:
  - id: 3
    vcpus:
      - workload: {duty: {run: 987.736us, sleep: 792358, offset: 11.595475ms}}
        count: 2
        offset_step: 1ms
        yield_every: 3ms
        affinity: 0-3,6
        soft_affinity: [1]
        rtds: {period: 10ms, budget: 4ms, extratime: true}
`);
    const machineModel = parse(`{
 "name": "both", "sched": "rtds", "duration_ns": 5000000000, "pcpus": 8,
 "topology": {"sockets": 2, "cores": 2, "threads": 2, "nodes": 2},
 "tsc_hz": 2400000000, "tsc_base": 5, "context_switch_ns": 20000, "timer_batch": 0,
 "timer_jitter_ns": 5000, "jitter_seed": 3, "random_seed": 4,
 "trace_mask": 135168, "flush_ns": 10000000, "trace_end_ns": 2000000000,
 "domains": [{"id": 3, "vcpus": [{"workload": "duty 987736 792358 11595475", "count": 2,
   "offset_step_ns": 1000000, "yield_every_ns": 3000000, "hard": [0, 1, 2, 3, 6], "soft": [1],
   "rtds": {"period_us": 10000, "budget_us": 4000, "extratime": 1}}]}]
}`);
    expect(preferred).toEqual(machineModel);
    expect(machineModel.host.coresPerSocket).toBe(2);
    expect(machineModel.domains[0]!.vcpus.map(({ workload }) => workload)).toEqual([
      {
        kind: 'duty',
        run: { kind: 'fixed', ns: 987_736 },
        sleep: { kind: 'fixed', ns: 792_358 },
        offsetNs: 11_595_475,
      },
      {
        kind: 'duty',
        run: { kind: 'fixed', ns: 987_736 },
        sleep: { kind: 'fixed', ns: 792_358 },
        offsetNs: 12_595_475,
      },
    ]);
  });

  it.each([
    ['4.17', '4.17'],
    ['"4.17"', '4.17'],
    ['4.20', '4.20'],
    ['4.17.7', '4.17'],
    ['head', 'head'],
    ['HEAD', 'head'],
  ])('reads xen: %s as the series %s', (written, series) => {
    expect(parse(`xen: ${written}\n${HOG}`).xen).toBe(series);
  });

  it('lets the caller decide the version, scheduler, seed and duration', () => {
    const text = `xen: 4.17\nscheduler: credit\nseed: 5\nduration: 2s\ntrace: {end: 1s}\n${HOG}`;
    const scenario = parse(text, { xen: '4.21.2', scheduler: 'credit2', seed: 7, durationNs: 500 });
    expect(scenario).toMatchObject({ xen: '4.21', scheduler: 'credit2', seed: 7, durationNs: 500 });
    expect(scenario.trace.endNs).toBe(500);
    expect(parse(text, {})).toMatchObject({
      xen: '4.17',
      scheduler: 'credit',
      seed: 5,
      durationNs: 2_000_000_000,
    });
  });

  it('leaves out the boot parameters that the scheduler or version of the caller does not read', () => {
    const text = `params: {sched_credit_tslice_ms: 5, load-balance-ratelimit: 0, sched_ratelimit_us: 0}\n${HOG}`;
    expect(parse(text).params).toEqual({
      sched_credit_tslice_ms: 5,
      'load-balance-ratelimit': 0,
      sched_ratelimit_us: 0,
    });
    expect(parse(text, { xen: '4.17' }).params).toEqual({ sched_credit_tslice_ms: 5, sched_ratelimit_us: 0 });
    expect(parse(text, { scheduler: 'credit2' }).params).toEqual({ sched_ratelimit_us: 0 });
  });

  it('makes switches of the boot parameters true or false, however they are written', () => {
    for (const [written, value] of Object.entries({ 0: false, 1: true, no: false, on: true, false: false })) {
      expect(parse(`params: {tickle_one_idle_cpu: ${written}}\n${HOG}`).params).toEqual({
        tickle_one_idle_cpu: value,
      });
    }
  });

  it.each([
    ['pcpus: 6', [6, 1, 6, 1]],
    ['host: {pcpus: 8, threads: 2}', [8, 1, 4, 2]],
    ['host: {sockets: 2, cores: 4, threads: 2, nodes: 2}', [16, 2, 4, 2]],
    ['host: {pcpus: 8, sockets: 2}', [8, 2, 4, 1]],
    ['pcpus: 4\nhost: {threads: 2}', [4, 1, 2, 2]],
  ])('completes the topology of %s', (text, [pcpus, sockets, cores, threads]) => {
    const { host } = parse(`${text}\n${HOG}`);
    expect([host.pcpus, host.sockets, host.coresPerSocket, host.threadsPerCore]).toEqual([
      pcpus,
      sockets,
      cores,
      threads,
    ]);
  });

  it.each([
    ['3', [3]],
    ['"0-3,6"', [0, 1, 2, 3, 6]],
    ['[6, 0-2, 1]', [0, 1, 2, 6]],
    ['"0-7,^2,^4-5"', [0, 1, 3, 6, 7]],
    ['all', undefined],
    ['"all,^0"', [1, 2, 3, 4, 5, 6, 7]],
  ])('reads the affinity %s', (written, pcpus) => {
    const { domains } = parse(`pcpus: 8\ndomains: [{affinity: ${written}, vcpus: [hog]}]`);
    expect(domains[0]!.vcpus[0]!.hardAffinity).toEqual(pcpus);
  });

  it('lets a vCPU depart from the affinity of its domain', () => {
    const { domains } = parse(`
pcpus: 4
domains:
  - affinity: 0-1
    soft_affinity: 0
    vcpus: [hog, {workload: hog, affinity: 2-3}, {workload: hog, affinity: all, soft_affinity: [3]}]
`);
    expect(domains[0]!.vcpus.map((vcpu) => [vcpu.hardAffinity, vcpu.softAffinity])).toEqual([
      [[0, 1], [0]],
      [[2, 3], [0]],
      [undefined, [3]],
    ]);
  });

  it('numbers the domains that give no id', () => {
    const { domains } = parse(
      'domains: [{vcpus: [hog]}, {id: 7, vcpus: [hog]}, {vcpus: [hog]}, {id: 0, vcpus: [hog]}]',
    );
    expect(domains.map(({ id, name }) => [id, name])).toEqual([
      [1, 'd1'],
      [7, 'd7'],
      [8, 'd8'],
      [0, 'd0'],
    ]);
  });

  it('follows anchors, aliases and merges, and passes over x- keys', () => {
    const { domains } = parse(`
x-base: &base
  weight: 512
  vcpus: [hog]
domains:
  - *base
  - <<: *base
    weight: 128
`);
    expect(domains.map(({ weight, vcpus }) => [weight, vcpus.length])).toEqual([
      [512, 1],
      [128, 1],
    ]);
  });

  it('freezes the result to its depths', () => {
    const scenario = parse('domains: [{vcpus: [{workload: hog, affinity: 0}]}]');
    const vcpu = scenario.domains[0]!.vcpus[0]!;
    for (const part of [scenario, scenario.host, scenario.params, scenario.domains, vcpu, vcpu.workload]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
    expect(Object.isFrozen(vcpu.hardAffinity)).toBe(true);
  });

  it('keeps a TSC beyond 2^53 exact', () => {
    expect(parse(`host: {tsc_base: 9007199254740993}\n${HOG}`).host.tscBase).toBe(9_007_199_254_740_993n);
  });

  it('knows the series from 3.3 on, the newest last, and says so', () => {
    const numbers = XEN_SERIES.filter((series) => /^4\.\d+$/.test(series));
    expect(numbers).toEqual(Array.from({ length: 23 }, (_, minor) => `4.${minor}`));
    expect(XEN_SERIES.filter((series) => !numbers.includes(series))).toEqual([
      '3.3',
      '3.4',
      'rt-xen-2.0',
      '4.6-rfc',
      'head',
    ]);
    expect(XEN_SERIES[0]).toBe('3.3');
    expect(XEN_SERIES.at(-1)).toBe('head');
    expect(XEN_SERIES_WORDS).toBe('3.3, 3.4, 4.0 to 4.22, 4.6-rfc, rt-xen-2.0 or head');
  });

  it('tells Xen 4.2 from 4.20 without quotes, too', () => {
    expect(parse(`xen: 4.2\n${HOG}`).xen).toBe('4.2');
    expect(parse(`xen: 4.20\n${HOG}`).xen).toBe('4.20');
  });
});

describe('describeScenario', () => {
  it('tells people what is in a scenario', () => {
    const text = describeScenario(
      parse(`
name: mixed
xen: 4.17
pcpus: 4
duration: 1.5s
params: {sched_ratelimit_us: 0}
domains:
  - {name: batch, weight: 512, cap: 50, vcpus: [hog, hog, {workload: idle, affinity: "0-1,3"}]}
  - {name: rt, vcpus: [{workload: {periodic: {period: 10ms, burst: uniform(1ms..2ms), deadline: 8ms}}}]}
`),
    );
    expect(text).toBe(
      [
        'mixed: credit of Xen 4.17, 4 pCPUs (1 socket x 4 cores x 1 thread), 1.5s, seed 1',
        '  sched_ratelimit_us=0',
        '  d1  batch  weight 512, cap 50%: 2 x hog, idle (on pCPU 0-1,3)',
        '  d2  rt     uniform(1ms, 2ms) every 10ms, deadline 8ms',
      ].join('\n'),
    );
  });
});
