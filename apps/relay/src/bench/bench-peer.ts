/** One process of `skein-relay bench`: members of the relay that is measured, and a raw connection between two of them. */
import { type Channel, encodeCardRequest, parseDeviceId } from '@skein/core'
import { type BulkConnection, BulkChannels, endpointOf } from '@skein/node/bulk'
import { type Libp2pSwarm, systemClock, systemRandom, temporaryMember } from '@skein/node/swarm'
import { createLogger } from '../log.ts'
import type { Answer, Order, Orders } from './words.ts'

/** What raw connections carry here. */
const PURPOSE = 'bench'
const FRAME_BYTES = 262_144
const LOCATOR_BYTES = 32
/** Between two looks at whether a relay was joined, ms. */
const LOOK_EVERY_MS = 5
/** For one member to have its place, ms: on loopback, on a machine that does much else. */
const JOIN_WITHIN_MS = 60_000
const logger = createLogger({ debug: false, debugIdentities: false })
const stopping = new AbortController()
const members: Libp2pSwarm[] = []
let bulk: BulkConnection | undefined

async function join({ url, count }: Orders['join']['input']): Promise<Orders['join']['output']> {
  const times: number[] = []
  for (let left = count; left > 0; left -= 1) times.push(await joinOne(url))
  return { devices: members.slice(-count).map(({ self }) => self), times }
}

async function joinOne(url: string): Promise<number> {
  const swarm = temporaryMember(url, logger)
  const started = performance.now()
  await swarm.start()
  while (swarm.relays()[0]?.reserved !== true) {
    if (performance.now() - started > JOIN_WITHIN_MS) throw new Error('the relay gives no place')
    await systemClock.sleep(LOOK_EVERY_MS)
  }
  members.push(swarm)
  return performance.now() - started
}

async function ask({ url, count }: Orders['ask']['input']): Promise<Orders['ask']['output']> {
  const times: number[] = []
  for (let left = count; left > 0; left -= 1) {
    const started = performance.now()
    await askOnce(url)
    times.push(performance.now() - started)
  }
  return { times }
}

/** A stream of its own each time, as clients do it. */
async function askOnce(url: string): Promise<void> {
  const opened = await firstMember().openRelay(url, '/skein/card/1')
  if (opened.kind === 'absent') throw new Error(`the relay does not answer: ${opened.reason}`)
  await opened.channel.send(encodeCardRequest({ kind: 'get', key: systemRandom.bytes(LOCATOR_BYTES) }))
  await firstFrame(opened.channel)
  opened.channel.close()
}

async function firstFrame(channel: Channel): Promise<void> {
  for await (const _ of channel.frames()) return
  throw new Error('the relay ended without an answer')
}

function firstMember(): Libp2pSwarm {
  const [first] = members
  if (first === undefined) throw new Error('no member has joined')
  return first
}

/** Nothing but the relay leads from one end to the other. */
function channelsOver(relay: string): BulkChannels {
  const swarm = firstMember()
  const device = parseDeviceId(relay.split('/p2p/')[1] ?? '')
  const endpoint = endpointOf(relay)
  return new BulkChannels({
    logger,
    random: systemRandom,
    stopping: stopping.signal,
    handlers: new Map([[PURPOSE, { allows: () => true, onOpened: (connection) => void swallow(connection) }]]),
    open: (...wanted) => swarm.open(...wanted),
    serve: (...served) => void swarm.handle(...served),
    directPaths: async () => ({ dialled: [], wasDialled: false, known: [] }),
    relayPaths: () => [{ device, endpoints: endpoint === undefined ? [] : [endpoint] }],
  })
}

async function swallow(connection: BulkConnection): Promise<void> {
  for await (const _ of connection);
}

/** Without a device: is ready to be opened to. */
async function open({ device, relay }: Orders['open']['input']): Promise<Orders['open']['output']> {
  const channels = channelsOver(relay)
  if (device === '') {
    channels.serve()
    return {}
  }
  const outcome = await channels.open(parseDeviceId(device), PURPOSE)
  if (outcome.kind === 'absent') throw new Error(`no raw connection: ${outcome.reason}`)
  bulk = outcome.connection
  return {}
}

async function pour({ forMs }: Orders['pour']['input']): Promise<Orders['pour']['output']> {
  const frame = new Uint8Array(FRAME_BYTES).fill(7)
  const until = performance.now() + forMs
  let bytes = 0
  for (; performance.now() < until; bytes += FRAME_BYTES) await bulk?.write(frame)
  return { bytes }
}

function perform(order: Order): Promise<unknown> {
  switch (order.name) {
    case 'join':
      return join(order.input)
    case 'ask':
      return ask(order.input)
    case 'open':
      return open(order.input)
    case 'pour':
      return pour(order.input)
  }
}

process.on('message', (order: Order) => {
  const answer = (said: Answer): void => void process.send?.(said)
  perform(order).then(
    (output) => answer({ id: order.id, output }),
    (error: unknown) => answer({ id: order.id, error: String(error) }),
  )
})
process.on('disconnect', () => process.exit(0))
