import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  type ClassSource,
  EventCatalog,
  loadCatalog,
  parseDefinitions,
  readBuiltInSources,
} from '../../src/format/index.ts';
import { eventsMarkdown } from './events-markdown.ts';

const formats = new URL('../../formats/', import.meta.url);
const olderPaths = readdirSync(new URL('older/', formats))
  .sort()
  .map((name) => `older/${name}`);
const builtIn = readBuiltInSources();

test('docs/events.md is what the definitions say', async () => {
  const older = olderPaths.map((path) => {
    return {
      path: `formats/${path}`,
      source: JSON.parse(readFileSync(new URL(path, formats), 'utf8')) as ClassSource,
    };
  });
  await expect(eventsMarkdown(EventCatalog.builtIn(), older)).toMatchFileSnapshot('../../docs/events.md');
});

test.each(builtIn.map((source) => source.class))(
  "formats/%s.json stands the checks of a user's file",
  (name) => {
    const text = readFileSync(new URL(`${name}.json`, formats), 'utf8');
    const others = builtIn.filter((source) => source.class !== name);
    expect(parseDefinitions(text, `${name}.json`, others).events).toHaveLength(
      builtIn.find((source) => source.class === name)!.events.length,
    );
  },
);

test.each(olderPaths)('formats/%s replaces layouts that are built in', (path) => {
  const file = new URL(path, formats).pathname;
  const source = JSON.parse(readFileSync(file, 'utf8')) as ClassSource;
  const catalog = loadCatalog([file]);
  let replaced = 0;
  for (const { id, name, layouts } of source.events) {
    for (const { words } of layouts) {
      const layout = catalog.layouts[catalog.layoutIndex(Number(id), words)];
      expect(layout?.event.name).toBe(name);
      expect(layout?.until, `${name}/${words}`).toBeDefined();
      if (EventCatalog.builtIn().eventById(Number(id))) replaced++;
    }
  }
  expect(replaced).toBeGreaterThan(0);
});

test('samples/formats/patched-credit.yaml adds two events and a layout', () => {
  const builtIn = EventCatalog.builtIn();
  const catalog = loadCatalog([
    new URL('../../samples/formats/patched-credit.yaml', import.meta.url).pathname,
  ]);
  expect(catalog.events.length).toBe(builtIn.events.length + 2);
  expect(catalog.layouts.length).toBe(builtIn.layouts.length + 3);
  const { layouts } = catalog.eventByName('TRC_CSCHED_RATELIMIT')!;
  expect(layouts.map(({ words }) => words)).toEqual([2, 3]);
  const priority = catalog.eventByName('TRC_CSCHED_CREDIT_LEFT')!.layouts[0]!.fields[3]!;
  expect([...priority.values!]).toEqual([
    [0, 'boost'],
    [1, 'under'],
    [2, 'over'],
  ]);
});
