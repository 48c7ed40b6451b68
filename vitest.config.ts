/** One run over all projects; `npm run test:long` sets SKEIN_LONG_TESTS and adds the *.long.test.ts files. */
import { configDefaults, defineConfig } from 'vitest/config'

const LONG = '**/*.long.test.{ts,mjs}'
const exclude = process.env['SKEIN_LONG_TESTS'] ? configDefaults.exclude : [...configDefaults.exclude, LONG]

/** Portable cryptography on two busy cores is slow; no test is about how long it takes. */
const TIMEOUT_MS = 30_000

/** Real processes on a machine that others use as well get one second try, and the run names each (tools/second-tries.mjs). */
const SECOND_TRY = { retry: 1 }

const unit = (name: string, include: string) => ({ test: { name, include: [include], exclude, testTimeout: TIMEOUT_MS } })

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      unit('core', 'packages/core/src/**/*.test.ts'),
      unit('node', 'packages/node/src/**/*.test.ts'),
      unit('relay', 'apps/relay/src/**/*.test.ts'),
      unit('cli', 'apps/cli/src/**/*.test.ts'),
      unit('desktop', 'apps/desktop/src/**/*.test.ts'),
      unit('web', 'apps/web/src/**/*.test.ts'),
      // GitHub's parser of workflows imports JSON as bundlers do.
      { test: { name: 'tools', include: ['tools/**/*.test.mjs'], testTimeout: 60_000, server: { deps: { inline: [/@actions\//] } } } },
      {
        // Real processes in networks of their own: after everything else, one file at a time.
        test: {
          name: 'natlab',
          ...SECOND_TRY,
          include: ['infra/**/*.test.mjs'],
          exclude,
          fileParallelism: false,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
          testTimeout: 240_000,
        },
      },
      {
        // Real processes and real sockets: one file at a time, after everything else, and never hurried.
        test: {
          name: 'e2e',
          ...SECOND_TRY,
          include: ['e2e/**/*.test.ts'],
          exclude,
          fileParallelism: false,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
})
