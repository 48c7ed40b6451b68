/** The envelopes of a node in a World, as a carrier of it will have them. */
import { fetchSecretOf, PrekeyKeeper, RatchetCipher } from '../e2ee/index.ts'
import { fflateCompression } from '../e2ee/compression.ts'
import { noblePrimitives as primitives } from '../e2ee/primitives.ts'
import { isSkeinError } from '../errors/index.ts'
import { Envelopes } from '../main-path/envelopes.ts'
import type { Random } from '../ports/random.ts'
import { sameBytes } from '../wire/codec.ts'
import { decodeEnvelope, encodeEnvelope } from '../wire/sealed.ts'
import type { MemoryStore } from './memory-store.ts'
import { seededRandom } from './seeded-random.ts'
import { World, type WorldNode } from './world.ts'

export async function envelopesOf({ clock }: World, { store, messenger }: WorldNode, random: Random): Promise<Envelopes> {
  const { identity, book } = messenger
  const prekeys = new PrekeyKeeper({ store, clock, random, primitives, ...identity })
  await prekeys.refresh()
  const cipher = new RatchetCipher({
    store,
    clock,
    random,
    primitives,
    compression: fflateCompression,
    own: identity,
    prekeys,
    remote: () => undefined,
  })
  const fetchSecret = fetchSecretOf(primitives, identity.deviceSeed)
  return new Envelopes({ book, store, clock, primitives, prekeys, cipher, deviceKey: identity.deviceKey, fetchSecret })
}

/** What came of a flood: how often each code was the answer. */
export type Refusals = Readonly<Record<string, number>>

/**
 * `count` envelopes that nobody honest has made: noise, noise in the right form, noise under a tag of a contact, and real ones with
 * one bit changed. Two in a hundred reach a key, until the budget is spent: the clock moves a second in a thousand.
 */
async function flood(
  { world, victim, random }: { readonly world: World; readonly victim: Envelopes; readonly random: Random },
  real: Uint8Array,
  count: number,
): Promise<Refusals> {
  const { deliveryTag, prekeyId, expiryHour, sealed } = decodeEnvelope(real)
  const noise = random.bytes(4_096)
  const some = (length: number): Uint8Array => {
    const from = Math.floor(random.uniform() * (noise.length - length))
    return noise.slice(from, from + length)
  }
  const forged = (tag: Uint8Array): Uint8Array =>
    encodeEnvelope({ deliveryTag: tag, prekeyId, expiryHour, sealed: some(sealed.length % 1_024) })
  const refusals: Record<string, number> = {}
  for (let number = 0; number < count; number += 1) {
    const envelope = makeForgery(number % 100, { some, forged, deliveryTag, real, bit: Math.floor(random.uniform() * real.length * 8) })
    const code = await victim.open(envelope).then(
      () => 'OPENED',
      (error: unknown) => (isSkeinError(error) ? error.code : String(error)),
    )
    refusals[code] = (refusals[code] ?? 0) + 1
    if (number % 1_000 === 0) await world.clock.advance(1_000)
  }
  return refusals
}

interface Forging {
  readonly some: (length: number) => Uint8Array
  readonly forged: (tag: Uint8Array) => Uint8Array
  readonly deliveryTag: Uint8Array
  readonly real: Uint8Array
  readonly bit: number
}

function makeForgery(kind: number, { some, forged, deliveryTag, real, bit }: Forging): Uint8Array {
  if (kind === 0) return forged(deliveryTag)
  if (kind === 1) return real.map((byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))
  return kind < 50 ? forged(some(16)) : some(bit % 600)
}

const WARM_UP = 2_000

export interface FloodOutcome {
  readonly refusals: Refusals
  readonly heapGrowth: number
  readonly before: MemoryStore
  readonly after: MemoryStore
  /** Whether what the contact really sent opens ten seconds later. */
  readonly honestOpens: boolean
}

/** @param heapBytes memory in use after a collection */
export async function floodOutcome(count: number, heapBytes: () => number): Promise<FloodOutcome> {
  const [random, world] = [seededRandom(77), new World(800)]
  const [ana, bo] = [await world.start('ana'), await world.start('bo')]
  await world.befriend(ana, bo)
  const [anas, bos] = [ana.messenger.identity.device, bo.messenger.identity.device]
  world.network.partition(anas, bos, true)
  await world.send(bo, ana, 'waits')
  const [row] = await bo.store.outbox(anas, 0, 1)
  if (row === undefined) throw new Error('nothing waits')
  for (const node of [ana, bo]) world.kill(node)
  const victim = await envelopesOf(world, ana, random)
  const real = await (await envelopesOf(world, bo, random)).seal(anas, row.sealed)
  await flood({ world, victim, random }, real, WARM_UP)
  const [before, memory] = [ana.store.reopened(), heapBytes()]
  const refusals = await flood({ world, victim, random }, real, count)
  const [heapGrowth, after] = [heapBytes() - memory, ana.store.reopened()]
  await world.clock.advance(10_000)
  const honestOpens = sameBytes((await victim.open(real)).message, row.sealed)
  return { refusals, heapGrowth, before, after, honestOpens }
}
