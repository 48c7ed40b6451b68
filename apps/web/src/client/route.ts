/** Where the user is: in the part of the address behind the `#`, which no server ever sees. */
import { useSyncExternalStore } from 'react'

export const AREAS = ['chats', 'people', 'files', 'network', 'settings'] as const
export type Area = (typeof AREAS)[number]

export interface Route {
  readonly area: Area
  /** Account of the contact that is open. */
  readonly contact: string | undefined
}

/** Anything unknown leads to the chats. */
export function parseRoute(hash: string): Route {
  const [, first = '', contact] = hash.replace(/^#/, '').split('/')
  const area = AREAS.find((each) => each === first) ?? 'chats'
  return { area, contact: contact === undefined || !/^[a-z0-9]{1,128}$/i.test(contact) ? undefined : contact }
}

export const linkTo = (area: Area, contact?: string): string => `#/${area}${contact === undefined ? '' : `/${contact}`}`

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

/** The invite in an address: a link of this relay, or one that the desktop program hands on. */
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
