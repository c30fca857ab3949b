import { h } from './dom.ts';

const THEMES = ['system', 'light', 'dark'] as const;

/** Light or dark as the system has it, unless the reader chooses; print is always light. */
export function themeChooser(onChange: () => void): HTMLElement {
  const root = document.documentElement;
  let chosen: (typeof THEMES)[number] = 'system';
  const system = matchMedia('(prefers-color-scheme: dark)');
  const apply = (printing = false) => {
    const dark = chosen === 'dark' || (chosen === 'system' && system.matches);
    root.dataset.theme = dark && !printing ? 'dark' : 'light';
    onChange();
  };
  const button = h('button', { type: 'button' });
  const name = () => {
    button.textContent = `Theme: ${chosen}`;
  };
  button.addEventListener('click', () => {
    chosen = THEMES[(THEMES.indexOf(chosen) + 1) % THEMES.length];
    name();
    apply();
  });
  system.addEventListener('change', () => apply());
  window.addEventListener('beforeprint', () => apply(true));
  window.addEventListener('afterprint', () => apply());
  name();
  root.dataset.theme = system.matches ? 'dark' : 'light';
  return button;
}
