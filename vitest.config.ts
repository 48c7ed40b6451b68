/** One run over all projects; `npm run test:long` sets SKEIN_LONG_TESTS and adds the *.long.test.ts files. */
import { configDefaults, defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

const LONG = '**/*.long.test.{ts,mjs}'
const isLong = process.env['SKEIN_LONG_TESTS'] !== undefined
const exclude = isLong ? configDefaults.exclude : [...configDefaults.exclude, LONG]

/** Portable cryptography on two busy cores is slow; no test is about how long it takes. */
const TIMEOUT_MS = 30_000

/** Real processes on a machine that others use as well get one second try, and the run names each (tools/second-tries.mjs). */
const SECOND_TRY = { retry: 1 }

const unit = (name: string, include: string) => ({
  test: { name, include: [include], exclude, testTimeout: TIMEOUT_MS, setupFiles: ['tools/test-setup.mjs'] },
})

/** What takes minutes is begun first, or everything waits for it at the end; Vitest goes by the size of files. */
const LONGEST = ['e2e/conversation.test.ts', 'e2e/chaos.test.ts', 'browser/interface.test.ts', 'platform/delivery-chaos.test.ts']

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLongest = ({ moduleId }: TestSpecification): boolean => LONGEST.some((each) => moduleId.endsWith(each))
    const sorted = await super.sort(files)
    return [...sorted.filter(isLongest), ...sorted.filter((each) => !isLongest(each))]
  }
}

const BUILDS = 'e2e/start.test.ts'

interface Real {
  readonly include: string[]
  readonly exclude: string[]
  readonly maxWorkers: number
  readonly groupOrder: number
}

const real = (name: string, { groupOrder, ...files }: Real) => ({
  test: { name, ...SECOND_TRY, ...files, sequence: { groupOrder }, testTimeout: 180_000, hookTimeout: 180_000 },
})

export default defineConfig({
  test: {
    // One more than cores, at two: much of what runs here waits for clocks.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
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
          sequence: { groupOrder: 4 },
          testTimeout: 240_000,
        },
      },
      // Real processes and real sockets: after everything else, and never hurried. Four files at a time, but for what measures or boots: they wait more than they work.
      real('e2e', { include: ['e2e/*.test.ts'], exclude: [...exclude, BUILDS], maxWorkers: isLong ? 1 : 4, groupOrder: 1 }),
      // Much of it waits for pages; more than two browsers fill the machine.
      real('browser', { include: ['e2e/browser/**/*.test.ts'], exclude, maxWorkers: isLong ? 1 : 2, groupOrder: 2 }),
      // It builds what the others run.
      real('start', { include: [BUILDS], exclude, maxWorkers: 1, groupOrder: 3 }),
    ],
  },
})
