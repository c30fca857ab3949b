import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/**
 * Puts the command line together in dist/cli: a hundred modules take longer to load than most traces take to read. What
 * threads start from stays a file of its own, beside the code that looks for it there; so does what the experiments
 * use.
 */
export default defineConfig({
  root: path('../..'),
  // It is loaded whatever the verb, and quicker so.
  ssr: { noExternal: ['commander'] },
  build: {
    ssr: true,
    outDir: 'dist/cli',
    emptyOutDir: true,
    target: 'node20',
    minify: false,
    rolldownOptions: {
      input: {
        main: path('main.ts'),
        'run-pool': path('run-pool.ts'),
        'compare-worker': path('compare-worker.ts'),
        'timeline-worker': path('../timeline/timeline-worker.ts'),
        'runstate-worker': path('../xenalyze/runstate-worker.ts'),
      },
      output: { entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' },
    },
  },
});
