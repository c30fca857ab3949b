import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'src/xenalyze/wasm/compile.mjs',
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Vitest leaves one processor alone unless told otherwise: with two of them, that is half of the machine.
    maxWorkers: availableParallelism(),
  },
});
