/** What every Store does with reactions, edits, deletions, with what disappears, and in a search (docs/spec/messages.md). */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type AccountId, accountIdFromDigest, type MessageId, messageIdFromBytes } from '../../ids.ts'
import type { StoredAnnotation, StoredMessage } from '../../ports/index.ts'
import type { StoreUnderTest } from './store.ts'

interface Makers {
  readonly account: AccountId
  readonly message: (number: number, change?: Partial<StoredMessage>) => StoredMessage
  readonly id: (byte: number) => MessageId
}

export function conversationTests(open: () => Promise<StoreUnderTest>, { account, message, id }: Makers): void {
  const said = (number: number, change: Partial<StoredAnnotation>): StoredAnnotation => ({
    id: id(100 + number),
    contact: account,
    target: id(1),
    own: true,
    kind: 'edit',
    value: `edit ${number}`,
    hlcMs: 2_000 + number,
    hlcCounter: 0,
    at: 3_000 + number,
    ...change,
  })

  it('[MK1] what is said about a message ends the same in whatever order it comes, the message included', async () => {
    const all = [
      { kind: 'message.insert', message: message(1) },
      ...[
        said(1, {}),
        said(2, {}),
        said(3, { own: false, value: 'not theirs to edit' }),
        said(4, { kind: 'reaction', value: '👍' }),
        said(5, { kind: 'reaction', value: '🎉' }),
        said(6, { kind: 'reaction', own: false, value: '🙈' }),
        said(7, { kind: 'reaction', own: false, value: '' }),
      ].map((annotation) => ({ kind: 'annotation.put', annotation }) as const),
    ] as const
    const orders = fc.sample(fc.shuffledSubarray([...all], { minLength: all.length }), { numRuns: 6, seed: 7 })
    for (const order of orders) {
      await using under = await open()
      for (const write of order) await under.store.commit([write])
      const now = await (await under.reopen()).message(id(1))
      expect(now).toEqual(message(1, { text: 'edit 2', editedAt: 3_002, ownReaction: '🎉', contactReaction: null }))
    }
  })

  it('[MK2] an older word of the same kind and side changes nothing', async () => {
    await using under = await open()
    await under.store.commit([{ kind: 'message.insert', message: message(1) }])
    expect(await under.store.commit([{ kind: 'annotation.put', annotation: said(5, {}) }])).toEqual(['done'])
    expect(await under.store.commit([{ kind: 'annotation.put', annotation: said(4, {}) }])).toEqual(['duplicate'])
    expect((await under.store.message(id(1)))?.text).toBe('edit 5')
    expect(await under.store.annotation(id(105))).toEqual(said(5, {}))
    expect(await under.store.annotation(id(104))).toBeNull()
  })

  it('[MK3] edits and deletions count for messages of their own side alone', async () => {
    await using under = await open()
    await under.store.commit([
      { kind: 'message.insert', message: message(1) },
      { kind: 'message.insert', message: message(2, { direction: 'in' }) },
      { kind: 'annotation.put', annotation: said(1, { own: false, kind: 'deletion', value: '' }) },
      { kind: 'annotation.put', annotation: said(2, { own: false, target: id(2), value: 'theirs' }) },
    ])
    expect((await under.store.history(account)).map(({ text, deletedAt }) => [text, deletedAt])).toEqual([
      ['text 1', null],
      ['theirs', null],
    ])
  })

  it('[MK4] what was taken back stays so, and nothing of it is left to be found', async () => {
    await using under = await open()
    await under.store.commit([
      { kind: 'message.insert', message: message(1, { text: 'regrettable words' }) },
      { kind: 'annotation.put', annotation: said(1, { kind: 'reaction', own: false, value: '👍' }) },
      { kind: 'annotation.put', annotation: said(2, { kind: 'deletion', value: '' }) },
      { kind: 'annotation.put', annotation: said(9, { value: 'once more' }) },
    ])
    expect(await under.store.message(id(1))).toMatchObject({ text: '', deletedAt: 3_002, contactReaction: null })
    expect(await under.store.search('regrettable')).toEqual([])
  })

  it('[MK7] what disappears after reading runs from reading here, from delivery at its author', async () => {
    await using under = await open()
    const short = { disappearAfterMs: 1_000 }
    await under.store.commit([
      { kind: 'message.insert', message: message(1, { ...short, direction: 'in', seen: false, state: 'delivered' }) },
      { kind: 'message.insert', message: message(2, { ...short, direction: 'in', seen: false, state: 'delivered' }) },
      { kind: 'message.insert', message: message(3, short) },
      { kind: 'message.insert', message: message(4, { ...short, kind: 'timer', text: '', direction: 'in', seen: false }) },
    ])
    expect(await under.store.disappearing(9)).toEqual([])
    await under.store.commit([{ kind: 'messages.seen', contact: account, ids: [id(1), id(4)], at: 50_000 }])
    await under.store.commit([{ kind: 'messages.seen', contact: account, ids: [id(1)], at: 60_000 }])
    await under.store.commit([{ kind: 'message.state', id: id(3), state: 'delivered', at: 40_000 }])
    const due = await under.store.disappearing(9)
    expect(due.map((each) => [each.id, each.disappearAt])).toEqual([
      [id(3), 41_000],
      [id(1), 51_000],
    ])
    await under.store.commit([{ kind: 'messages.disappear', at: 41_000 }])
    expect((await under.store.history(account)).map((each) => each.id)).toEqual([id(1), id(2), id(4)])
  })

  it('[MK11] a word that most messages have finds the newest of all contacts, page by page, in order', async () => {
    await using under = await open()
    const other = accountIdFromDigest(new Uint8Array(32).fill(9))
    const made = Array.from({ length: 2_400 }, (_, at) => {
      const hlcMs = (at * 7_919) % 2_400
      const long = messageIdFromBytes(Uint8Array.of(...new Uint8Array(14), at >> 8, at & 255))
      const text = at % 12 === 0 ? 'nothing of it' : 'common word'
      return message(1, { id: long, hlcMs, contact: at % 3 === 0 ? other : account, text })
    })
    await under.store.commit(made.map((each) => ({ kind: 'message.insert', message: each }) as const))
    const expected = made.filter(({ text }) => text.startsWith('common')).sort((a, b) => b.hlcMs - a.hlcMs)
    const first = await under.store.search('common', { limit: 50 })
    expect(first.map(({ hlcMs }) => hlcMs)).toEqual(expected.slice(0, 50).map(({ hlcMs }) => hlcMs))
    const last = first.at(-1)
    if (last === undefined) throw new Error('nothing was found')
    const next = await under.store.search('comm word', { limit: 50, before: last.id })
    expect(next.map(({ hlcMs }) => hlcMs)).toEqual(expected.slice(50, 100).map(({ hlcMs }) => hlcMs))
    const theirs = expected.filter(({ contact }) => contact === other)
    const one = await under.store.search('common', { limit: 9, contact: other })
    expect(one.map(({ hlcMs }) => hlcMs)).toEqual(theirs.slice(0, 9).map(({ hlcMs }) => hlcMs))
    expect(await under.store.search('common absent', {})).toEqual([])
  })

  it('[ST46] what the user has not seen is told in conversation order, wherever it stands, until it is seen or gone', async () => {
    await using under = await open()
    const unseen = { direction: 'in', state: 'delivered', seen: false } as const
    await under.store.commit(
      [message(3, unseen), message(1, unseen), message(2, { direction: 'in', state: 'delivered' }), message(4, unseen), message(5)].map(
        (each) => ({ kind: 'message.insert', message: each }) as const,
      ),
    )
    const ids = async (limit = 9) => (await under.store.unseen(account, limit)).map((each) => each.id)
    expect(await ids()).toEqual([id(1), id(3), id(4)])
    expect(await ids(2)).toEqual([id(1), id(3)])
    expect((await under.store.unseen(account, 1))[0]).toEqual({ id: id(1), sender: message(1).sender, hlcMs: 1_001, hlcCounter: 0 })
    await under.store.commit([{ kind: 'messages.seen', contact: account, ids: [id(3), id(77)], at: 9 }])
    await under.store.commit([{ kind: 'messages.seen', contact: accountIdFromDigest(new Uint8Array(32).fill(9)), ids: [id(1)], at: 9 }])
    const again = await under.reopen()
    expect((await again.unseen(account, 9)).map((each) => each.id)).toEqual([id(1), id(4)])
    expect((await again.history(account)).map(({ seen }) => seen)).toEqual([false, true, true, false, true])
    await again.commit([{ kind: 'conversation.clear', contact: account, hlcMs: 1_001, hlcCounter: 0 }])
    expect((await again.unseen(account, 9)).map((each) => each.id)).toEqual([id(4)])
    await again.commit([{ kind: 'message.insert', message: message(1, unseen) }])
    expect((await again.unseen(account, 9)).map((each) => each.id)).toEqual([id(4)])
  })

  it('[MK8] what has disappeared leaves its id alone, so that a late copy is not shown', async () => {
    await using under = await open()
    const gone = message(1, { text: 'secret', disappearAfterMs: 5, disappearAt: 10, direction: 'in' })
    await under.store.commit([
      { kind: 'message.insert', message: gone },
      { kind: 'annotation.put', annotation: said(1, { kind: 'reaction', value: '👍' }) },
      { kind: 'message.insert', message: message(2, { disappearAt: 10 }) },
      { kind: 'proof.put', proof: proofOf(2) },
    ])
    await under.store.commit([{ kind: 'messages.disappear', at: 10 }])
    expect(await under.store.proofs(id(2))).toEqual([])
    expect(await under.store.commit([{ kind: 'message.insert', message: gone }])).toEqual(['duplicate'])
    expect(await under.store.history(account)).toEqual([])
    expect(await under.store.search('secret')).toEqual([])
    expect(await under.store.message(id(1))).toMatchObject({ kind: 'gone', text: '', ownReaction: null, disappearAt: null })
    expect(await under.store.disappearing(9)).toEqual([])
  })

  it('[MK12] that a message was taken back is kept until the other side has been told, though the conversation is deleted', async () => {
    await using under = await open()
    const [told, untold] = [said(1, { kind: 'deletion', value: '' }), said(2, { kind: 'deletion', value: '', target: id(2) })]
    const edit = said(3, { target: id(3), value: 'secret' })
    const row = {
      contact: account,
      device: message(1).sender,
      sealed: Uint8Array.of(1),
      state: 'queued',
      carriers: [],
      expiresAt: 9e15,
    } as const
    await under.store.commit([
      ...[1, 2, 3].map((number) => ({ kind: 'message.insert', message: message(number) }) as const),
      ...[told, untold, edit].map((annotation) => ({ kind: 'annotation.put', annotation }) as const),
      ...[untold, edit].map(
        (each, at) => ({ kind: 'outbox.insert', row: { ...row, message: each.id, seq: at + 1, transient: false, content: null } }) as const,
      ),
    ])
    await under.store.commit([{ kind: 'conversation.clear', contact: account, hlcMs: 9_000, hlcCounter: 0 }])
    const store = await under.reopen()
    expect(await Promise.all([told, untold, edit].map((each) => store.annotation(each.id)))).toEqual([null, untold, null])
  })

  it('[MK12] a conversation that was deleted is gone up to a stamp, with all that was kept about it, and nothing brings it back', async () => {
    await using under = await open()
    const stranger = accountIdFromDigest(new Uint8Array(32).fill(77))
    const timer = (number: number) => message(number, { kind: 'timer', text: '', disappearAfterMs: 60_000 + number })
    const all = [
      ...[message(1, { text: 'secret' }), message(2, { text: 'secret too', direction: 'in' }), timer(3), timer(4)],
      ...[message(5, { text: 'secret later' }), message(6, { contact: stranger, text: 'secret elsewhere' })],
    ]
    await under.store.commit([
      ...all.map((each) => ({ kind: 'message.insert', message: each }) as const),
      { kind: 'annotation.put', annotation: said(1, { kind: 'reaction', value: '👍', hlcMs: 9_000 }) },
      { kind: 'annotation.put', annotation: said(2, { target: id(50), hlcMs: 1_001 }) },
      { kind: 'annotation.put', annotation: said(3, { target: id(5), value: 'secret edited' }) },
      { kind: 'progress.put', progress: { message: id(1), device: message(1).sender, state: 'delivered', reason: null, at: 1 } },
      { kind: 'proof.put', proof: proofOf(1) },
      { kind: 'proof.put', proof: proofOf(5) },
      { kind: 'setting.put', key: 'seen', value: id(2) },
    ])
    await under.store.commit([{ kind: 'conversation.clear', contact: account, hlcMs: 1_004, hlcCounter: 0 }])
    const store = await under.reopen()
    expect((await store.history(account)).map((each) => [each.id, each.kind, each.text])).toEqual([
      [id(4), 'timer', ''],
      [id(5), 'text', 'secret edited'],
    ])
    expect((await store.history(account, { after: id(2) })).map((each) => each.id)).toEqual([id(4), id(5)])
    expect(await store.disappearAfter(account)).toBe(60_004)
    expect((await store.search('secret')).map((each) => each.id)).toEqual([id(6), id(5)])
    expect(await store.message(id(1))).toMatchObject({ kind: 'gone', text: '', ownReaction: null, editedAt: null })
    expect([await store.progress(id(1)), await store.proofs(id(1)), (await store.proofs(id(5))).length]).toEqual([[], [], 1])
    expect([await store.annotation(id(101)), await store.annotation(id(102))]).toEqual([null, null])
    const again = [
      { kind: 'message.insert', message: message(1, { text: 'secret' }) },
      { kind: 'annotation.put', annotation: said(4, { hlcMs: 9_500 }) },
    ] as const
    expect(await store.commit(again)).toEqual(['duplicate', 'duplicate'])
    expect(await store.annotation(id(104))).toBeNull()
    await store.commit([{ kind: 'conversation.clear', contact: account, hlcMs: 1_003, hlcCounter: 9 }])
    expect((await store.history(account)).length).toBe(2)
  })

  it('[MK6] the newest timer of a conversation counts, by its place in it', async () => {
    await using under = await open()
    expect(await under.store.disappearAfter(account)).toBeNull()
    const timer = (number: number, ms: number | null) => message(number, { kind: 'timer', text: '', disappearAfterMs: ms })
    await under.store.commit([{ kind: 'message.insert', message: timer(5, 60_000) }])
    await under.store.commit([{ kind: 'message.insert', message: timer(4, 1_000) }])
    expect(await under.store.disappearAfter(account)).toBe(60_000)
    await under.store.commit([{ kind: 'message.insert', message: timer(6, null) }])
    expect(await under.store.disappearAfter(account)).toBeNull()
  })

  it('[MK11] a search finds every word or its beginning, without case and accents, newest first', async () => {
    await using under = await open()
    const texts = ['Grüße aus Zürich', 'zurück in ZURICH', 'nichts davon', 'Zürich "NEAR" OR *']
    await under.store.commit(texts.map((text, at) => ({ kind: 'message.insert', message: message(at + 1, { text }) }) as const))
    const found = async (query: string) => (await under.store.search(query)).map(({ id: each }) => each)
    expect(await found('zürich')).toEqual([id(4), id(2), id(1)])
    expect(await found('zur gru')).toEqual([id(1)])
    expect(await found('davon')).toEqual([id(3)])
    expect(await found('near or')).toEqual([id(4)])
    expect(await found('" * -- ) OR (')).toEqual([id(4)])
    expect(await found('"*')).toEqual([])
    expect((await under.store.search('zürich', { before: id(4), limit: 1 })).map((each) => each.id)).toEqual([id(2)])
    await under.store.commit([{ kind: 'annotation.put', annotation: said(1, { value: 'Bern' }) }])
    expect(await found('zürich')).toEqual([id(4), id(2)])
    expect(await found('bern')).toEqual([id(1)])
  })

  it('[MK11] words of every script are found, and parts of what is written without spaces', async () => {
    await using under = await open()
    const texts = [
      ...['Мой ёжик', 'Καλημέρα ΚΌΣΜΕ, ΟΔΟΣ', '학교에서 만나요', 'ガソリン 東京都庁で', 'مُحَمَّد أحمد', 'हिन्दी किताब'],
      ...['พรุ่งนี้ไปกินข้าว', '明天在上海见，Windows版', 'e\u0301cole ﬁn', 'שָׁלוֹם', 'ｶﾞｲﾄﾞ ＡＢＣ'],
    ]
    await under.store.commit(texts.map((text, at) => ({ kind: 'message.insert', message: message(at + 1, { text }) }) as const))
    const found = async (query: string) => (await under.store.search(query)).map(({ id: each }) => each)
    const words = {
      ...{ 1: ['мой', 'МОИ', 'ежик', 'ёжи'], 2: ['καλημέρα', 'ΚΑΛΗΜΕΡΑ', 'κόσμε', 'οδός', 'οδοσ'], 3: ['학교', '만나요'] },
      ...{ 4: ['ガソリン', 'ソリン', '東京', '京都', '都庁で', 'ガソリン 東京'], 5: ['محمد', 'احمد', 'أحمد'], 6: ['हिन्दी', 'किता'] },
      ...{ 7: ['กินข้าว', 'พรุ่งนี้', 'ไปกิน'], 8: ['上海', '在上海', '版', 'windows版', 'Windows'], 9: ['école', 'ECOLE', 'fin'] },
      ...{ 10: ['שלום', 'שָׁלוֹם'], 11: ['ガイド', 'abc'] },
    }
    for (const [number, queries] of Object.entries(words))
      for (const query of queries) expect([query, await found(query)]).toEqual([query, [id(Number(number))]])
    for (const query of ['カソリン', 'कताब', '京東', '교에서', '海上']) expect([query, await found(query)]).toEqual([query, []])
    await under.store.commit([{ kind: 'annotation.put', annotation: said(1, { target: id(8), value: '明天在北京见' }) }])
    expect([await found('上海'), await found('北京'), await found('版')]).toEqual([[], [id(8)], []])
  })

  it('[ST44] the journal gives what came behind a position, in the order of insertion, and replaced words once', async () => {
    await using under = await open()
    const start = { messages: 0, annotations: 0 }
    expect(await under.store.journal(start, 9)).toEqual({ messages: [], annotations: [], last: start })
    for (const number of [3, 1, 2]) await under.store.commit([{ kind: 'message.insert', message: message(number) }])
    await under.store.commit([{ kind: 'message.insert', message: message(3) }])
    await under.store.commit([{ kind: 'annotation.put', annotation: said(1, { value: 'one' }) }])
    const first = await under.store.journal(start, 2)
    expect(first.messages.map((each) => each.message.id)).toEqual([id(3), id(1)])
    const rest = await under.store.journal({ ...start, messages: first.messages[1]?.position ?? 0 }, 2)
    expect(rest.messages.map((each) => each.message)).toEqual([message(2)])
    await under.store.commit([{ kind: 'annotation.put', annotation: said(1, { id: id(99), value: 'two', hlcMs: 9_000 }) }])
    const after = await under.store.journal({ messages: rest.last.messages, annotations: first.last.annotations }, 9)
    expect([after.messages, after.annotations.map((each) => each.annotation.value)]).toEqual([[], ['two']])
    expect((await under.store.journal(start, 9)).annotations.map((each) => each.annotation.value)).toEqual(['two'])
    expect(await (await under.reopen()).journal(start, 9)).toMatchObject({ last: after.last })
  })

  const proofOf = (number: number) => {
    const bytes = (byte: number, length: number) => new Uint8Array(length).fill(byte)
    const signed = { key: bytes(1, 32), statement: bytes(2, 9), signature: bytes(3, 64) }
    const kept = { subject: bytes(4, 7), deviceList: bytes(5, 8) }
    return { message: id(number), kind: 'stored', by: 'http://relay.test', ...signed, ...kept } as const
  }

  it('[ST45] what somebody signed about a message is kept once', async () => {
    await using under = await open()
    const proof = { ...proofOf(1), subject: null }
    await under.store.commit([{ kind: 'proof.put', proof }])
    await under.store.commit([{ kind: 'proof.put', proof: { ...proof, statement: Uint8Array.of(4) } }])
    await under.store.commit([{ kind: 'proof.put', proof: { ...proof, message: id(2) } }])
    expect(await under.store.proofs(id(1))).toEqual([proof])
    // What was taken back is in no proof any more; what somebody else says of it changes nothing.
    const deletion = (own: boolean) =>
      ({ kind: 'annotation.put', annotation: said(own ? 1 : 2, { kind: 'deletion', value: '', own }) }) as const
    await under.store.commit([deletion(false)])
    expect((await under.store.proofs(id(1))).length).toBe(1)
    await under.store.commit([deletion(true)])
    expect((await under.store.proofs(id(1))).length).toBe(0)
  })
}
