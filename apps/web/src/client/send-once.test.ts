import type { ApiClient, HistoryMessage } from '@skein/node/browser'
import { describe, expect, it } from 'vitest'
import type { ClientSnapshot } from './model.ts'
import { sendOnce, type SendModel } from './send-once.ts'

const INPUT: Parameters<ApiClient['send']>[0] = { contacts: ['bo'], text: 'hello', wait: 'queued', timeout_ms: 1_000 }

/** Two tabs in turn on one store: the first goes in the middle of a call. */
function tabs({ commits, code }: { readonly commits: boolean; readonly code?: string }) {
  const stored: Pick<HistoryMessage, 'direction' | 'text' | 'created_at'>[] = [{ direction: 'out', text: 'hello', created_at: 1 }]
  const listeners = new Set<() => void>()
  const history = async () => ({ messages: stored })
  const second = { history, send: async () => Promise.reject(new Error('never asked')) } as unknown as ApiClient
  const send = async (): Promise<never> => {
    if (commits) stored.push({ direction: 'out', text: 'hello', created_at: Date.now() })
    state.api = undefined
    setTimeout(() => {
      state.api = second
      for (const each of listeners) each()
    }, 0)
    throw Object.assign(new Error('the tab has gone'), code === undefined ? {} : { code })
  }
  const state = { api: { history, send } as unknown as ApiClient | undefined }
  const model: SendModel = {
    get: () => state as unknown as ClientSnapshot,
    subscribe: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  return { model, sent: () => stored.length - 1 }
}

describe('a text that is sent while the tab that leads goes', () => {
  it('[TB4] was sent if the history has it: nobody sends it again', async () => {
    const { model, sent } = tabs({ commits: true })
    await sendOnce(model, INPUT)
    expect(sent()).toBe(1)
  })

  it('[TB4] was not sent if the history has it not, also when the same was said before', async () => {
    const { model, sent } = tabs({ commits: false })
    await expect(sendOnce(model, INPUT)).rejects.toThrow('the tab has gone')
    expect(sent()).toBe(0)
  })

  it('[TB4] is refused at once when the client itself refuses it', async () => {
    const { model } = tabs({ commits: false, code: 'MESSAGE_TOO_LARGE' })
    await expect(sendOnce(model, INPUT)).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' })
  })
})
