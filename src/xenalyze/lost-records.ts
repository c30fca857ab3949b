/**
 * Lost records: what a pCPU and everything that is not running may have done meanwhile is not known.
 * @module
 */
import type { Analyser } from './analyser.ts';
import { switchCr3 } from './hvm/cr3-values.ts';
import { clearVlapic } from './hvm/vlapic.ts';
import { enterPcpu, leavePcpu, loseVcpu } from './runstates.ts';
import { DEFAULT_DOMAIN, LOST, type Pcpu, RUNNING, type Vcpu } from './state.ts';

const LOST_RECORDS_WORDS = 4;

/** The record of a loss, processed at the TSC of the first record that was lost. */
export function processLostRecords(a: Analyser, p: Pcpu): void {
  if (p.extraWords !== LOST_RECORDS_WORDS) {
    a.warn.printf('FATAL: Lost record has unexpected extra words %d!\n', p.extraWords);
    a.error(4, p);
    return;
  }
  const firstTsc = a.relative(p.word(3), p.word(2));
  a.run.wideTsc = p.bigint(2) - a.tscBase;
  if (a.options.dumpAll) dumpLost(a, p);
  if (p.current !== undefined) {
    forget(a, p.current);
    leavePcpu(a, p, p.current, firstTsc, LOST);
  }
  beginLoss(a, p);
  p.lostActive = true;
  p.lostTsc = firstTsc;
  a.draw(p);
  loseAllNotRunning(a, firstTsc);
  p.lostDomainValid = true;
  p.lostDomain = p.word(1) & 0xffff;
  p.lostVcpu = p.word(1) >>> 16;
}

function dumpLost(a: Analyser, p: Pcpu): void {
  const { current } = p;
  a.out.printf(
    ' %s lost_records count %d d%uv%u (cur %s) first_tsc %lld\n',
    a.header,
    p.signed(0),
    p.word(1) & 0xffff,
    p.word(1) >>> 16,
    current === undefined ? 'X' : current.label,
    BigInt.asIntN(64, p.bigint(2)),
  );
}

function forget(a: Analyser, v: Vcpu): void {
  clearVlapic(v);
  if (v.hvm === undefined) return;
  v.hvm.vmexitValid = false;
  switchCr3(a, v, 0n);
}

function beginLoss(a: Analyser, p: Pcpu): void {
  if (p.lostActive) {
    a.warn.printf('Strange, lost record for pcpu %d, but lost_record still active!\n', p.number);
    return;
  }
  a.run.lostCpus++;
  if (a.run.lostCpus <= a.run.maxActivePcpu + 1) return;
  a.warn.printf(
    'ERROR: P.lost_cpus %d > P.max_active_pcpu + 1 %d!\n',
    a.run.lostCpus,
    a.run.maxActivePcpu + 1,
  );
  a.error(7);
}

/** Every vCPU that does not run elsewhere may have run on the pCPU whose records were lost. */
function loseAllNotRunning(a: Analyser, tsc: number): void {
  for (const { id, vcpus } of a.domains) {
    if (id === DEFAULT_DOMAIN) continue;
    for (const v of vcpus) {
      if (v === undefined || v.runstate === RUNNING) continue;
      if (a.options.dumpAll) a.warn.printf('process_lost_records: setting %s to RUNSTATE_LOST\n', v.label);
      loseVcpu(a, v, tsc);
    }
  }
}

/** The same record again, at its own TSC: from here on records are there. */
export function endLostRecords(a: Analyser, p: Pcpu): void {
  if (!p.lostActive) {
    a.warn.printf('FATAL: lost_records_end but pid %d not lost!\n', p.number);
    a.error(5);
    return;
  }
  if (p.tsc <= p.lostTsc) return;
  const { dumpAll } = a.options;
  if (dumpAll) a.out.printf('               %s lost_records end ---\n', a.picture(p));
  p.lost.add(p.tsc - p.lostTsc, a.options);
  if (p.lostDomainValid) {
    if (!resume(a, p)) return;
  } else if (dumpAll) a.out.printf('               %s lost_records end (domain invalid)---\n', a.picture(p));
  p.lostActive = false;
  a.draw(p);
  a.run.lostCpus--;
  if (a.run.lostCpus >= 0) return;
  a.warn.printf('ERROR: lost_cpus fell below 0 for pcpu %d!\n', p.number);
  a.error(7);
}

/** The record says which vCPU runs now. Returns whether that can be. */
function resume(a: Analyser, p: Pcpu): boolean {
  const { lostDomain, lostVcpu } = p;
  const { dumpAll } = a.options;
  if (dumpAll)
    a.out.printf('               %s lost_records end d%dv%d---\n', a.picture(p), lostDomain, lostVcpu);
  if (p.current !== undefined) {
    a.warn.printf(
      'FATAL: lost_record valid (d%dv%d), but current %s!\n',
      lostDomain,
      lostVcpu,
      p.current.label,
    );
    a.error(5);
    return false;
  }
  if (dumpAll) a.warn.printf('Changing p%d current to d%dv%d\n', p.number, lostDomain, lostVcpu);
  enterPcpu(a, p, a.vcpu(lostDomain, lostVcpu), p.tsc);
  p.lostDomainValid = false;
  p.seenValidSchedule = false;
  return true;
}
