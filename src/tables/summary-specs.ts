import { ns, PCPU, pcpu, T_NS } from './common-columns.ts';
import type { TableSpec } from './table-spec.ts';

/** What there is to know about the trace as a whole. */
export const SUMMARY_SPECS: readonly TableSpec[] = [
  {
    name: 'domains',
    kind: 'summary',
    doc: 'The domains that runstate records name, or whose creation or removal the trace saw.',
    columns: [
      { name: 'dom', type: 'uint16', unit: 'dom', nullable: false, doc: 'Number of the domain.' },
      { name: 'label', type: 'utf8', nullable: false, doc: 'The domain as text: `d1`, or `d[IDLE]`.' },
      {
        name: 'kind',
        type: 'dictionary',
        nullable: false,
        values: ['domain', 'idle', 'system'],
        doc: "`idle` is Xen's idle domain, `system` another number that Xen keeps for itself (from 32752).",
      },
      {
        name: 'vcpus',
        type: 'uint32',
        unit: 'count',
        nullable: false,
        doc: 'How many of its vCPUs the trace names.',
      },
      ns(
        'created_ns',
        'When the trace saw it created, since the start of the trace. Null where it did not.',
        true,
      ),
      ns('removed_ns', 'When the trace saw it removed. Null where it did not.', true),
      ns('first_seen_ns', 'The first runstate change of one of its vCPUs. Null where there is none.', true),
      ns('last_seen_ns', 'The last one.', true),
    ],
  },
  {
    name: 'lost',
    kind: 'summary',
    doc: 'Where Xen dropped records for want of space in its buffer (TRC_LOST_RECORDS).',
    columns: [
      T_NS,
      PCPU,
      {
        name: 'count',
        type: 'uint32',
        unit: 'count',
        nullable: false,
        doc: 'How many records were dropped.',
      },
      {
        name: 'dom',
        type: 'uint16',
        unit: 'dom',
        nullable: false,
        doc: 'Domain of the vCPU that ran on the pCPU when recording went on.',
      },
      { name: 'vcpu', type: 'uint16', unit: 'vcpu', nullable: false, doc: 'The number of that vCPU.' },
      {
        name: 'first_tsc',
        type: 'uint64',
        unit: 'tsc',
        nullable: false,
        doc: 'The time stamp counter of the first record that was dropped.',
      },
      ns(
        'first_ns',
        'The same since the start of the trace; negative before it, null where it makes no sense.',
        true,
      ),
    ],
  },
  {
    name: 'diagnostics',
    kind: 'summary',
    doc: 'What to know about the trace: damage, losses, unknown records, and what to do about them.',
    columns: [
      {
        name: 'severity',
        type: 'dictionary',
        nullable: false,
        values: ['info', 'data_loss', 'error'],
        doc: 'Nothing is lost; records are missing; the bytes make no sense.',
      },
      {
        name: 'code',
        type: 'dictionary',
        nullable: false,
        doc: 'What it is, for programs: `lost_records`, ...',
      },
      pcpu('pcpu', 'The pCPU concerned. Null where it belongs to none.'),
      {
        name: 'offset',
        type: 'int64',
        unit: 'bytes',
        nullable: true,
        doc: 'Where in the (decompressed) trace.',
      },
      {
        name: 'bytes',
        type: 'int64',
        unit: 'bytes',
        nullable: false,
        doc: 'How many bytes could not be read.',
      },
      {
        name: 'count',
        type: 'int64',
        unit: 'count',
        nullable: false,
        doc: 'How often, where equal ones are one row.',
      },
      ns('t_ns', 'When, since the start of the trace. Null where no time is known.', true),
      { name: 'message', type: 'utf8', nullable: false, doc: 'What is the matter, in a sentence.' },
      { name: 'advice', type: 'utf8', nullable: false, doc: 'What to do about it.' },
    ],
  },
  {
    name: 'meta',
    kind: 'summary',
    doc: 'Where the tables come from, and how far to trust their times.',
    columns: [
      { name: 'key', type: 'utf8', nullable: false, doc: 'The name.' },
      { name: 'value', type: 'utf8', nullable: false, doc: 'The value, as text.' },
    ],
  },
];
