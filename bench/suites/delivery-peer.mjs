// A client of ours for the delivery suite, driven over the IPC channel: { id, verb, args } in, { id, result } out.
import { randomBytes } from 'node:crypto'
import { encodeEnvelope, MailboxLink, tagOfFetchKey } from '@skein/core'
import { VoprfTokens } from '@skein/core/tokens'
import { createClient, loadConfig } from '@skein/node'
import { nativePrimitives as primitives } from '@skein/node/swarm'
import { answer } from './answering.mjs'

const DELIVER = '/skein/deliver/1'
const HOUR_MS = 3_600_000
const PER_TOKEN = 64
let client

async function startClient({ dataDir, relay, name, blocked = false, mail = true }) {
  const flags = { name, relays: [relay], log: 'error', host: '127.0.0.1', lan: false, mail }
  client = await createClient({ dataDir, ...loadConfig({ dataDir, env: {}, flags }) })
  if (blocked) blockDirect()
  return { relays: client.swarm.relays() }
}

/** From now on the only way to anybody is a mailbox. */
function blockDirect() {
  const open = client.swarm.open.bind(client.swarm)
  client.swarm.open = async (device, protocol, options) =>
    protocol === DELIVER ? { kind: 'absent', reason: 'no-route' } : open(device, protocol, options)
  return {}
}

const contact = () => client.messenger.book.all()[0]
const instant = () => performance.timeOrigin + performance.now()

async function joined() {
  while (!client.swarm.relays().some((relay) => relay.reserved)) await new Promise((resolve) => setTimeout(resolve, 10))
  return {}
}

