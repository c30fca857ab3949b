/** Who ran on the pCPU that recorded a wake-up. */
import { expect, test } from 'vitest';
import { openTrace } from '../../src/decoder/index.ts';
import { followTrace, NO_VCPU, vcpuLabel } from '../../src/timeline/index.ts';
import { TraceBuilder } from '../support/trace-builder.ts';

const T0 = 1000;

async function wakersOf(bytes: Uint8Array): Promise<{ runstates: string[]; transitions: string[] }> {
  const reader = await openTrace(bytes, { cpuHz: 1e9 });
  const told = { runstates: [] as string[], transitions: [] as string[] };
  const waker = (pcpu: number, key: number) =>
    `${key === NO_VCPU ? 'nobody' : vcpuLabel(key >>> 16, key & 0xffff)}@${pcpu}`;
  followTrace(reader, [
    {
      onRunstates({ count, dom, vcpu, startNs, wakerPcpu, wakerKey }) {
        for (let row = 0; row < count; row++) {
          if (wakerPcpu[row] < 0) continue;
          const by = waker(wakerPcpu[row], wakerKey[row]);
          told.runstates.push(`${startNs[row]} ${vcpuLabel(dom[row], vcpu[row])} by ${by}`);
        }
      },
      onTransitions({ count, dom, vcpu, tNs, wakerPcpu, wakerKey }) {
        for (let row = 0; row < count; row++) {
          if (wakerPcpu[row] < 0) continue;
          const by = waker(wakerPcpu[row], wakerKey[row]);
          told.transitions.push(`${tNs[row]} ${vcpuLabel(dom[row], vcpu[row])} by ${by}`);
        }
      },
    },
  ]);
  reader.close();
  return told;
}

/**
 *          0     100    200    300    400    500   600
 *     d0v0 ......RRRRRRRRRRRRRR....................      on pCPU 0, wakes d1v0 at 200
 *     idle .....................IIIIIIIIII.........      on pCPU 0 from 300, d2v0 wakes there at 400
 *     d1v0 .............rrrRRRRRRRRRRRRRRRRR......      on pCPU 1
 */
test('a wake-up is told with what ran on the pCPU that recorded it', async () => {
  const bytes = new TraceBuilder()
    .window(0)
    .runstate(T0, 0, 0, 'blocked', 'runnable')
    .runstate(T0 + 100, 0, 0, 'runnable', 'running')
    .runstate(T0 + 200, 1, 0, 'blocked', 'runnable')
    .runstate(T0 + 300, 0, 0, 'running', 'blocked')
    .runstate(T0 + 300, 32767, 0, 'runnable', 'running')
    .runstate(T0 + 400, 2, 0, 'blocked', 'runnable')
    .window(1)
    .runstate(T0 + 250, 1, 0, 'runnable', 'running')
    .runstate(T0 + 500, 1, 0, 'running', 'runnable')
    .bytes();
  const { runstates, transitions } = await wakersOf(bytes);
  expect(transitions).toEqual(['0 d0v0 by nobody@0', '200 d1v0 by d0v0@0', '400 d2v0 by d[IDLE]v0@0']);
  expect(runstates).toEqual(transitions);
});

test('after lost records nobody is thought to run there', async () => {
  const bytes = new TraceBuilder()
    .window(0)
    .runstate(T0, 0, 0, 'runnable', 'running')
    .lost(T0 + 200, { count: 3, firstTsc: T0 + 100 })
    .runstate(T0 + 300, 1, 0, 'blocked', 'runnable')
    .bytes();
  expect((await wakersOf(bytes)).transitions).toEqual(['300 d1v0 by nobody@0']);
});
