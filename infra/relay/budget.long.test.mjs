// What the relay counts against what the kernel counts, on a cable between two network namespaces.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const INSIDE = fileURLToPath(new URL('budget-inside.mjs', import.meta.url))
const sandbox = (...command) =>
  spawnSync('unshare', ['--net', '--pid', '--fork', '--mount-proc', '--kill-child=KILL', ...command], {
    encoding: 'utf8',
    timeout: 200_000,
  })
const isPossible = process.platform === 'linux' && sandbox('ip', 'link', 'add', 'v0', 'type', 'veth').status === 0

it.skipIf(!isPossible)("[RL13] the month's traffic is within 1 % of the interface's, also over kill -9 and a restart", () => {
  const { stdout, stderr } = sandbox(process.execPath, INSIDE)
  const { before, after } = JSON.parse(stdout || `"${stderr}"`)
  for (const { relay, kernel, by } of [before, after]) {
    expect(by).toBe('interfaces')
    expect(kernel).toBeGreaterThan(1_000_000)
    expect(Math.abs(relay - kernel) / kernel).toBeLessThan(0.01)
  }
  expect(after.relay).toBeGreaterThan(2.5 * before.relay)
})
