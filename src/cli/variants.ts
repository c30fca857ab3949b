import { basename } from 'node:path';
import { closestWord } from '../base/closest-word.ts';
import { UserError, UserErrors } from '../base/errors.ts';
import {
  changeScenario,
  parseScenario,
  readScenarioText,
  type Scenario,
  type ScenarioOverrides,
  type Setting,
} from '../scenario/index.ts';

/** One way of running a scenario. */
export interface Variant {
  readonly name: string;
  readonly file: string;
  readonly text: string;
  readonly xen: string | undefined;
  readonly scheduler: string | undefined;
  /** What its set of parameters changes. */
  readonly settings: readonly Setting[];
  /** With any seed. */
  readonly scenario: Scenario;
}

/** What `--set` says: a name, and keys with their new values. */
export interface ParameterSet {
  readonly name: string;
  readonly settings: readonly Setting[];
}

/**
 * `name: key=value,key=value`; without a name the text itself is the name. Commas within brackets do not
 * part.
 */
export function parseParameterSet(text: string): ParameterSet {
  const named = /^\s*([^:={}[\]"]+?)\s*:\s*(.*)$/s.exec(text);
  const body = (named ? named[2] : text).trim();
  const settings = splitAtCommas(body).map((item) => {
    const match = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/s.exec(item);
    if (!match) {
      throw new UserError('usage', `--set "${text}": "${item.trim()}" should look like key=value`);
    }
    return { path: match[1], value: match[2] };
  });
  if (settings.length === 0) throw new UserError('usage', `--set "${text}" sets nothing`, { hint: SET_FORM });
  return { name: named ? named[1] : body, settings };
}

const SET_FORM = 'for example --set "short: sched_credit_tslice_ms=5,web.weight=512"';

function splitAtCommas(text: string): string[] {
  const items: string[] = [];
  let [depth, quoted, start] = [0, false, 0];
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === '"') quoted = !quoted;
    else if (quoted) continue;
    else if ('([{'.includes(char)) depth++;
    else if (')]}'.includes(char)) depth--;
    else if (char === ',' && depth === 0) {
      items.push(text.slice(start, at));
      start = at + 1;
    }
  }
  return [...items, text.slice(start)].filter((item) => item.trim() !== '');
}

export interface VariantOptions {
  readonly schedulers: readonly string[];
  readonly sets: readonly ParameterSet[];
  readonly xen: string | undefined;
  readonly durationNs: number | undefined;
}

/**
 * Every scenario under every scheduler, as it stands and with each set of parameters. Those that would run
 * the same as an earlier one (a parameter that the scheduler does not read) are left out, and named in
 * `repeated`.
 *
 * Throws UserError for mistakes in the scenarios, unknown schedulers and keys, and where there is nothing to
 * compare.
 */
export function variantsOf(
  files: readonly string[],
  { schedulers, sets, xen, durationNs }: VariantOptions,
): { variants: Variant[]; repeated: string[] } {
  const variants = new Map<string, Variant>();
  const repeated: string[] = [];
  for (const file of files) {
    const text = readScenarioText(file);
    for (const scheduler of schedulers.length > 0 ? schedulers : [undefined]) {
      parseScenario(text, file, { xen, scheduler, durationNs });
      for (const set of [undefined, ...sets]) {
        const own = {
          xen: settingOf(set, 'xen') ?? xen,
          scheduler: settingOf(set, 'scheduler') ?? scheduler,
        };
        const changes = (set?.settings ?? []).filter(({ path }) => path !== 'xen' && path !== 'scheduler');
        const { changed, scenario } = changedScenario(text, file, set?.name, changes, { ...own, durationNs });
        const fileName = basename(file).replace(/\.[^.]+$/, '');
        const parts = [files.length > 1 ? fileName : undefined, scheduler, set?.name];
        const name = parts.filter((part) => part !== undefined).join(' ') || scenario.scheduler;
        const settings = set?.settings ?? [];
        const identity = identityOf(scenario);
        if (variants.has(identity)) repeated.push(`${name} runs the same as ${variants.get(identity)!.name}`);
        else variants.set(identity, { name, file, text: changed, ...own, settings, scenario });
      }
    }
  }
  return { variants: distinctNames([...variants.values()]), repeated };
}

function settingOf(set: ParameterSet | undefined, path: string): string | undefined {
  return set?.settings.find((setting) => setting.path === path)?.value;
}

function changedScenario(
  text: string,
  file: string,
  set: string | undefined,
  settings: readonly Setting[],
  overrides: ScenarioOverrides,
): { changed: string; scenario: Scenario } {
  if (settings.length === 0) return { changed: text, scenario: parseScenario(text, file, overrides) };
  if (settings.some(({ path }) => path === 'seed')) {
    throw new UserError('usage', `--set "${set}": the seeds are those of --seeds`);
  }
  try {
    const changed = changeScenario(text, file, settings);
    return { changed, scenario: parseScenario(changed, file, overrides) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    // The scenario itself is right, and positions in the changed text are nobody's.
    const mistakes = error instanceof UserErrors ? error.errors : [error];
    const sentences = mistakes.map(({ message }) => message.replace(/^[^\n]*?:\d+:\d+: /, ''));
    throw new UserError(error.code, `--set "${set}": ${sentences.join('; ')}`);
  }
}

/** All that a run depends on besides its seed. */
function identityOf({ name, description, seed, ...rest }: Scenario): string {
  return JSON.stringify(rest, (_, value) => (typeof value === 'bigint' ? `${value}n` : value));
}

/** The second one of a name gets a number. */
function distinctNames(variants: readonly Variant[]): Variant[] {
  const seen = new Map<string, number>();
  return variants.map((variant) => {
    const times = (seen.get(variant.name) ?? 0) + 1;
    seen.set(variant.name, times);
    return times === 1 ? variant : { ...variant, name: `${variant.name} (${times})` };
  });
}

/**
 * The baseline first: the one that is called so, else the first. Throws UserError where there is none of that
 * name.
 */
export function baselineFirst(variants: readonly Variant[], name: string | undefined): Variant[] {
  const baseline = name === undefined ? variants[0] : variants.find((variant) => variant.name === name);
  if (baseline === undefined) {
    const names = variants.map((variant) => variant.name);
    const close = closestWord(name!, names);
    throw new UserError('usage', `there is no variant "${name}" for the baseline`, {
      hint: close ? `did you mean "${close}"?` : `there are ${names.join(', ')}`,
    });
  }
  return [baseline, ...variants.filter((variant) => variant !== baseline)];
}
