import { DOMAIN_ID_MAX, nested, SETTING_KEYS, VCPUS_PER_DOMAIN_MAX } from './keys.ts';
import { key } from './read-keys.ts';
import { duration, wholeNanoseconds, wholeNumber, yesOrNo } from './value-types.ts';

/* The keys of ARINC653's tables, and of what the toolstack does, in the manner of keys.ts. */

export const ARINC653_KEYS = {
  majorFrame: key({
    name: 'major_frame',
    type: duration(),
    default: 'required',
    doc: 'How often the slots repeat; at least their sum. What is left of it is idle.',
    aliases: [{ name: 'major_frame_ns', type: wholeNanoseconds() }],
  }),
  entries: key({
    name: 'entries',
    type: nested('list'),
    default: 'required',
    doc: 'The slots, 1 to 64, one after the other from the start of the frame.',
  }),
  expectRefusal: key({
    name: 'expect_refusal',
    type: yesOrNo,
    default: 'false',
    doc: 'Xen refuses this table, so that the one before stays. Without this such a table is a mistake.',
  }),
};

export const ARINC653_ENTRY_KEYS = {
  dom: key({
    name: 'dom',
    type: wholeNumber(0, DOMAIN_ID_MAX),
    default: 'required',
    doc: 'Whose slot it is. It stays idle if there is no such domain.',
  }),
  vcpu: key({
    name: 'vcpu',
    type: wholeNumber(0, VCPUS_PER_DOMAIN_MAX - 1),
    default: '0',
    doc: 'Which of its vCPUs.',
  }),
  runtime: key({
    name: 'runtime',
    type: duration(),
    default: 'required',
    doc: 'Length of the slot.',
    aliases: [{ name: 'runtime_ns', type: wholeNanoseconds() }],
  }),
};

export const ACTION_KEYS = {
  at: key({
    name: 'at',
    type: duration(),
    default: 'required',
    doc: 'When; before anything else that happens at that instant.',
    aliases: [
      { name: 'at_ns', type: wholeNanoseconds() },
      { name: 't_ns', type: wholeNanoseconds() },
    ],
  }),
  do: key({
    name: 'do',
    type: nested('text or list'),
    default: 'or `arinc653`',
    doc: 'A command of xl, or a list of them (see below).',
  }),
  arinc653: key({
    name: 'arinc653',
    type: nested('map'),
    default: 'or `do`',
    doc: 'A new table for ARINC653.',
  }),
  sedf: key({
    name: 'sedf',
    type: nested('map'),
    default: 'or `do`',
    doc: "New parameters of a domain under SEDF: the keys of a domain's `sedf` and `dom`, the domain's id.",
  }),
  dom: key({
    name: 'dom',
    type: wholeNumber(0, DOMAIN_ID_MAX),
    default: 'or `do`',
    doc: "The machine model's way, and order: its parameters are set to what follows, and read back.",
  }),
  ...SETTING_KEYS,
};
