/** What strangers can make the mailbox hold: looked for in the heap, as no count shows what a fetch copies. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { deviceIdFromKey, type Channel, encodeMailboxRequest, decodeMailboxReply, type MailboxReplyFields } from '@skein/core'
import { MailboxService } from '@skein/core/relay'
import { nativePrimitives as primitives, verifyOwnChoice } from '@skein/node/swarm'
import Database from 'better-sqlite3'
import { expect, it, vi } from 'vitest'
import { originOf } from '../admission/networks.ts'
import { relayClock, relayRandom } from './open-mailbox.ts'
import { SqliteMailboxStore } from './sqlite-mailbox-store.ts'

const WITHIN = { timeout: 60_000, interval: 20 }
const STREAMS = 4
const TAGS = 512
const FETCHES = 100
const LABEL = new TextEncoder().encode('skein fetch right v1\0')

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

function heldBytes(): number {
  for (let round = 0; round < 4; round += 1) collect()
  return process.memoryUsage().heapUsed
}

/** The other end of a stream: says what it likes, and counts what it is answered. */
class Stranger implements Channel {
  readonly peer = deviceIdFromKey(primitives.ed25519PublicKey(relayRandom.bytes(32)))
  readonly replies: MailboxReplyFields[] = []
  #said: Uint8Array[] = []
  #wake = (): void => undefined
  #isOver = false

  say(...frames: Uint8Array[]): void {
    this.#said.push(...frames)
    this.#wake()
  }

  async send(frame: Uint8Array): Promise<boolean> {
    this.replies.push(decodeMailboxReply(frame).body)
    return true
  }

  async *frames(): AsyncGenerator<Uint8Array> {
    while (!this.#isOver) {
      const next = this.#said.shift()
      if (next === undefined) await new Promise<void>((resolve) => (this.#wake = resolve))
      else yield next
    }
  }

  close(): void {
    this.#isOver = true
    this.#wake()
  }
}

function rightsFor(challenge: Uint8Array, count: number) {
  return Array.from({ length: count }, () => {
    const seed = relayRandom.bytes(32)
    const signature = primitives.ed25519Sign(Uint8Array.of(...LABEL, ...challenge), seed)
    return { fetchKey: primitives.ed25519PublicKey(seed), signature }
  })
}

async function challengeOf(stranger: Stranger): Promise<Uint8Array> {
  stranger.say(encodeMailboxRequest(1, { kind: 'hello' }))
  await vi.waitFor(() => expect(stranger.replies).toHaveLength(1), WITHIN)
  const [welcome] = stranger.replies
  if (welcome?.kind !== 'welcome') throw new Error('no welcome')
  return welcome.challenge
}

it('[MB14] strangers that watch many tags and ask again and again hold a few hundred bytes for each tag, and give them back', async () => {
  const ignore = (): void => undefined
  const logger = { debug: ignore, info: ignore, warn: ignore, error: ignore, child: () => logger }
  const issuer = {
    publicKey: () => new Uint8Array(49),
    issue: () => ({ evaluated: [], proof: new Uint8Array(96) }),
    check: () => undefined,
  }
  const service = new MailboxService({
    store: new SqliteMailboxStore(new Database(':memory:')),
    clock: relayClock,
    random: relayRandom,
    logger,
    primitives,
    rightVerifier: { ed25519Verify: verifyOwnChoice },
    issuer,
    seed: relayRandom.bytes(32),
    limits: { maxBytes: 1e8 },
    isMember: () => false,
  })
  const strangers = Array.from({ length: STREAMS }, () => new Stranger())
  const served = strangers.map((each, at) => service.serve(each, originOf(`198.51.100.${at}`, String(at))))
  const challenges = await Promise.all(strangers.map(challengeOf))
  const before = heldBytes()
  for (const [at, each] of strangers.entries()) {
    const challenge = challenges[at] ?? new Uint8Array()
    for (let page = 0; page < TAGS / 256; page += 1) each.say(encodeMailboxRequest(2, { kind: 'open', rights: rightsFor(challenge, 256) }))
  }
  await vi.waitFor(() => expect(service.use().tags).toBe(STREAMS * TAGS), WITHIN)
  const fetch = encodeMailboxRequest(3, { kind: 'fetch', after: 0, limit: 1, waitMs: 50_000 })
  for (const each of strangers) each.say(...Array.from({ length: FETCHES }, () => fetch))
  // All but the last, which waits; the answer to the first word is one more.
  await vi.waitFor(() => expect(strangers.every(({ replies }) => replies.length === TAGS / 256 + FETCHES)).toBe(true), WITHIN)
  const perTag = (heldBytes() - before) / (STREAMS * TAGS)
  expect(perTag).toBeLessThan(1_000)
  for (const each of strangers) each.close()
  await Promise.all(served)
  expect(service.use()).toEqual({ streams: 0, tags: 0, bytes: 0 })
}, 120_000)
