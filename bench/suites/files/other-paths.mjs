// The same two programs where they do not reach each other by TCP: over their relay, and by WebRTC.
import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { befriend, median, send, sleep, startClient, startRelay } from './processes.mjs'
import { startRoutes } from './routes.mjs'

const BYTES = 64_000_000
const ROUNDS = 3
const UPGRADE_MS = 60_000

/** MB/s over a relay and by WebRTC; `null` where network namespaces cannot be made, or no such path comes about. */
export async function otherPaths(top) {
  const routes = startRoutes()
  if (routes === undefined) return { relayed: null, webrtc: null }
  const dir = join(top, 'routes')
  const undo = [routes.end]
  try {
    mkdirSync(dir)
    writeFileSync(join(dir, 'file'), randomBytes(BYTES))
    const relay = await startRelay(join(dir, 'relay'), { host: routes.relay, within: routes.within('relay') })
    undo.push(relay.end)
    const both = await clients(dir, { relay: relay.url, routes })
    await befriend(...both, { path: 'relayed', folder: join(dir, 'in') })
    const relayed = await rate(both, join(dir, 'file'))
    for (const each of both) await each.end()
    routes.allowUdp()
    const again = await clients(dir, { relay: relay.url, routes })
    undo.push(...again.map((each) => each.end))
    return { relayed, webrtc: (await hasWebrtc(...again)) ? await rate(again, join(dir, 'file')) : null }
  } finally {
    for (const end of undo.reverse()) await end()
  }
}

function clients(dir, { relay, routes }) {
  const start = (name, side) => startClient(join(dir, name), { name, relay, within: routes.within(side) })
  return Promise.all([start('cem', 'left'), start('dora', 'right')])
}

async function rate([from, to], path) {
  const seconds = []
  for (let round = 0; round < ROUNDS; round += 1) seconds.push((await send(from, to, [path])).seconds)
  return BYTES / 1e6 / median(seconds)
}

async function hasWebrtc(from, to) {
  for (const end = performance.now() + UPGRADE_MS; performance.now() < end; await sleep(250)) {
    const { path, transport } = await from.api.why({ contact: to.name })
    if (path !== 'relayed' && transport === 'webrtc') return true
  }
  return false
}