async function hasTokens() {
  for (;;) {
    const all = await client.messenger.deliveries.mailboxes()
    if (all.some(({ tokens }) => tokens > 0)) return {}
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** When the next message comes, in milliseconds since 1970. */
function nextMessage() {
  return new Promise((resolve) => {
    const stop = client.messenger.listen((event) => {
      if (event.kind !== 'message' || event.message.direction !== 'in') return
      stop()
      resolve({ at: instant() })
    })
  })
}

async function send({ size = 200 }) {
  const at = instant()
  await client.messenger.send(contact(), 'x'.repeat(size))
  return { at }
}

/** @param letter of which the texts are made */
async function sendMany({ count, size = 200, letter = 'x' }) {
  for (let sent = 0; sent < count; sent += 100)
    await Promise.all(Array.from({ length: Math.min(100, count - sent) }, () => client.messenger.send(contact(), letter.repeat(size))))
  return {}
}

/** Resolves when nothing is queued any more: everything lies with a carrier. */
async function allCarried() {
  for (;;) {
    const waiting = await client.messenger.deliveries.outbox()
    if (waiting.every(({ state }) => state === 'carried')) return { count: waiting.length }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

/** How many messages stand where, by state: an outbox lists no more than a thousand rows of one device. */
async function outboxStates() {
  const states = {}
  for (let oldest; ; ) {
    const page = await client.messenger.history(contact().account, { limit: 1_000, ...oldest })
    for (const { state } of page) states[state] = (states[state] ?? 0) + 1
    if (page.length < 1_000) return { states }
    oldest = { before: page[0].id }
  }
}

/** Seconds from the moment at which a client is started to that at which it has `count` messages, 1,000 at most, made of `letter`. */
async function catchUp({ dataDir, relay, name, count, letter }) {
  const start = performance.now()
  await startClient({ dataDir, relay, name })
  const came = new Set()
  const note = ({ id, text }) => text.startsWith(letter) && came.add(id)
  client.messenger.listen((event) => event.kind === 'message' && note(event.message))
  for (const message of await client.messenger.history(contact().account, { limit: 1_000 })) note(message)
  while (came.size < count) await new Promise((resolve) => setTimeout(resolve, 5))
  return { seconds: (performance.now() - start) / 1_000 }
}

async function tokensFor(relay, count) {
  const signal = new AbortController().signal
  const link = await MailboxLink.open({ swarm: client.swarm, clock: client.clock }, { url: relay, signal })
  const made = []
  while (made.length < count) {
    const order = new VoprfTokens(primitives).order(
      { bytes: (size) => new Uint8Array(randomBytes(size)) },
      { issuer: link.relay, key: link.tokenKey, count: 16 },
    )
    const reply = await link.ask({ kind: 'tokens', blinded: order.blinded })
    if (reply?.kind !== 'issued') throw new Error(`no tokens: ${JSON.stringify(reply)}`)
    made.push(...order.finish(reply.evaluated, reply.proof))
  }
  link.close()
  return made
}

/** Envelopes of the right form that nobody can open, under the tags of fetch keys made from `seeds`. */
function envelopes(seeds, each) {
  const expiryHour = Math.floor(Date.now() / HOUR_MS) + 24
  return seeds.flatMap((seed) => {
    const deliveryTag = tagOfFetchKey(primitives, primitives.ed25519PublicKey(seed))
    return Array.from({ length: each }, () =>
      encodeEnvelope({ deliveryTag, expiryHour, prekeyId: 1, sealed: new Uint8Array(randomBytes(560)) }),
    )
  })
}

async function inParallel(items, width, work) {
  let next = 0
  const worker = async () => {
    while (next < items.length) await work(items[next++])
  }
  await Promise.all(Array.from({ length: width }, worker))
}

/** Deposits and fetches a second at one relay, over one connection each. */
async function mailboxRates({ relay, tokens: count }) {
  const signal = new AbortController().signal
  const tokens = await tokensFor(relay, count)
  const seeds = tokens.map(() => new Uint8Array(randomBytes(32)))
  const ready = envelopes(seeds, PER_TOKEN)
  const link = await MailboxLink.open({ swarm: client.swarm, clock: client.clock }, { url: relay, disguise: 'bench', signal })
  const depositStart = performance.now()
  await inParallel(
    seeds.map((_, at) => at),
    4,
    async (box) => {
      const own = ready.slice(box * PER_TOKEN, (box + 1) * PER_TOKEN)
      const first = await link.ask({ kind: 'deposit', envelope: own[0], token: tokens[box] })
      if (first?.kind !== 'stored') throw new Error(`not stored: ${JSON.stringify(first)}`)
      await Promise.all(own.slice(1).map((envelope) => link.ask({ kind: 'deposit', envelope, token: new Uint8Array() })))
    },
  )
  const deposits = ready.length / ((performance.now() - depositStart) / 1_000)
  const rights = seeds.map((seed) => ({
    fetchKey: primitives.ed25519PublicKey(seed),
    signature: primitives.ed25519Sign(Buffer.concat([Buffer.from('skein fetch right v1\0'), link.challenge]), seed),
  }))
  await link.ask({ kind: 'open', rights })
  const first = await link.ask({ kind: 'fetch', after: 0, limit: 1, waitMs: 0 })
  const from = first.items[0].cursor
  const requests = Array.from({ length: 2_000 }, (_, at) => from + (at % (ready.length - 20)))
  const fetchStart = performance.now()
  await inParallel(requests, 32, async (after) => {
    const batch = await link.ask({ kind: 'fetch', after, limit: 10, waitMs: 0 })
    if (batch?.kind !== 'batch' || batch.items.length === 0) throw new Error('nothing fetched')
  })
  const fetches = requests.length / ((performance.now() - fetchStart) / 1_000)
  link.close()
  return { deposits, fetches }
}

/** Share of one core while nothing happens but waiting, in percent. */
async function idle({ ms }) {
  const before = process.cpuUsage()
  const start = performance.now()
  await new Promise((resolve) => setTimeout(resolve, ms))
  const { user, system } = process.cpuUsage(before)
  return { percent: (user + system) / 10 / (performance.now() - start) }
}

const VERBS = {
  startClient,
  blockDirect,
  joined,
  hasTokens,
  nextMessage,
  send,
  sendMany,
  allCarried,
  outboxStates,
  catchUp,
  mailboxRates,
  idle,
  invite: () => client.messenger.invite(),
  add: async ({ invite }) => ({ account: (await client.messenger.add(invite)).account }),
  accepted: () => ({ accepted: contact()?.state === 'accepted' }),
  stop: async () => {
    await client.stop()
    return {}
  },
}

answer(VERBS)
