/**
 * `npm run bench:simulate`: how fast hosts are simulated, while their traces are recorded.
 *
 *     node test/bench/simulate.mjs [PATTERN]          only what matches, by name of the scheduler
 *
 * First 16 pCPUs with 64 mixed vCPUs (p16_64vcpus_mixed of the reference results), recorded as `xenscope record` does,
 * except that the bytes go nowhere; then hosts of up to 256 pCPUs and 4,096 vCPUs, not recorded. Each figure is the best
 * of three runs in one process of its own, by its CPU time, since machines are shared. Needs dist/.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const SELF = fileURLToPath(import.meta.url);
const RUNS = 3;
const SCHEDULERS = ['credit', 'credit2', 'rtds', 'null', 'arinc653'];
/** pCPUs and vCPUs: first as many vCPUs to each pCPU, then more and more on the same pCPUs. */
const SIZES = [
  [
    [4, 64],
    [16, 256],
    [64, 1024],
    [256, 4096],
  ],
  [
    [256, 256],
    [256, 1024],
    [256, 4096],
  ],
];

/** Hogs, half loads, periodic tasks and short bursts, a quarter of the vCPUs each, as in p16_64vcpus_mixed. */
function mixedHost(scheduler, pcpus, vcpus, seconds) {
  const count = vcpus / 4;
  const many = (workload, stepNs) => [{ workload, count, offset_step: `${stepNs}ns` }];
  const domains = [
    { id: 1, vcpus: many('hog', 0) },
    { id: 2, ...weightOf(scheduler, 512), vcpus: many('duty 2ms 3ms', 310_000) },
    { id: 3, vcpus: many('periodic 10ms 2ms', 620_000) },
    { id: 4, ...weightOf(scheduler, 128), vcpus: many('duty 200us 1ms', 70_000) },
  ];
  return {
    name: `p${pcpus}_${vcpus}vcpus_mixed`,
    scheduler,
    duration: `${seconds}s`,
    pcpus,
    topology: { sockets: Math.max(1, pcpus / 8), cores: Math.min(4, pcpus / 2), threads: 2 },
    ...tableOf(scheduler, vcpus),
    domains,
  };
}

function weightOf(scheduler, weight) {
  return scheduler.startsWith('credit') ? { weight } : {};
}

/** Slots of a millisecond for the first vCPUs. */
function tableOf(scheduler, vcpus) {
  if (scheduler !== 'arinc653') return {};
  const entries = Array.from({ length: Math.min(32, vcpus / 4) }, (_, vcpu) => {
    return { dom: (vcpu % 4) + 1, vcpu, runtime: '1ms' };
  });
  return { arinc653: { major_frame: `${entries.length}ms`, entries } };
}

/** One run: events, records kept, simulated and real seconds. */
async function simulateOnce(host, isRecorded) {
  const { parseScenario } = await import('../../dist/scenario/index.js');
  const { Simulation } = await import('../../dist/simulator/index.js');
  const { createTraceRings, parseRecorderOptions, planRecording, record } = await import(
    '../../dist/recorder/index.js'
  );
  const scenario = parseScenario(JSON.stringify(host), `${host.name}.json`);
  const plan = planRecording(parseRecorderOptions({}), scenario);
  const rings = createTraceRings(plan);
  const sink = isRecorded ? rings : { wants: () => false, emit: () => {} };
  const start = process.cpuUsage();
  const simulation = new Simulation(scenario, sink);
  let records = 0;
  let lost = 0;
  if (isRecorded) {
    const done = record(simulation, rings, plan, { write: () => {} });
    records = done.keptRecords;
    lost = done.lostRecords;
  }
  simulation.runUntil(scenario.durationNs);
  const { user, system } = process.cpuUsage(start);
  const seconds = (user + system) / 1e6;
  return { events: simulation.events, records, lost, simulated: scenario.durationNs / 1e9, seconds };
}

async function measureHere(scheduler, pcpus, vcpus, simulated, isRecorded) {
  const host = mixedHost(scheduler, pcpus, vcpus, simulated);
  let best;
  for (let run = 0; run < RUNS; run++) {
    const result = await simulateOnce(host, isRecorded);
    if (best === undefined || result.seconds < best.seconds) best = result;
  }
  console.log(JSON.stringify(best));
}

function measure(...given) {
  return JSON.parse(
    execFileSync(process.execPath, [SELF, '--measure', ...given.map(String)], { encoding: 'utf8' }),
  );
}

function row(cells) {
  console.log(`| ${cells.join(' | ')} |`);
}

function main(pattern) {
  const schedulers = SCHEDULERS.filter((name) => name.includes(pattern));
  console.log(`Node ${process.version}, best of ${RUNS}\n`);
  row(['16 pCPUs, 64 mixed vCPUs', 'M events/s', 'M records/s', 'times real time', 'the same, not recorded']);
  row(['---', '---:', '---:', '---:', '---:']);
  for (const name of schedulers) {
    const recorded = measure(name, 16, 64, 6, 1);
    const plain = measure(name, 16, 64, 6, 0);
    row([
      name,
      (recorded.events / recorded.seconds / 1e6).toFixed(2),
      (recorded.records / recorded.seconds / 1e6).toFixed(2),
      (recorded.simulated / recorded.seconds).toFixed(1),
      `${(plain.events / plain.seconds / 1e6).toFixed(2)} M events/s, ${(plain.simulated / plain.seconds).toFixed(1)} x`,
    ]);
    if (recorded.lost > 0) console.log(`${recorded.lost} records were lost`);
  }
  console.log(
    '\nCost of a simulated second in ms, and, n vCPUs, how many times that of n log n of the first row:\n',
  );
  for (const sizes of SIZES) {
    row(['pCPUs', 'vCPUs', ...schedulers]);
    row(['---:', '---:', ...schedulers.map(() => '---:')]);
    const first = new Map();
    for (const [pcpus, vcpus] of sizes) {
      const cells = schedulers.map((name) => {
        const { events, simulated, seconds } = measure(name, pcpus, vcpus, pcpus > 16 ? 1 : 4, 0);
        const ms = (seconds / simulated) * 1000;
        const unit = ms / (vcpus * Math.log2(vcpus));
        if (!first.has(name)) first.set(name, unit);
        const times = (unit / first.get(name)).toFixed(1);
        return `${ms.toFixed(1)} (${times} x; ${(events / seconds / 1e6).toFixed(2)} M events/s)`;
      });
      row([pcpus, vcpus, ...cells]);
    }
    console.log('');
  }
}

const [option = '', ...given] = process.argv.slice(2);
if (option === '--measure') {
  const [scheduler, pcpus, vcpus, simulated, isRecorded] = given;
  await measureHere(scheduler, Number(pcpus), Number(vcpus), Number(simulated), isRecorded === '1');
} else {
  main(option);
}
