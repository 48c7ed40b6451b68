import type { ApiClient } from '@skein/node/browser'
import { expect, it } from 'vitest'
import { type Hit, MessageSearch } from './message-search.ts'

type Asked = Parameters<ApiClient['search']>[0]

/** A client that has `count` messages with any word, numbered from the newest on. */
function clientWith(count: number, gate: Promise<void> = Promise.resolve()) {
  const asked: Asked[] = []
  const search = async (input: Asked): Promise<{ messages: Hit[] }> => {
    asked.push(input)
    await gate
    const from = input.before === undefined ? 0 : Number(input.before) + 1
    const ids = Array.from({ length: Math.max(0, Math.min(input.limit ?? 0, count - from)) }, (_, at) => String(from + at))
    return { messages: ids.map((id) => ({ id, text: input.query }) as Hit) }
  }
  return { asked, model: { get: () => ({ api: { search } as unknown as ApiClient }) } as ConstructorParameters<typeof MessageSearch>[0] }
}

it('[UI9] older hits come page by page, each once, until there are no more', async () => {
  const { model, asked } = clientWith(230)
  const search = new MessageSearch(model)
  await search.look({ query: 'word', contact: 'bo' })
  expect([search.get().hits?.length, search.get().hasOlder]).toEqual([100, true])
  await Promise.all([search.older(), search.older()])
  await search.older()
  await search.older()
  expect(search.get().hits?.map(({ id }) => Number(id))).toEqual(Array.from({ length: 230 }, (_, at) => at))
  expect(search.get().hasOlder).toBe(false)
  expect(asked.map(({ contact, before }) => [contact, before])).toEqual([
    ['bo', undefined],
    ['bo', '99'],
    ['bo', '199'],
  ])
})

it('[UI9] an answer to what is wanted no longer is not shown', async () => {
  const gate = Promise.withResolvers<void>()
  const { model } = clientWith(3, gate.promise)
  const search = new MessageSearch(model)
  const looking = [search.look({ query: 'one', contact: undefined }), search.look({ query: 'two', contact: undefined })]
  gate.resolve()
  await Promise.all(looking)
  expect(search.get().hits?.map(({ text }) => text)).toEqual(['two', 'two', 'two'])
  await search.look({ query: '', contact: undefined })
  expect(search.get()).toEqual({ hasOlder: false })
})
