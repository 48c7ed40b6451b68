import { expect, it } from 'vitest'
import { accountDigest } from '../ids.ts'
import { noblePrimitives } from '../e2ee/primitives.ts'
import { bundleFor, TEST_PREKEY } from '../testing/bundles.ts'
import { World, type WorldNode } from '../testing/world.ts'
import { decodePrekeyBundle } from '../wire/sealed.ts'
import { decodeSigned, encodeSigned } from '../wire/signed.ts'
import type { ContactDeps } from './contact-deps.ts'
import { refreshBundles } from './refresh-bundles.ts'

const DAY_MS = 86_400_000

it('[EB12] a stale bundle is replaced by a newer one from the directory, and by nothing else', async () => {
  const world = new World(60)
  const [ana, bo, eve] = [await world.start('ana'), await world.start('bo'), await world.start('eve')]
  await world.befriend(ana, bo)
  const { account } = bo.messenger.identity
  const issuedAt = (): number => {
    const [device] = ana.messenger.book.devicesOf(account)
    if (device === undefined) throw new Error('the contact has no device')
    return decodePrekeyBundle(decodeSigned(device.bundle).statement).issuedAt
  }
  const first = issuedAt()
  const publish = (by: WorldNode, at: number): void => {
    const bundle = bundleFor(by.messenger.identity, { ...TEST_PREKEY, createdAt: at })
    const record = encodeSigned(by.messenger.identity.signRecord({ relays: [], issuedAt: at, bundle }))
    void world.network.directory.publishRecord(accountDigest(account), record)
  }
  const { book } = ana.messenger
  const later = (days: number): Promise<void> => {
    const clock = { now: () => world.clock.now() + days * DAY_MS }
    return refreshBundles({
      book,
      clock,
      directory: world.network.directory,
      primitives: noblePrimitives,
      logger: ana.logger,
    } as unknown as ContactDeps)
  }
  publish(bo, first + 7 * DAY_MS)
  await later(7)
  expect(issuedAt()).toBe(first)
  await later(9)
  expect(issuedAt()).toBe(first + 7 * DAY_MS)
  publish(bo, first + DAY_MS)
  await later(30)
  publish(eve, first + 20 * DAY_MS)
  await later(30)
  void world.network.directory.publishRecord(accountDigest(account), Uint8Array.of(1, 2, 3))
  await later(30)
  expect(issuedAt()).toBe(first + 7 * DAY_MS)
})
