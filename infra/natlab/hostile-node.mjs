// A client that breaks the rules of the mesh, in the place of `skein`: `hostile-node.mjs KIND up --data-dir D …`. It is the real
// client with its mesh turned against the others.
import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { createClient, loadConfig } from '../../packages/node/dist/client/index.js'
import { decodeRouteFrame, encodeRouteFrame } from '../../packages/core/dist/wire/mesh-route.js'

const FLOOD_EVERY_MS = 20
const FRAMES_AT_ONCE = 60
/** Of eight other devices and these, a third are one machine. */
const CROWD = 4

const KINDS = {
  /** Takes everything, gives nothing on. */
  'black-hole': (mesh) => {
    mesh.transfers.offerNext = () => undefined
    mesh.routes.options.send = () => undefined
  },
  /** Says of 3,000 bundles a second that they are on their way; none is what it claims to be. */
  flooder: (mesh) => {
    setInterval(() => {
      for (const session of mesh.sessions.values())
        for (let count = 0; count < FRAMES_AT_ONCE; count += 1) session.say({ kind: 'route', frame: garbage() }, { mayBeLost: true })
    }, FLOOD_EVERY_MS)
  },
  /** Gives on every other bundle, by its key. */
  selective: (mesh) => {
    const { send } = mesh.routes.options
    mesh.routes.options.send = (link, frame) => {
      const { kind, key } = decodeRouteFrame(frame)
      if (kind !== 'forward' || Number.parseInt(key.at(-1), 16) % 2 === 0) send(link, frame)
    }
  },
  /** Claims every address it hears of, and so gets what is for others; it opens none of it and gives none on. */
  thief: (mesh) => {
    hear(mesh, (address) => {
      mesh.addresses.add(address)
      mesh.node.readdress()
    })
  },
  /** Says that it has just met everybody it hears of, so that all give it copies, and keeps them. */
  sybil: (mesh) => {
    const heard = new Set()
    hear(mesh, (address) => heard.add(address))
    mesh.node.options.policy.prospects = () => new Map([...heard].map((address) => [address, 0]))
    mesh.transfers.offerNext = () => undefined
  },
  /** The same under several identities, which have joined beside it. */
  crowd: (mesh) => KINDS.sybil(mesh),
  /** Sends everything that passes ten times. */
  replayer: (mesh) => {
    const { send } = mesh.routes.options
    mesh.routes.options.send = (link, frame) => {
      for (let count = 0; count < 10; count += 1) send(link, frame)
    }
  },
}

/** Tells of each address that something is for. */
function hear(mesh, tell) {
  const { verdict } = mesh.routes.options
  mesh.routes.options.verdict = (dispatch) => {
    tell(dispatch.address)
    return verdict(dispatch)
  }
}

const garbage = () =>
  encodeRouteFrame({
    kind: 'forward',
    key: randomBytes(8).toString('hex'),
    attempt: 1,
    address: 1,
    lock: randomBytes(16).toString('hex'),
    hopLimit: 64,
    flood: true,
    payload: randomBytes(500),
  })

const [kind, ...rest] = process.argv.slice(2)
const { values } = parseArgs({
  args: rest,
  strict: false,
  allowPositionals: true,
  options: { 'data-dir': { type: 'string' }, name: { type: 'string' } },
})
const dataDir = values['data-dir']
/** Identities of one machine: each has its own folder, keys and places among the neighbours. */
async function join(folder) {
  mkdirSync(folder, { recursive: true })
  return createClient({ dataDir: folder, ...loadConfig({ dataDir: folder, env: process.env, flags: { name: values.name } }) })
}
const client = await join(dataDir)
KINDS[kind](client.messenger.mesh)
if (kind === 'crowd')
  for (let number = 1; number < CROWD; number += 1) KINDS.sybil((await join(path.join(dataDir, `identity-${number}`))).messenger.mesh)
const { account, device } = client.messenger.identity
process.stdout.write(`${JSON.stringify({ event: 'ready', account, device, addresses: client.swarm.addresses(), pid: process.pid })}\n`)
