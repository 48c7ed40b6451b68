import { expect, it } from 'vitest'
import { accepted, content, filesOf, offer, pair, type Side, stateOf, underWay, until } from '../testing/file-pair.ts'
import type { Transfer } from './transfer-book.ts'

const takeBack = ({ node }: Side, { id }: Transfer) => node.messenger.conversation.annotate({ kind: 'deletion', target: id })
const ended = (side: Side, { id }: Transfer) => {
  const { state, reason } = filesOf(side).get(id)
  return [state, reason]
}

it.each(['an offer', 'what is under way'])('[FI47] with its message %s is taken back too, at both', async (what) => {
  const both = what === 'an offer' ? await pair() : await underWay()
  const { world, ana, bo } = both
  ana.disk.files.set('b.bin', content(2, 1_000))
  const transfer = 'transfer' in both ? (both.transfer as Transfer) : await offer(both, ['b.bin'])
  await takeBack(ana, transfer)
  await world.run(5_000)
  expect([ended(ana, transfer), stateOf(bo, transfer)]).toEqual([['cancelled', 'taken-back'], 'cancelled'])
  await filesOf(bo).accept(transfer.id, 'in')
  await world.run(5_000)
  expect([bo.disk.files.size, bo.disk.parts.size]).toEqual([0, 0])
})

it('[FI47] what has not left waits for nobody any more, and never gets there', async () => {
  const both = await pair()
  const { world, ana, bo } = both
  ana.disk.files.set('a.bin', content(1, 1_000))
  world.network.partition(ana.node.swarm.self, bo.node.swarm.self, true)
  const transfer = await offer(both)
  await takeBack(ana, transfer)
  expect(stateOf(ana, transfer)).toBe('cancelled')
  world.network.mend()
  await world.run(60_000)
  expect(filesOf(bo).list()).toEqual([])
})

it('[FI47] who receives ends it too, where a device has taken the message back that has not offered it', async () => {
  const { world, ana, bo, transfer } = await underWay()
  world.network.partition(ana.node.swarm.self, bo.node.swarm.self, true)
  const message = await bo.node.store.message(transfer.id, 'in')
  if (message === null) throw new Error('it is there')
  await filesOf(bo).onMessage({ ...message, deletedAt: world.clock.now() })
  expect(ended(bo, transfer)).toEqual(['cancelled', 'taken-back'])
  await world.run(5_000)
  expect(bo.disk.parts.size).toBe(0)
})

it('[FI47] what was received stays when its message is taken back', async () => {
  const { world, ana, bo, transfer } = await accepted()
  await until(world, () => stateOf(bo, transfer) === 'done')
  await takeBack(ana, transfer)
  await world.run(5_000)
  expect([stateOf(bo, transfer), [...bo.disk.files.keys()]]).toEqual(['done', ['in/a.bin']])
})

it.each([false, true])(
  '[FI47] an offer that is given up fails, and is not tried again; its program has ended meanwhile: %s',
  async (hasEnded) => {
    const both = await pair()
    const { world, ana, bo } = both
    ana.disk.files.set('a.bin', content(1, 1_000))
    world.network.partition(ana.node.swarm.self, bo.node.swarm.self, true)
    const transfer = await offer(both)
    if (hasEnded) {
      world.kill(ana.node)
      const over = { kind: 'message.state', id: transfer.id, state: 'failed', reason: 'expired', at: world.clock.now() } as const
      await ana.node.store.commit([over])
      ana.node = await world.start('ana', { files: ana.disk, store: ana.node.store.reopened() })
    } else {
      const rows = await ana.node.store.outboxOf(transfer.id)
      for (const { message, device, ...row } of rows)
        await ana.node.store.commit([
          { kind: 'outbox.remove', message, device },
          { kind: 'outbox.insert', row: { ...row, message, device, expiresAt: world.clock.now() } },
        ])
      await world.run(60_000)
    }
    expect(ended(ana, transfer)).toEqual(['failed', 'expired'])
    await expect(ana.node.messenger.deliveries.retry(transfer.id)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
  },
)
