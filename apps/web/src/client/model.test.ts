import type { ApiClient, ClientEvent, Tab } from '@skein/node/browser'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { ClientModel } from './model.ts'

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('document', { visibilityState: 'visible' })
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

/** A client whose answers about itself the test gives. */
function clientOf() {
  const questions: (() => void)[] = []
  const changes: (() => void)[] = []
  const status = (): Promise<unknown> => new Promise((resolve) => questions.push(() => resolve({ account: 'ana' })))
  const known = {
    status,
    peers: async () => ({ peers: [{ contact: 'bo', path: 'direct' }] }),
    conversations: async () => ({ conversations: [{ contact: 'bo', online: true }] }),
    devices: async () => ({ revoked: false }),
    events: async () => ({ next: () => new Promise(() => undefined) }),
  }
  const tab = {
    api: known as unknown as ApiClient | undefined,
    leads: false,
    silent: false,
    listen: (listener: () => void) => {
      changes.push(listener)
      return () => undefined
    },
    close: async () => undefined,
  }
  const lose = (): void => {
    tab.api = undefined
    for (const each of changes) each()
  }
  return { tab: tab satisfies Tab, questions, lose }
}

/** What is said of others to be so now. */
function saidOf(model: ClientModel): unknown {
  const { peers, conversations } = model.get()
  return [peers.map(({ path }) => path), conversations?.map(({ online }) => online)]
}

it('[TB10] a client is asked one question at a time; without an answer what it said is no longer true, and it is said', async () => {
  const { tab, questions } = clientOf()
  const model = new ClientModel()
  const stop = model.follow(tab)
  await vi.advanceTimersByTimeAsync(100)
  questions[0]?.()
  await vi.advanceTimersByTimeAsync(2_000)
  expect([model.get().status?.account, questions.length]).toEqual(['ana', 2])
  await vi.advanceTimersByTimeAsync(4_000)
  expect([model.get().status?.account, model.get().silent]).toEqual(['ana', false])
  await vi.advanceTimersByTimeAsync(10_000)
  expect([model.get().status, model.get().silent, questions.length]).toEqual([undefined, true, 2])
  expect(saidOf(model)).toEqual([[], [false]])
  questions[1]?.()
  await vi.advanceTimersByTimeAsync(0)
  expect([model.get().status?.account, model.get().silent]).toEqual(['ana', false])
  expect(saidOf(model)).toEqual([['direct'], [true]])
  stop()
})

it('[TB10] nor is it while there is nobody to ask', async () => {
  const { tab, questions, lose } = clientOf()
  const model = new ClientModel()
  const stop = model.follow(tab)
  await vi.advanceTimersByTimeAsync(100)
  questions[0]?.()
  await vi.advanceTimersByTimeAsync(0)
  expect(saidOf(model)).toEqual([['direct'], [true]])
  lose()
  expect([model.get().status, ...(saidOf(model) as unknown[])]).toEqual([undefined, [], [false]])
  stop()
})

it('[UI30] whoever comes in by an invite of ours meanwhile is not the one who was added, and a failure is told', async () => {
  const { tab } = clientOf()
  const told = Promise.withResolvers<IteratorResult<ClientEvent>>()
  const answer = Promise.withResolvers<{ contact: string }>()
  const stream = { next: vi.fn<() => Promise<IteratorResult<ClientEvent>>>(() => new Promise(() => undefined)) }
  stream.next.mockReturnValueOnce(told.promise)
  Object.assign(tab.api ?? {}, { status: async () => ({ account: 'ana' }), events: async () => stream, add: () => answer.promise })
  const model = new ClientModel()
  const stop = model.follow(tab)
  await vi.advanceTimersByTimeAsync(100)
  const added = model.add('an invite')
  const outcome = added.catch((error: unknown) => error)
  told.resolve({ done: false, value: { event: 'contact', contact: 'bo', state: 'accepted' } as ClientEvent })
  await vi.advanceTimersByTimeAsync(1_000)
  answer.reject(new Error('the relay does not answer'))
  expect(await outcome).toEqual(new Error('the relay does not answer'))
  stop()
})
