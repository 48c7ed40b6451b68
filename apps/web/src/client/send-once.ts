/** Sends a text once, also when the tab that serves the call goes in the middle of it: the next one is asked under the same id. */
import { MAX_TEXT_BYTES, messageIdFromBytes } from '@skein/core'
import type { ApiClient } from '@skein/node/browser'
import { forgetUnsent, keepOpen, keepUnsent, readOpen, readUnsent, returnToDraft } from './drafts.ts'
import type { ClientModel } from './model.ts'

/** Time for another tab to take over, ms; a hidden one may be slow. */
const TAKEOVER_WITHIN_MS = 30_000
/** So long the same text to the same people is taken for another try of what had no answer, ms. */
const OPEN_FOR_MS = 600_000
/** Clients that are asked for one text, one after another: what ends the connection to each is the text itself, or will not pass. */
const MOST_TRIES = 5
/** Of all tries together, ms. */
const GIVE_UP_AFTER_MS = 120_000

type SendInput = Omit<Parameters<ApiClient['send']>[0], 'id'>

export type SendModel = Pick<ClientModel, 'get' | 'subscribe'>

/** What no client takes need not be given to one, which may end the connection over it. @throws Error with the code MESSAGE_TOO_LARGE */
export function refuseTooLarge(text: string): void {
  if (new TextEncoder().encode(text).length > MAX_TEXT_BYTES) throw Object.assign(new Error('too long'), { code: 'MESSAGE_TOO_LARGE' })
}

/**
 * @throws what the API throws; what has no code (nobody took over in time) leaves open whether it was sent: the same text to the same
 * people goes under the same id then
 */
export async function sendOnce(model: SendModel, input: SendInput): Promise<void> {
  refuseTooLarge(input.text)
  const { api } = model.get()
  if (api === undefined) throw Object.assign(new Error('not running'), { code: 'STORE_CLOSED' })
  const key = JSON.stringify(input)
  const id = openId(key) ?? messageIdFromBytes(crypto.getRandomValues(new Uint8Array(16)))
  const unsent = { ...input, id }
  keepUnsent(unsent)
  try {
    await sendBy(model, api, unsent)
  } catch (error) {
    keepOpen(key, isAnswer(error) ? '' : `${Date.now()} ${id}`)
    throw error
  } finally {
    forgetUnsent(id)
  }
}

/** What was sent without an answer not long ago, once: later on the same text is another message. */
function openId(key: string): string | undefined {
  const [at, id] = readOpen(key).split(' ')
  keepOpen(key, '')
  return id !== undefined && Date.now() - Number(at) < OPEN_FOR_MS ? id : undefined
}

/** Sends what a page that was left in the middle of it had begun; what is refused becomes a draft again. */
export async function sendUnsent(model: SendModel): Promise<void> {
  for (const unsent of readUnsent()) {
    const { api } = model.get()
    if (api === undefined) return
    await sendBy(model, api, unsent).catch((error: unknown) => {
      const { id, ...input } = unsent
      if (!isAnswer(error)) keepOpen(JSON.stringify(input), `${Date.now()} ${id}`)
      for (const contact of unsent.contacts) returnToDraft(contact, unsent.text)
    })
    forgetUnsent(unsent.id)
  }
}

async function sendBy(model: SendModel, first: ApiClient, input: Parameters<ApiClient['send']>[0]): Promise<void> {
  const until = performance.now() + GIVE_UP_AFTER_MS
  for (let [api, tried] = [first, 1]; ; tried += 1) {
    try {
      await api.send(input)
      return
    } catch (error) {
      const isOver = isAnswer(error) || tried === MOST_TRIES || performance.now() > until
      const next = isOver || !(await hasGone(model, api)) ? undefined : await successor(model, api)
      if (next === undefined) throw error
      api = next
    }
  }
}

/** An error with a code was said by the client; one without is the end of the connection to it. */
function isAnswer(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
}

/** Whether the tab behind `api` is no longer the one to ask: it says so after the calls to it have ended. */
async function hasGone(model: SendModel, api: ApiClient): Promise<boolean> {
  await new Promise((resolve) => setTimeout(resolve))
  return model.get().api !== api
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
