import { ACTION_KEYS, ARINC653_ENTRY_KEYS, ARINC653_KEYS } from './arinc653-keys.ts';
import { BOOT_PARAMETERS } from './boot-parameters.ts';
import { COMMAND_FORMS, type CommandForm } from './command-forms.ts';
import { GUEST_KEYS, PHASE_KEYS, STEP_KEYS, TASK_KEYS } from './guest-keys.ts';
import {
  CPUPOOL_KEYS,
  DOMAIN_KEYS,
  HOST_KEYS,
  RTDS_KEYS,
  SCENARIO_KEYS,
  SERVER_KEYS,
  SETTING_KEYS,
  TRACE_KEYS,
  VCPU_KEYS,
} from './keys.ts';
import type { Key } from './read-keys.ts';
import { SEDF_KEYS } from './sedf-keys.ts';
import { WORKLOAD_FORMS, type WorkloadForm } from './workload-language.ts';

/**
 * The tables of docs/scenarios.md, in Markdown: every key, workload and boot parameter of the language,
 * from the declarations that the reader goes by.
 */
export function keyReference(): string {
  return [
    section('The scenario', SCENARIO_KEYS),
    section('`host`', HOST_KEYS),
    section('`trace`', TRACE_KEYS),
    section('Each of `domains`', DOMAIN_KEYS),
    section('Each of `vcpus`', VCPU_KEYS),
    section('`rtds`', RTDS_KEYS),
    section('`sedf`', SEDF_KEYS),
    section('`server`', SERVER_KEYS, "beside the vCPU's `workload`"),
    section('Each of `adjust`', SETTING_KEYS),
    section('Each of `cpupools`', CPUPOOL_KEYS),
    section('`arinc653`', ARINC653_KEYS),
    section('Each of its `entries`', ARINC653_ENTRY_KEYS),
    section('Each of `actions`', ACTION_KEYS),
    commandSection(),
    workloadSection(),
    section('`guest`', GUEST_KEYS),
    section('Each of `tasks`', TASK_KEYS),
    section('Each of `steps`', STEP_KEYS),
    section('Each of `phases`', PHASE_KEYS),
    parameterSection(),
  ].join('\n\n');
}

/** `elsewhere`: where spellings stand that are not in the map itself. */
function section(
  title: string,
  keys: Readonly<Record<string, unknown>>,
  elsewhere = 'at the top level',
): string {
  const rows = (Object.values(keys) as Key<unknown>[]).map((one) => [
    `\`${one.name}\``,
    one.type.label,
    one.default,
    meaning(one, elsewhere),
  ]);
  return `### ${title}\n\n${table(['key', 'type', 'default', 'meaning'], rows)}`;
}

function commandSection(): string {
  const forms: readonly CommandForm[] = Object.values(COMMAND_FORMS);
  const rows = forms.map(({ usage, doc }) => [usage.map((one) => `\`${one}\``).join(' or '), doc]);
  return `### Commands\n\n${table(['command', 'what it does'], rows)}`;
}

function meaning(one: Key<unknown>, elsewhere: string): string {
  const spellings = [
    ...one.aliases.map(({ name }) => `\`${name}\``),
    ...one.topLevel.map(({ name }) => `\`${name}\` ${elsewhere}`),
  ];
  const limits = /^a whole number (.*)$/.exec(one.type.expected)?.[1];
  const limit = limits === undefined ? '' : ` A whole number ${limits}.`;
  return `${one.doc}${limit}${spellings.length === 0 ? '' : ` Also: ${spellings.join(', ')}.`}`;
}

function workloadSection(): string {
  const rows: string[][] = [];
  for (const [kind, form] of Object.entries(WORKLOAD_FORMS) as [string, WorkloadForm][]) {
    const optional = (name: string) => form.parts.find((one) => one.name === name)?.default !== undefined;
    const order = form.inOrder.map((name) => (optional(name) ? `[${name}]` : name));
    rows.push([`\`${[kind, ...order].join(' ')}\``, '', '', form.doc]);
    for (const one of form.parts) {
      const type = one.kind === 'drawn' ? 'duration, may be drawn' : 'duration';
      rows.push([`... \`${one.name}\``, type, one.default ?? 'required', one.doc]);
    }
  }
  return `### Workloads\n\n${table(['workload', 'type', 'default', 'meaning'], rows)}`;
}

function parameterSection(): string {
  const rows = BOOT_PARAMETERS.map((one) => [
    `\`${one.name}\``,
    one.schedulers.join(', '),
    one.type.expected.replace(/^a /, ''),
    String(one.default),
    one.doc + (one.since ? ` Since Xen ${one.since}.` : ''),
  ]);
  return `### Boot parameters\n\n${table(['`params`', 'scheduler', 'value', 'default', 'meaning'], rows)}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
