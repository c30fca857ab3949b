import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

/** Its licence asks to go wherever its code goes. */
const uplotLicense = readFileSync(new URL('../../../node_modules/uplot/LICENSE', import.meta.url), 'utf8');

/** Makes dist/page/browser/page.js and page.css, which every report carries. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  build: {
    outDir: '../../../dist/page/browser',
    emptyOutDir: true,
    target: 'es2022',
    lib: {
      entry: 'main.ts',
      formats: ['iife'],
      name: 'xenscope',
      fileName: () => 'page.js',
      cssFileName: 'page',
    },
    rolldownOptions: { output: { postBanner: `/*! Contains uPlot.\n${uplotLicense}*/` } },
  },
});
