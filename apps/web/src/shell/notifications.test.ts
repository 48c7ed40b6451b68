import type { ClientEvent } from '@skein/node/browser'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { ClientModel } from '../client/model.ts'
import { callUser } from './notifications.ts'

const shown: string[] = []
class Shown {
  static readonly permission = 'granted'
  constructor(title: string, { body }: NotificationOptions) {
    shown.push(`${title}: ${body}`)
  }
}

/** As browsers have them, for one origin. */
class Locks {
  readonly held: { readonly name: string }[] = []

  async request(name: string, _options: object, work: () => Promise<void>): Promise<void> {
    const lock = { name }
    this.held.push(lock)
    await work()
    this.held.splice(this.held.indexOf(lock), 1)
  }

  query = async () => ({ held: [...this.held] })
}

const locks = new Locks()
const page = { visibilityState: 'visible', focus: true, hasFocus: () => page.focus }
const windowOf = new EventTarget()

beforeEach(() => {
  shown.length = 0
  vi.stubGlobal('Notification', Shown)
  vi.stubGlobal('isSecureContext', true)
  vi.stubGlobal('document', page)
  vi.stubGlobal('navigator', { locks, languages: ['en'] })
  vi.stubGlobal('localStorage', { getItem: () => 'yes' })
  vi.stubGlobal('addEventListener', windowOf.addEventListener.bind(windowOf))
})
afterEach(() => vi.unstubAllGlobals())

const message = {
  event: 'message',
  contact: 'bo',
  name: 'Bo',
  muted: false,
  message: { id: 'a', direction: 'in', kind: 'text', text: 'hello', deleted_at: null },
}

it('[UI27] a message is announced while no tab is looked at, and in none of them while one is', async () => {
  // As it is called, with the promise that the model does not wait for.
  let hear: (events: readonly ClientEvent[]) => unknown = () => undefined
  callUser({ onEvents: (listener: typeof hear) => ((hear = listener), () => undefined) } as unknown as ClientModel)
  const comes = async (): Promise<readonly string[]> => {
    await hear([message as unknown as ClientEvent])
    return shown.splice(0)
  }
  const turnAway = async (): Promise<void> => {
    page.focus = false
    windowOf.dispatchEvent(new Event('blur'))
    await vi.waitFor(() => expect(locks.held).toEqual([]))
  }
  expect([await comes(), locks.held.length]).toEqual([[], 1])
  // Still to be seen beside another window.
  await turnAway()
  expect([await comes(), locks.held.length]).toEqual([['Bo: hello'], 0])
  const other = Promise.withResolvers<void>()
  const otherTab = locks.request('skein-looked-at', {}, () => other.promise)
  expect(await comes()).toEqual([])
  other.resolve()
  await otherTab
  expect(await comes()).toEqual(['Bo: hello'])
  const alike = (kind: string, text: string) => ({ ...message, message: { ...message.message, kind, text } })
  const asks = { event: 'contact', contact: 'cleo', name: '', state: 'requested' }
  const others = [alike('timer', ''), alike('unknown', ''), alike('contact', 'Cleo'), asks, { ...asks, state: 'accepted' }]
  await hear(others as unknown as readonly ClientEvent[])
  const newer = 'Bo: Something that a newer version of Skein can show.'
  expect(shown.splice(0)).toEqual([newer, 'Bo: Contact: Cleo', 'Skein: Wants to be your contact'])
})
