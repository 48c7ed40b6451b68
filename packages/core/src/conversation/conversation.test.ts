import { describe, expect, it } from 'vitest'
import type { MessengerEvent } from '../messenger-ports.ts'
import type { StoredMessage } from '../ports/index.ts'
import { World, type WorldNode } from '../testing/index.ts'
import { Content } from '../wire/gen/skein_pb.ts'
import { encode } from '../wire/codec.ts'
import { decodeContent, encodeTyping } from '../wire/content.ts'

async function pair(seed: number): Promise<{ world: World; ana: WorldNode; bo: WorldNode }> {
  const world = new World(seed)
  const [ana, bo] = [await world.start('ana'), await world.start('bo')]
  await world.befriend(ana, bo)
  return { world, ana, bo }
}

const reaction = (message: StoredMessage, emoji: string) => ({ kind: 'reaction', target: message.id, emoji }) as const
const edit = (message: StoredMessage, text: string) => ({ kind: 'edit', target: message.id, text }) as const
const deletion = (message: StoredMessage) => ({ kind: 'deletion', target: message.id }) as const
const changes = (node: WorldNode): StoredMessage[] =>
  node.events.flatMap((event: MessengerEvent) => (event.kind === 'changed' ? [event.message] : []))

describe('a conversation', () => {
  it('[MK1] reactions, edits and answers reach the other side, and each side is told', async () => {
    const { world, ana, bo } = await pair(1)
    const first = await world.send(ana, bo, 'helo')
    await world.run(1_000)
    await bo.messenger.conversation.annotate(reaction(first, '👍'))
    await ana.messenger.conversation.annotate(edit(first, 'hello'))
    const answer = await bo.messenger.send(world.contactOf(bo, ana), { kind: 'text', text: 'hi', replyTo: first.id })
    await world.run(1_000)
    for (const [node, other] of [
      [ana, bo],
      [bo, ana],
    ] as const) {
      const [shown, reply] = await world.history(node, other)
      expect(shown).toMatchObject({ text: 'hello', editedAt: expect.any(Number) })
      expect(reply).toMatchObject({ id: answer.id, replyTo: first.id })
    }
    expect((await world.history(ana, bo))[0]?.contactReaction).toBe('👍')
    expect((await world.history(bo, ana))[0]?.ownReaction).toBe('👍')
    expect(changes(ana).map(({ text }) => text)).toEqual(['hello', 'hello'])
  })

  it('[MK1] what is said while the other side is away converges when it is back', async () => {
    const { world, ana, bo } = await pair(2)
    const first = await world.send(ana, bo, 'one')
    await world.run(1_000)
    world.network.partition(ana.messenger.identity.device, bo.messenger.identity.device, true)
    await ana.messenger.conversation.annotate(edit(first, 'two'))
    await ana.messenger.conversation.annotate(edit(first, 'three'))
    await bo.messenger.conversation.annotate(reaction(first, '🎉'))
    await bo.messenger.conversation.annotate(reaction(first, ''))
    world.kill(ana)
    const again = await world.restart(ana)
    world.network.partition(again.messenger.identity.device, bo.messenger.identity.device, false)
    await world.run(400_000)
    expect(await world.history(bo, again)).toMatchObject([{ text: 'three', ownReaction: null }])
    expect(await world.history(again, bo)).toMatchObject([{ text: 'three', contactReaction: null }])
  })

  it('[MK4] a message taken back before it left never shows; one that arrived is emptied', async () => {
    const { world, ana, bo } = await pair(3)
    const arrived = await world.send(ana, bo, 'arrived')
    await world.run(1_000)
    world.network.partition(ana.messenger.identity.device, bo.messenger.identity.device, true)
    const unsent = await world.send(ana, bo, 'unsent')
    await ana.messenger.conversation.annotate(deletion(unsent))
    await ana.messenger.conversation.annotate(deletion(arrived))
    world.network.partition(ana.messenger.identity.device, bo.messenger.identity.device, false)
    await world.run(400_000)
    expect((await world.history(bo, ana)).map(({ id, text }) => [id, text])).toEqual([[arrived.id, '']])
    await expect(ana.messenger.conversation.annotate(edit(arrived, 'again'))).rejects.toMatchObject({ code: 'MESSAGE_UNKNOWN' })
  })

  it('[MK3] nobody edits or takes back what somebody else wrote', async () => {
    const { world, ana, bo } = await pair(4)
    const first = await world.send(ana, bo, 'mine')
    await world.run(1_000)
    await expect(bo.messenger.conversation.annotate(edit(first, 'yours'))).rejects.toMatchObject({ code: 'NOT_YOURS' })
    await expect(bo.messenger.conversation.annotate(deletion(first))).rejects.toMatchObject({ code: 'NOT_YOURS' })
    // A program that does not keep to that: it says that the message is its own.
    const stored = await bo.store.message(first.id)
    if (stored === null) throw new Error('not there')
    await bo.store.commit([{ kind: 'message.insert', message: { ...stored, sender: bo.messenger.identity.device, direction: 'out' } }])
    const own = await bo.store.message(first.id, 'out')
    expect(own).not.toBeNull()
    const forging = Object.create(bo.store, { message: { value: async () => own } }) as typeof bo.store
    const { annotate } = await import('../main-path/annotate.ts')
    const path = Reflect.get(bo.messenger, 'mainPath') as Parameters<typeof annotate>[0]
    await annotate({ ...path, store: forging }, edit(first, 'yours'))
    await world.run(1_000)
    expect(await world.history(ana, bo)).toMatchObject([{ text: 'mine', editedAt: null }])
  })

  it('[MK3] a message that bears the id of another hinders nobody from taking theirs back', async () => {
    const { world, ana, bo } = await pair(10)
    const first = await world.send(ana, bo, 'mine')
    await world.run(1_000)
    await bo.messenger.send(world.contactOf(bo, ana), 'under your id', { id: first.id })
    await world.run(1_000)
    expect((await world.history(ana, bo)).map(({ text }) => text).sort()).toEqual(['mine', 'under your id'])
    for (const [node, left] of [
      [bo, ['', 'mine']],
      [ana, ['', '']],
    ] as const) {
      await node.messenger.conversation.annotate(deletion(first))
      await world.run(1_000)
      for (const [one, other] of [
        [ana, bo],
        [bo, ana],
      ] as const)
        expect((await world.history(one, other)).map(({ text }) => text).sort()).toEqual(left)
    }
  })

  it('[MK7] texts disappear on both sides after the time that was set, counted from reading', async () => {
    const { world, ana, bo } = await pair(5)
    await ana.messenger.send(world.contactOf(ana, bo), { kind: 'timer', disappearAfterMs: 60_000 })
    await world.run(1_000)
    const secret = await world.send(ana, bo, 'burn this')
    await world.run(30_000)
    expect(await world.history(bo, ana)).toMatchObject([{ kind: 'timer' }, { text: 'burn this', disappearAt: null }])
    await bo.messenger.seen(ana.messenger.identity.account, secret.id)
    await world.run(40_000)
    expect((await world.history(ana, bo)).map(({ kind }) => kind)).toEqual(['timer'])
    expect((await world.history(bo, ana)).map(({ kind }) => kind)).toEqual(['timer', 'text'])
    await world.run(30_000)
    expect((await world.history(bo, ana)).map(({ kind }) => kind)).toEqual(['timer'])
    expect(changes(bo)).toMatchObject([{ id: secret.id, kind: 'gone', text: '' }])
    const back = await world.send(bo, ana, 'mine too')
    expect(back.disappearAfterMs).toBe(60_000)
  })

  it('[MK7] what was due while the program did not run is gone when it starts', async () => {
    const { world, ana, bo } = await pair(6)
    await ana.messenger.send(world.contactOf(ana, bo), { kind: 'timer', disappearAfterMs: 60_000 })
    await world.run(1_000)
    await world.send(ana, bo, 'burn this')
    await world.run(1_000)
    world.kill(ana)
    await world.run(120_000)
    const again = await world.restart(ana)
    await world.run(1_000)
    expect((await world.history(again, bo)).map(({ kind }) => kind)).toEqual(['timer'])
  })

  it('[MK9] typing is told over a connection that is there, kept nowhere, and nobody is dialled for it', async () => {
    const { world, ana, bo } = await pair(7)
    const typing = (node: WorldNode) => node.events.filter(({ kind }) => kind === 'typing')
    await ana.messenger.conversation.tellTyping(world.contactOf(ana, bo), true)
    await world.run(1_000)
    expect(typing(bo)).toEqual([{ kind: 'typing', account: ana.messenger.identity.account, active: true }])
    await bo.messenger.change(ana.messenger.identity.account, { blocked: true })
    await ana.messenger.conversation.tellTyping(world.contactOf(ana, bo), false)
    await world.run(1_000)
    expect(typing(bo)).toHaveLength(1)
    await expect(bo.messenger.conversation.tellTyping(world.contactOf(bo, ana), true)).rejects.toMatchObject({ code: 'CONTACT_BLOCKED' })
    world.kill(bo)
    await world.run(60_000)
    await ana.messenger.conversation.tellTyping(world.contactOf(ana, bo), true)
  })

  it('[MK5] somebody else can be passed on, and what a newer version says is kept as such', async () => {
    const { world, ana, bo } = await pair(8)
    const eve = await world.start('eve')
    const { account } = eve.messenger.identity
    await ana.messenger.send(world.contactOf(ana, bo), { kind: 'contact', account, name: 'Eve' })
    await world.run(1_000)
    expect(await world.history(bo, ana)).toMatchObject([{ kind: 'contact', text: 'Eve', shared: account }])
    const newer = encode(Content, { hlcMs: 1, hlcCounter: 0, createdAt: 1, id: new Uint8Array(16), kind: undefined })
    expect(decodeContent(newer).body).toEqual({ kind: 'unknown' })
    expect(decodeContent(Uint8Array.of(...newer, 0xa2, 0x06, 0x01, 0x07)).body).toEqual({ kind: 'unknown' })
  })

  it('[MK10] a stream that tells of typing without end is closed', async () => {
    const { world, ana, bo } = await pair(9)
    const opened = await ana.swarm.open(bo.messenger.identity.device, '/skein/typing/1')
    if (opened.kind !== 'open') throw new Error('no channel')
    for (let number = 0; number < 100; number += 1) await opened.channel.send(encodeTyping(number % 2 === 0))
    await world.run(1_000)
    expect(bo.events.filter(({ kind }) => kind === 'typing')).toHaveLength(32)
  })
})
