import type { ApiClient } from '@skein/node/browser'
import { describe, expect, it } from 'vitest'
import type { ClientSnapshot } from './model.ts'
import { sendOnce, type SendModel } from './send-once.ts'

type Input = Parameters<ApiClient['send']>[0]
const INPUT: Input = { contacts: ['bo'], text: 'hello', wait: 'queued', timeout_ms: 1_000 }

/** Two tabs in turn on one store, which takes each id once: the first goes in the middle of each call. */
function tabs({ commits, code }: { readonly commits: boolean; readonly code?: string }) {
  const stored = new Map<string, string>()
  const listeners = new Set<() => void>()
  const keep = ({ id = 'none', text }: Input): void => void stored.set(id, text)
  const second = { send: async (input: Input) => keep(input) } as unknown as ApiClient
  const send = async (input: Input): Promise<never> => {
    if (commits) keep(input)
    state.api = undefined
    queueMicrotask(() => {
      state.api = second
      for (const each of listeners) each()
    })
    throw Object.assign(new Error('the tab has gone'), code === undefined ? {} : { code })
  }
  const state = { api: { send } as unknown as ApiClient | undefined }
  const model: SendModel = {
    get: () => state as unknown as ClientSnapshot,
    subscribe: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  return { model, stored }
}

describe('a text that is sent while the tab that leads goes', () => {
  it.each([true, false])('[TB4] is sent once, whether that tab has kept it (%s) or not', async (commits) => {
    const { model, stored } = tabs({ commits })
    await sendOnce(model, INPUT)
    expect([...stored.values()]).toEqual(['hello'])
    expect([...stored.keys()][0]).toMatch(/^[0-9a-f]{32}$/)
  })

  it('[TB4] the same text said again is another message', async () => {
    const { model, stored } = tabs({ commits: true })
    await sendOnce(model, INPUT)
    await sendOnce(model, INPUT)
    expect(stored.size).toBe(2)
  })

  it('[TB4] a failure of a client that is still there is said at once', async () => {
    const { model } = tabs({ commits: false })
    const api = { send: () => Promise.reject(new Error('disk I/O error')) } as unknown as ApiClient
    const staying: SendModel = { ...model, get: () => ({ api }) as unknown as ClientSnapshot }
    await expect(sendOnce(staying, INPUT)).rejects.toThrow('disk I/O error')
  })

  it('[TB4] goes under the same id when it is sent again after nobody took over in time', async () => {
    const { model, stored } = tabs({ commits: true })
    const lost: SendModel = { ...model, subscribe: () => () => undefined, get: () => ({ api: lone }) as unknown as ClientSnapshot }
    const keeping = async ({ id = 'none', text }: Input): Promise<never> => {
      stored.set(id, text)
      throw new Error('no answer')
    }
    const lone = { send: keeping } as unknown as ApiClient
    await expect(sendOnce(lost, INPUT)).rejects.toThrow('no answer')
    await sendOnce(model, INPUT)
    expect([...stored.values()]).toEqual(['hello'])
    // It was answered: said once more it is another message.
    await sendOnce(model, INPUT)
    expect(stored.size).toBe(2)
    await expect(sendOnce(lost, INPUT)).rejects.toThrow('no answer')
    await sendOnce(model, { ...INPUT, text: 'another' })
    expect([...stored.values()]).toEqual(['hello', 'hello', 'hello', 'another'])
  })

  it('[TB4] goes under the same id when it was tried in between while nobody led', async () => {
    const { model, stored } = tabs({ commits: true })
    const keeping = async ({ id = 'none', text }: Input): Promise<never> => {
      stored.set(id, text)
      throw new Error('no answer')
    }
    const lone = { send: keeping } as unknown as ApiClient
    const led = (api: ApiClient | undefined): SendModel => ({
      subscribe: () => () => undefined,
      get: () => ({ api }) as unknown as ClientSnapshot,
    })
    await expect(sendOnce(led(lone), INPUT)).rejects.toThrow('no answer')
    await expect(sendOnce(led(undefined), INPUT)).rejects.toMatchObject({ code: 'STORE_CLOSED' })
    await sendOnce(model, INPUT)
    expect([...stored.values()]).toEqual(['hello'])
  })

  it('[TB6] is given back when the connection to each client ends over it, and goes to no further one', async () => {
    let asked = 0
    const listeners = new Set<() => void>()
    const next = (): ApiClient => ({ send: cut }) as unknown as ApiClient
    const cut = async (): Promise<never> => {
      asked += 1
      state.api = next()
      for (const each of listeners) each()
      throw new Error('the connection has ended')
    }
    const state = { api: next() }
    const subscribe = (listener: () => void): (() => boolean) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    }
    await expect(sendOnce({ get: () => state as unknown as ClientSnapshot, subscribe }, INPUT)).rejects.toThrow('has ended')
    expect(asked).toBe(5)
  })

  it('[TB6] no client is asked for one that is too long, by bytes', async () => {
    const { model, stored } = tabs({ commits: true })
    const over = { ...INPUT, text: 'é'.repeat(24_577) }
    await expect(sendOnce(model, over)).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' })
    expect(stored.size).toBe(0)
    await sendOnce(model, { ...INPUT, text: 'é'.repeat(24_576) })
    expect(stored.size).toBe(1)
  })

  it('[TB4] is refused at once when the client itself refuses it', async () => {
    const { model, stored } = tabs({ commits: false, code: 'MESSAGE_TOO_LARGE' })
    await expect(sendOnce(model, INPUT)).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' })
    expect(stored.size).toBe(0)
  })
})
