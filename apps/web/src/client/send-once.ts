/** Sends a text once, also when the tab that serves the call goes in the middle of it: then the history tells whether it was done. */
import type { ApiClient } from '@skein/node/browser'
import type { ClientModel } from './model.ts'

/** Time for another tab to take over, ms; a hidden one may be slow. */
const TAKEOVER_WITHIN_MS = 30_000
/** Messages in which it is looked for: it can only be among the newest. */
const LOOK_AT = 100

type SendInput = Parameters<ApiClient['send']>[0]

export type SendModel = Pick<ClientModel, 'get' | 'subscribe'>

/** @throws what the API throws; nothing was sent then */
export async function sendOnce(model: SendModel, input: SendInput): Promise<void> {
  const { api } = model.get()
  if (api === undefined) throw Object.assign(new Error('not running'), { code: 'STORE_CLOSED' })
  const since = Date.now()
  try {
    await api.send(input)
  } catch (error) {
    if (isAnswer(error) || !(await wasSent(await successor(model, api), input, since))) throw error
  }
}

/** An error with a code was said by the client; one without is the end of the connection to it. */
function isAnswer(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
}

async function wasSent(api: ApiClient | undefined, { contacts, text }: SendInput, since: number): Promise<boolean> {
  const [contact] = contacts
  if (api === undefined || contact === undefined) return false
  const { messages } = await api.history({ contact, limit: LOOK_AT })
  return messages.some((each) => each.direction === 'out' && each.text === text && each.created_at >= since)
}

/** The API of whoever leads after `gone`. */
function successor(model: SendModel, gone: ApiClient): Promise<ApiClient | undefined> {
  return new Promise((resolve) => {
    const done = (api: ApiClient | undefined): void => {
      stop()
      clearTimeout(late)
      resolve(api)
    }
    const look = (): void => {
      const { api } = model.get()
      if (api !== undefined && api !== gone) done(api)
    }
    const late = setTimeout(() => done(undefined), TAKEOVER_WITHIN_MS)
    const stop = model.subscribe(look)
    look()
  })
}
