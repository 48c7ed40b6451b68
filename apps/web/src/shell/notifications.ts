/** Calls the user to new messages while no window of Skein is looked at. Loaded where the user has asked for it. */
import type { ClientEvent } from '@skein/node/browser'
import { briefly } from '../chats/briefly.ts'
import { KEYS, readKept } from '../client/kept.ts'
import type { ClientModel } from '../client/model.ts'
import { keptLanguage, LANGUAGES, type Strings } from '../strings/languages.ts'

/** Characters of a text that are shown. */
const MOST = 120

/** Also absent on an origin that is not secure, where it is there and refuses. */
export const canNotify = (): boolean => typeof Notification !== 'undefined' && globalThis.isSecureContext

export const isWanted = (): boolean => readKept(KEYS.notify) === 'yes' && canNotify() && Notification.permission === 'granted'

const calling = new WeakSet<ClientModel>()

/** From now on, for as long as the page lives. Idempotent. */
export function callUser(model: ClientModel): void {
  if (calling.has(model)) return
  calling.add(model)
  followLook()
  model.onEvents(tell)
}

async function tell(events: readonly ClientEvent[]): Promise<void> {
  if (!isWanted() || (await isLookedAt())) return
  const calls = events.filter(isCall)
  if (calls.length === 0) return
  const { chats } = await LANGUAGES[keptLanguage()].load().catch(() => LANGUAGES.en.load())
  for (const each of calls) show(callFor(each, chats))
}

/** A lock that each tab holds while its user looks at it, for all the others to see. */
const LOOKED_AT = 'skein-looked-at'

const isHere = (): boolean => document.visibilityState === 'visible' && document.hasFocus()

async function isLookedAt(): Promise<boolean> {
  if (isHere()) return true
  const { held = [] } = await navigator.locks.query()
  return held.some(({ name }) => name === LOOKED_AT)
}

function followLook(): void {
  let leave: (() => void) | undefined
  const look = (): void => {
    if (isHere() === (leave !== undefined)) return
    if (leave === undefined) {
      const left = Promise.withResolvers<void>()
      void navigator.locks.request(LOOKED_AT, { mode: 'shared' }, () => left.promise)
      leave = left.resolve
    } else {
      leave()
      leave = undefined
    }
  }
  for (const type of ['focus', 'blur', 'visibilitychange']) globalThis.addEventListener(type, look)
  look()
}

type Calling = Extract<ClientEvent, { readonly event: 'message' | 'contact' }>

/** Messages, and strangers who ask; a timer that was set is no message. */
function isCall(event: ClientEvent): event is Calling {
  if (event.event === 'contact') return event.state === 'requested'
  return event.event === 'message' && !event.muted && event.message.direction === 'in' && event.message.kind !== 'timer'
}

interface Call {
  readonly title: string
  readonly body: string
  readonly tag: string
  /** Where a click leads. */
  readonly to: string
}

/** One tag for all tabs: they show it once. */
function callFor(event: Calling, chats: Strings['chats']): Call {
  const title = event.name === '' ? 'Skein' : event.name
  if (event.event === 'contact') return { title, body: chats.wantsContact, tag: event.contact, to: '#/people' }
  const { message, contact } = event
  return { title, body: oneLine(briefly(message, chats)), tag: message.id, to: `#/chats/${contact}` }
}

function show({ title, to, ...rest }: Call): void {
  const options = { ...rest, icon: '/icon-192.png' }
  try {
    const notification = new Notification(title, options)
    notification.onclick = () => {
      globalThis.focus()
      globalThis.location.hash = to
      notification.close()
    }
  } catch {
    // Browsers on Android leave it to the service worker.
    void navigator.serviceWorker?.ready.then((worker) => worker.showNotification(title, options)).catch(() => undefined)
  }
}

/** What somebody else wrote, without what turns the order of the words around it. */
const oneLine = (text: string): string =>
  text
    .replaceAll(/[\p{C}\s]+/gu, ' ')
    .trim()
    .slice(0, MOST)
