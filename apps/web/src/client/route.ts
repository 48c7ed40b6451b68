/** Where the user is: in the part of the address behind the `#`, which no server ever sees. */
import { useSyncExternalStore } from 'react'

export const AREAS = ['chats', 'people', 'files', 'network', 'settings'] as const
export type Area = (typeof AREAS)[number]

export interface Route {
  readonly area: Area
  /** Account of the contact that is open. */
  readonly contact: string | undefined
  /** Id of the message that is looked for in the conversation. */
  readonly message: string | undefined
}

/** Anything unknown leads to the chats. */
export function parseRoute(hash: string): Route {
  const [, first = '', contact, message] = hash.replace(/^#/, '').split('/')
  const area = AREAS.find((each) => each === first) ?? 'chats'
  return { area, contact: idIn(contact), message: idIn(message) }
}

const idIn = (part: string | undefined): string | undefined => (part !== undefined && /^[a-z0-9]{1,128}$/i.test(part) ? part : undefined)

export const linkTo = (area: Area, ...ids: readonly string[]): string => ['#', area, ...ids].join('/')

function subscribe(listener: () => void): () => void {
  globalThis.addEventListener('hashchange', listener)
  return () => globalThis.removeEventListener('hashchange', listener)
}

export function useRoute(): Route {
  return parseRoute(
    useSyncExternalStore(
      subscribe,
      () => globalThis.location.hash,
      () => '',
    ),
  )
}

/** Whether what an address holds is a link for devices: its first byte is 0x81, where an invite has its version (docs/spec/devices.md). */
export const isDeviceLink = (link: string): boolean => /#g[Q-Za-f][A-Za-z0-9_-]{74}$/.test(link)

/** The invite, or link for devices, in an address: a link of this relay, or one that the desktop program hands on. */
export function inviteIn({ href, hash }: { readonly href: string; readonly hash: string }): string | undefined {
  const fragment = hash.replace(/^#/, '')
  if (fragment.startsWith('add=')) {
    try {
      return decodeURIComponent(fragment.slice(4))
    } catch {
      return fragment.slice(4)
    }
  }
  return /^[A-Za-z0-9_-]{16,}$/.test(fragment) ? href : undefined
}

/** Loads the page anew; what was open is gone. */
export function loadEmpty(): void {
  globalThis.location.hash = ''
  globalThis.location.reload()
}
