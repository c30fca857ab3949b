type Child = Node | string | null | undefined | false;

/** Attributes; `on...` is a listener. False and undefined leave an attribute out, true makes it empty. */
export type Attributes = Record<string, string | number | boolean | undefined | ((event: never) => void)>;

/** An element with attributes and children; text is never taken as HTML. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (typeof value === 'function') element.addEventListener(name.slice(2), value as EventListener);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

let ids = 0;

/** An id that no other element has. */
export function newId(prefix: string): string {
  ids++;
  return `${prefix}-${ids}`;
}

/** What a colour is called in page.css, in the present theme. */
export function cssColor(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
