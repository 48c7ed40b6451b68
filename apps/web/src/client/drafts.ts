/**
 * What was written and is not sent yet: kept with the tab, so that a reload loses none of it. Where the keys are sealed with a
 * passphrase, drafts last as long as the page: a browser keeps a tab's storage on the disk, in clear, for whoever opens it there.
 */
import type { ApiClient } from '@skein/node/browser'

/** A text that was given to the client, which has not answered yet. */
export type Unsent = Parameters<ApiClient['send']>[0] & { readonly id: string }

const DRAFT = 'skein.draft.'
const UNSENT = 'skein.unsent.'

/** What a page without storage remembers. */
const remembered = new Map<string, string>()

function storage(): Storage | undefined {
  try {
    return globalThis.sessionStorage
  } catch {
    return undefined
  }
}

/** Until it is known that they may be, drafts are not kept. */
let mayKeep = false

/** The other tabs of this browser, once this one listens to them. */
let others: BroadcastChannel | undefined

/** Does what another tab decides about drafts. @param onAnew called when another has begun anew */
export function followOtherTabs(onAnew: () => void): void {
  others ??= new BroadcastChannel('skein-drafts')
  others.onmessage = ({ data }) => {
    if (data !== 'forget') return sealDrafts(data === 'seal')
    forgetHere()
    onAnew()
  }
}

/** As `sealDrafts`, in every tab of this browser. */
export function sealAllDrafts(sealed: boolean): void {
  sealDrafts(sealed)
  others?.postMessage(sealed ? 'seal' : 'open')
}

/** @param sealed whether the keys are: then what was kept of drafts goes, and no more of them is kept */
export function sealDrafts(sealed: boolean): void {
  mayKeep = !sealed
  for (const key of new Set([...keysThat(isOurs), ...remembered.keys()])) put(key, read(key))
}

const isOurs = (key: string): boolean => key.startsWith(DRAFT) || key.startsWith(UNSENT)
const keysThat = (fit: (key: string) => boolean): readonly string[] => Object.keys(storage() ?? {}).filter(fit)

function put(key: string, value: string): void {
  if (value === '') remembered.delete(key)
  else remembered.set(key, value)
  try {
    if (value === '' || (!mayKeep && isOurs(key))) storage()?.removeItem(key)
    else storage()?.setItem(key, value)
  } catch {
    // No room: it lasts as long as the page.
  }
}

const read = (key: string): string => remembered.get(key) ?? storage()?.getItem(key) ?? ''

export const readDraft = (contact: string): string => read(DRAFT + contact)

/** @param text empty for none */
export const keepDraft = (contact: string, text: string): void => put(DRAFT + contact, text)

const returns = new Set<(contact: string) => void>()

/** Told when a text has come back into a contact's draft. The returned function ends it. */
export function onReturn(listener: (contact: string) => void): () => void {
  returns.add(listener)
  return () => returns.delete(listener)
}

/** A text that was not sent stands before what was written since. */
export function returnToDraft(contact: string, text: string): void {
  keepDraft(contact, [text, readDraft(contact)].filter((each) => each !== '').join('\n'))
  for (const each of [...returns]) each(contact)
}

export const keepUnsent = (unsent: Unsent): void => put(UNSENT + unsent.id, JSON.stringify(unsent))

export const forgetUnsent = (id: string): void => put(UNSENT + id, '')

/** @param key what was to be sent @returns the id under which a client has it perhaps, that went without an answer; empty for none */
export const readOpen = (key: string): string => readDraft(key)

/** @param id empty for none */
export const keepOpen = (key: string, id: string): void => keepDraft(key, id)

/** What an earlier page of this tab gave to the client without hearing of it any more. */
export function readUnsent(): readonly Unsent[] {
  return keysThat((key) => key.startsWith(UNSENT)).flatMap((key) => {
    try {
      return [JSON.parse(read(key)) as Unsent]
    } catch {
      put(key, '')
      return []
    }
  })
}

/** Nothing of it, in any tab, belongs to whoever begins anew here. */
export function forgetDrafts(): void {
  forgetHere()
  others?.postMessage('forget')
}

function forgetHere(): void {
  for (const key of [...keysThat(isOurs), ...remembered.keys()]) put(key, '')
}
