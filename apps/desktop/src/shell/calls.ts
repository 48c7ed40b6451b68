/** What calls the user when no window is looked at. */
import type { Words } from './words.ts'

/** An event of the client, as far as it matters here (`ClientEvent` of the API). */
export type Happening =
  | {
      readonly event: 'message'
      readonly contact: string
      readonly name: string
      readonly muted: boolean
      readonly message: {
        readonly direction: 'in' | 'out'
        readonly kind: 'text' | 'contact' | 'timer' | 'file' | 'unknown' | 'gone'
        readonly text: string
      }
    }
  | { readonly event: 'contact'; readonly contact: string; readonly name: string; readonly state: 'pending' | 'requested' | 'accepted' }

export interface Call {
  readonly title: string
  readonly body: string
  /** Where a click leads. */
  readonly fragment: string
}

/** Longest text that is shown, characters: systems cut it sooner or later, each in its own way. */
const MOST_CHARACTERS = 200
/** Signs that turn the direction of what follows: a name must not rearrange the system's own words. */
const DIRECTION = /[\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

/** `undefined`: nobody is to be called. */
export function callFor(happening: Happening, words: Words): Call | undefined {
  const title = plain(happening.name) || 'Skein'
  if (happening.event === 'contact') {
    if (happening.state !== 'requested') return undefined
    return { title, body: words.request, fragment: '/people' }
  }
  const { message, muted, contact } = happening
  // A timer that was set is no message.
  if (muted || message.direction === 'out' || message.kind === 'timer') return undefined
  return { title, body: plain(bodyOf(message, words)), fragment: `/chats/${contact}` }
}

function bodyOf({ kind, text }: Extract<Happening, { readonly event: 'message' }>['message'], words: Words): string {
  if (kind === 'unknown') return words.newer
  return kind === 'contact' ? `${words.sharedContact} ${text}` : text
}

function plain(text: string): string {
  const line = text.replaceAll(DIRECTION, '').replaceAll(/\s+/gu, ' ').trim()
  return [...line].slice(0, MOST_CHARACTERS).join('')
}
