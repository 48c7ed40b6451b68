/** What every MailboxStore keeps (docs/spec/mailbox.md). */
import { describe, expect, it } from 'vitest'
import { CROWDED_TAG_BYTES, DEPOSITS_PER_TOKEN, judgeDeposit, MAIL_OVERHEAD_BYTES, MAX_TAG_ENVELOPES } from '../../mailbox/rules.ts'
import type { MailboxStore, MailDeposit } from '../../ports/index.ts'

export interface MailboxStoreUnderTest extends AsyncDisposable {
  readonly store: MailboxStore
  /** Opens the store again on the same data, or gives the same where nothing is kept. */
  reopen(): Promise<MailboxStore>
}

const DAY = 86_400_000
const NOW = 20_000 * DAY
const tag = (number: number): string => number.toString(16).padStart(32, '0')
const token = (number: number) => ({ nonce: new Uint8Array(32).fill(number), until: NOW + DAY })
const filled = (number: number, length: number): Uint8Array => new Uint8Array(length).fill(number & 0xff)

function deposit(number: number, change: Partial<MailDeposit> = {}): MailDeposit {
  const envelope = filled(number, 100)
  envelope[0] = number >> 8
  const digest = new Uint8Array(32)
  new DataView(digest.buffer).setUint32(0, number)
  return { tag: tag(1), envelope, digest, storedAt: NOW, expiresAt: NOW + 30 * DAY, token: undefined, ...change }
}

export function mailboxStoreContract(name: string, open: () => Promise<MailboxStoreUnderTest>): void {
  const put = (store: MailboxStore, deposits: readonly MailDeposit[], maxBytes = 1e9) =>
    store.deposit(deposits, (each, state) => judgeDeposit(each, state, { maxBytes }))
  const all = { after: 0, limit: 1_000, maxBytes: 60_000, now: NOW }
  const kinds = (verdicts: readonly { readonly kind: string }[]) => verdicts.map((each) => ('why' in each ? each.why : each.kind))

  describe(`mailbox store: ${name}`, () => {
    it('[MB1] what was stored is there after reopening, in order, until it is deleted or has expired', async () => {
      await using under = await open()
      await put(under.store, [deposit(1, { token: token(1) }), deposit(2), deposit(3, { expiresAt: NOW + 10 })])
      const store = await under.reopen()
      const mail = await store.fetch({ ...all, tags: [tag(1)] })
      expect(mail.map(({ envelope }) => envelope[1])).toEqual([1, 2, 3])
      expect(await store.fetch({ ...all, tags: [tag(1)], after: mail[0]?.cursor ?? 0, limit: 1 })).toEqual([mail[1]])
      expect(await store.fetch({ ...all, tags: [tag(1)], maxBytes: 1 })).toEqual([mail[0]])
      expect(await store.fetch({ ...all, tags: [tag(2)] })).toEqual([])
      expect(await store.fetch({ ...all, tags: [tag(1)], now: NOW + 10 })).toHaveLength(2)
      await store.forget([tag(1)], [mail[0]?.cursor ?? 0])
      await store.sweep(NOW + 10)
      expect(await store.fetch({ ...all, tags: [tag(1), tag(2)] })).toEqual([mail[1]])
      expect((await store.totals()).envelopes).toBe(1)
    })

    it('[MB2] one token pays for a number of deposits under one tag, and only once', async () => {
      await using under = await open()
      const paid = Array.from({ length: DEPOSITS_PER_TOKEN + 1 }, (_, at) => deposit(at, at === 0 ? { token: token(1) } : {}))
      expect(kinds(await put(under.store, [deposit(999)]))).toEqual(['token-wanted'])
      expect(kinds(await put(under.store, paid))).toEqual([...Array(DEPOSITS_PER_TOKEN).fill('store'), 'token-wanted'])
      const store = await under.reopen()
      expect(kinds(await put(store, [deposit(999)]))).toEqual(['token-wanted'])
      expect(kinds(await put(store, [deposit(999, { token: token(1) })]))).toEqual(['token-spent'])
      expect(kinds(await put(store, [deposit(999, { tag: tag(2), token: token(1) })]))).toEqual(['token-spent'])
      expect(kinds(await put(store, [deposit(999, { token: token(2) }), deposit(998)]))).toEqual(['store', 'store'])
    })

    it('[MB2] a token that comes while the tag has room is not spent', async () => {
      await using under = await open()
      await put(under.store, [deposit(1, { token: token(1) }), deposit(2, { token: token(2) })])
      expect(kinds(await put(under.store, [deposit(3, { tag: tag(2), token: token(2) })]))).toEqual(['store'])
    })

    it('[MB7] the same envelope again changes nothing and is acknowledged', async () => {
      await using under = await open()
      const same = deposit(1, { token: token(1) })
      expect(kinds(await put(under.store, [same, same]))).toEqual(['store', 'repeat'])
      expect(kinds(await put(under.store, [{ ...same, token: undefined }]))).toEqual(['repeat'])
      expect(await under.store.fetch({ ...all, tags: [tag(1)] })).toHaveLength(1)
    })

    it('[MB5] one tag cannot take the room of the others', async () => {
      await using under = await open()
      const size = 10_000
      const each = size + MAIL_OVERHEAD_BYTES
      const large = (number: number, box: number) =>
        deposit(number, { tag: tag(box), envelope: filled(number, size), token: token(number) })
      const maxBytes = 20 * each
      const filling = kinds(
        await put(
          under.store,
          Array.from({ length: 25 }, (_, at) => large(at + 1, 1)),
          maxBytes,
        ),
      )
      expect(filling.filter((kind) => kind === 'store')).toHaveLength(17)
      expect(new Set(filling.slice(17))).toEqual(new Set(['tag-full']))
      const others = Math.floor(CROWDED_TAG_BYTES / each)
      expect(
        kinds(
          await put(
            under.store,
            Array.from({ length: others + 1 }, (_, at) => large(at + 100, 2)),
            maxBytes,
          ),
        ),
      ).toEqual([...Array(others).fill('store'), 'full'])
      expect(MAX_TAG_ENVELOPES).toBeGreaterThan(DEPOSITS_PER_TOKEN)
    })

    it('[MB3] nobody deletes what lies under a tag that is not theirs, and a cursor is used once', async () => {
      await using under = await open()
      await put(under.store, [deposit(1, { token: token(1) }), deposit(2, { tag: tag(2), token: token(2) })])
      const [mine, theirs] = [await under.store.fetch({ ...all, tags: [tag(1)] }), await under.store.fetch({ ...all, tags: [tag(2)] })]
      const cursors = [...mine, ...theirs].map(({ cursor }) => cursor)
      await under.store.forget([tag(1)], cursors)
      expect(await under.store.fetch({ ...all, tags: [tag(1), tag(2)] })).toEqual(theirs)
      await under.store.forget([tag(2)], cursors)
      await put(under.store, [deposit(3)])
      const [next] = await under.store.fetch({ ...all, tags: [tag(1)] })
      expect(next?.cursor).toBeGreaterThan(Math.max(...cursors))
    })

    it('[MB4] a member has so many tokens a day', async () => {
      await using under = await open()
      const want = { count: 16, most: 40 }
      expect([await under.store.grant('a', 1, want), await under.store.grant('a', 1, want), await under.store.grant('b', 1, want)]).toEqual(
        [16, 16, 16],
      )
      const store = await under.reopen()
      expect([await store.grant('a', 1, want), await store.grant('a', 1, want), await store.grant('a', 2, want)]).toEqual([8, 0, 16])
    })
  })
}
