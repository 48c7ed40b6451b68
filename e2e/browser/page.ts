/**
 * Runs inside the page: the test files as they are, under vitest's own runner and `expect`. Vitest's browser mode cannot
 * be used, as its page needs a secure origin; so this gives the runner the little it asks of a worker.
 */
import type { startTests as StartTests } from 'vitest/internal/browser'
import type { TestFile } from './test-files.js'
import type { PageReport, PageResult } from './page-report.ts'

type Runner = Parameters<typeof StartTests>[1]
type Task = Awaited<ReturnType<typeof StartTests>>[number]['tasks'][number]

/** Portable cryptography is slow, and so may be the machine. */
const TEST_TIMEOUT_MS = 180_000

/** Tests that run: all, or those whose name fits. */
const only = new URLSearchParams(globalThis.location.search).get('only')

const config = {
  ...(only === null ? {} : { testNamePattern: new RegExp(only) }),
  root: '/',
  name: 'chromium',
  setupFiles: [],
  allowOnly: false,
  passWithNoTests: false,
  testTimeout: TEST_TIMEOUT_MS,
  hookTimeout: TEST_TIMEOUT_MS,
  retry: 0,
  maxConcurrency: 1,
  includeTaskLocation: false,
  tags: [],
  tagsFilter: undefined,
  strictTags: false,
  sequence: { shuffle: false, concurrent: false, seed: 0, hooks: 'stack', setupFiles: 'list' },
  expect: {},
  snapshotOptions: {},
  fakeTimers: {},
  experimental: {},
}

function runnerOf(files: ReadonlyMap<string, TestFile>): Runner {
  const runner = { config, pool: 'browser', importFile: async (path: string) => files.get(path)?.() }
  // The runner's type asks for the whole configuration; what is used of it is above, and what is missing fails loudly.
  return runner as unknown as Runner
}

function resultsOf(task: Task, within: readonly string[]): readonly PageResult[] {
  const path = [...within, task.name]
  const errors = task.result?.errors?.map(({ message, stack }) => `${message}\n${stack ?? ''}`) ?? []
  const state = task.result?.state ?? 'not run'
  // Not asked for.
  if (only !== null && task.mode === 'skip') return []
  if (task.type === 'test') return [{ name: path.join(' > '), state, errors }]
  const own = errors.length === 0 ? [] : [{ name: path.join(' > '), state: 'fail', errors }]
  return [...own, ...task.tasks.flatMap((inner) => resultsOf(inner, path))]
}

async function run(): Promise<PageReport> {
  Object.defineProperty(globalThis, '__vitest_worker__', { value: { config, ctx: { pool: 'browser' }, environment: { name: 'chromium' } } })
  // Only now: vitest reads the state above while it is loaded.
  const [{ startTests }, { files }] = await Promise.all([import('vitest/internal/browser'), import('./test-files.js')])
  const done = await startTests([...files.keys()], runnerOf(files))
  return {
    secureContext: globalThis.isSecureContext,
    subtle: typeof globalThis.crypto.subtle,
    results: done.flatMap((file) => resultsOf(file, [])),
  }
}

Object.assign(globalThis, { skeinReport: run() })
