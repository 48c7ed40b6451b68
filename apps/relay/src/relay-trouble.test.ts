/** What happens to a machine by itself: a disk that fills up, and clients that take nothing. */
import { once } from 'node:events'
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { probeRelay } from '@skein/node/swarm'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { DEADLINE_MS, type RunningRelay, TestRelays } from './test-relay.ts'

const WITHIN = { timeout: DEADLINE_MS, interval: 200 }
const MIB = 1_048_576
const relays = new TestRelays()
const sockets: Socket[] = []

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await relays.clear()
})

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
    await vi.waitFor(() => expect(relay.log()).toContain('budget-not-kept'), WITHIN)
    expect(await isServed(relay)).toBe(true)
    rmSync(join(inside, 'filler'))
    const freed = Date.now()
    await vi.waitFor(() => expect(statSync(join(inside, 'relay.sqlite-wal')).mtimeMs).toBeGreaterThan(freed), WITHIN)
    expect(await isServed(relay)).toBe(true)
    expect(relay.child.exitCode).toBeNull()
  })

  it.skipIf(process.platform !== 'linux')('[RL24] does not grow by clients that ask and take nothing, and serves others', async () => {
    const relay = await relays.start(relays.newDir())
    const port = Number(new URL(relay.url).port)
    const rss = (): number => Number(readFileSync(`/proc/${relay.child.pid}/statm`, 'utf8').split(' ')[1]) * 4_096
    const descriptors = (): number => readdirSync(`/proc/${relay.child.pid}/fd`).length
    const [before, first] = [rss(), descriptors()]
    const asked = Buffer.from('GET /metrics HTTP/1.1\r\nHost: relay.example\r\n\r\n'.repeat(2_000))
    for (let n = 0; n < 20; n += 1) {
      const socket = connect(port, '127.0.0.1')
      sockets.push(socket)
      socket.on('error', () => undefined)
      await once(socket, 'connect')
      socket.write(asked)
    }
    expect(await isServed(relay)).toBe(true)
    expect(rss() - before).toBeLessThan(100 * MIB)
    await vi.waitFor(() => expect(descriptors()).toBeLessThan(first + sockets.length / 2), WITHIN)
    expect(await isServed(relay)).toBe(true)
  })
})

function fill(file: string): void {
  try {
    for (;;) writeFileSync(file, Buffer.alloc(65_536), { flag: 'a' })
  } catch {
    // No room any more, which is what was wanted.
  }
}
