import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

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
  },
});
