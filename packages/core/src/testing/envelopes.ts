/** The envelopes of a node in a World, as a carrier of it will have them. */
import { fetchSecretOf, PrekeyKeeper, RatchetCipher } from '../e2ee/index.ts'
import { noblePrimitives as primitives } from '../e2ee/primitives.ts'
import { Envelopes } from '../main-path/envelopes.ts'
import type { Random } from '../ports/random.ts'
import type { World, WorldNode } from './world.ts'

export async function envelopesOf({ clock }: World, { store, messenger }: WorldNode, random: Random): Promise<Envelopes> {
  const { identity, book } = messenger
  const prekeys = new PrekeyKeeper({ store, clock, random, primitives, ...identity })
  await prekeys.refresh()
  const cipher = new RatchetCipher({ store, clock, random, primitives, own: identity, prekeys, remote: () => undefined })
  const fetchSecret = fetchSecretOf(primitives, identity.deviceSeed)
  return new Envelopes({ book, store, clock, primitives, prekeys, cipher, deviceKey: identity.deviceKey, fetchSecret })
}
