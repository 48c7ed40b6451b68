/** What happens to a machine by itself: a disk that fills up. */
import { rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { probeRelay } from '@skein/node/swarm'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { DEADLINE_MS, type RunningRelay, TestRelays } from './test-relay.ts'

const WITHIN = { timeout: DEADLINE_MS, interval: 200 }
const relays = new TestRelays()

afterEach(() => relays.clear())

async function isServed(relay: RunningRelay): Promise<boolean> {
  const found = await probeRelay(relay.addresses.slice(0, 1), { withinMs: DEADLINE_MS })
  return found[0]?.error === undefined && (await fetch(`${relay.url}/healthz`)).ok && (await fetch(`${relay.url}/metrics`)).ok
}

/** A data directory of its own with so little room, seen by nobody but the relay. */
const small = (dir: string): string[] => [
  'unshare',
  '-rm',
  'sh',
  '-c',
  `mount -t tmpfs -o size=4m tmpfs "${dir}" && exec "$0" "$@"`,
  process.execPath,
]

const canMount = process.platform === 'linux' && process.getuid?.() === 0

describe('a relay in trouble', { timeout: 240_000 }, () => {
  it.skipIf(!canMount)('[RL24] serves on a full disk, says so, and keeps its figures again when there is room', async () => {
    const dir = relays.newDir()
    const relay = await relays.startBy(small(dir), dir)
    const inside = join(`/proc/${relay.child.pid}/root`, dir)
    fill(join(inside, 'filler'))
    await vi.waitFor(() => expect(relay.log()).toMatch(/"code":"(SQLITE_FULL|SQLITE_IOERR_\w+)".*"msg":"budget-not-kept"/), WITHIN)
    expect(await isServed(relay)).toBe(true)
    expect(await (await fetch(`${relay.url}/readyz`)).json()).toEqual({ ready: false, waiting: ['disk'] })
    expect(await (await fetch(`${relay.url}/metrics`)).text()).toMatch(/skein_relay_refusals_total{service="budget",reason="disk-f\w+"}/)
    rmSync(join(inside, 'filler'))
    const freed = Date.now()
    await vi.waitFor(() => expect(statSync(join(inside, 'relay.sqlite-wal')).mtimeMs).toBeGreaterThan(freed), WITHIN)
    expect(await isServed(relay)).toBe(true)
    expect(relay.child.exitCode).toBeNull()
  })
})

function fill(file: string): void {
  try {
    for (;;) writeFileSync(file, Buffer.alloc(65_536), { flag: 'a' })
  } catch {
    // No room any more, which is what was wanted.
  }
}
