import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, vi } from 'vitest'

const MAIN = fileURLToPath(new URL('../../bundle/main.js', import.meta.url))
/** Generous: the machine may be building at the same time. */
const DEADLINE_MS = 60_000

/** As the command of an installed relay sets it. */
const INSTALLED = {
  SKEIN_RELAY_ANNOUNCE_HOST: 'relay.invalid',
  SKEIN_RELAY_HTTPS: '1',
  SKEIN_RELAY_MAIL_DATABASE: 'postgres://nowhere.invalid',
}

async function run(...args: readonly string[]) {
  const env = { ...process.env, ...INSTALLED }
  const child = spawn(process.execPath, [MAIN, 'bench', '--json', ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'exit') as Promise<[number]>])
  return { code, result: JSON.parse(said) as Record<string, number> }
}

/** Processes of this user whose parent is, or was, that one; Linux. */
function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((each) => /^\d+$/.test(each))
    .filter((each) => parentOf(each) === parent)
    .map(Number)
}

function parentOf(process: string): number | undefined {
  try {
    return Number(readFileSync(`/proc/${process}/stat`, 'utf8').split(') ')[1]?.split(' ')[1])
  } catch {
    return undefined
  }
}

function isThere(process: number): boolean {
  return parentOf(String(process)) !== undefined
}

describe('skein-relay bench', { timeout: 2 * DEADLINE_MS }, () => {
  it("[RL25] says what joins, waits and passes, whatever the installed relay's settings are", async () => {
    const { code, result } = await run('--members', '4', '--seconds', '1')
    expect(code).toBe(0)
    expect(Object.keys(result).sort()).toEqual([
      'answer_p50_ms_idle',
      'answer_p99_ms_idle',
      'answer_p99_ms_under_bulk',
      'cores',
      'cpu_s_per_gib',
      'join_p99_ms',
      'joins_per_s',
      'members',
      'relayed_mb_per_s',
      'rss_kb_per_member',
    ])
    for (const name of ['answer_p50_ms_idle', 'cpu_s_per_gib', 'join_p99_ms', 'joins_per_s', 'relayed_mb_per_s'])
      expect(result[name]).toBeGreaterThan(0)
  })

  it('refuses numbers that mean nothing', async () => {
    for (const args of [
      ['--members', '1'],
      ['--members', 'x'],
      ['--seconds', '0'],
      ['--seconds', '1e9'],
    ])
      expect(await run(...args)).toMatchObject({ code: 2, result: { error: { code: 'USAGE' } } })
  })

  it.skipIf(process.platform !== 'linux')('[RL25] killed, it leaves no relay and no members running', async () => {
    const child = spawn(process.execPath, [MAIN, 'bench', '--members', '500'], { stdio: 'ignore' })
    const { pid = 0 } = child
    const started = await vi.waitFor(
      () => {
        const found = childrenOf(pid)
        expect(found).toHaveLength(3)
        return found
      },
      { timeout: DEADLINE_MS },
    )
    child.kill('SIGKILL')
    await vi.waitFor(() => expect(started.filter(isThere)).toEqual([]), { timeout: DEADLINE_MS })
  })
})
