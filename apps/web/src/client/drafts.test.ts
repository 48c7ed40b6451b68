import type { ApiClient } from '@skein/node/browser'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { followOtherTabs, forgetDrafts, keepDraft, keepUnsent, onReturn, readDraft, readUnsent, sealDrafts, type Unsent } from './drafts.ts'
import type { ClientSnapshot } from './model.ts'
import { sendOnce, sendUnsent } from './send-once.ts'

const UNSENT: Unsent = { id: 'a'.repeat(32), contacts: ['bo'], text: 'begun', wait: 'queued', timeout_ms: 1_000 }

/** What a browser keeps with a tab: its keys are its properties. */
class TabStorage {
  getItem(key: string): string | null {
    return (this as unknown as Record<string, string>)[key] ?? null
  }
  setItem(key: string, value: string): void {
    Object.assign(this, { [key]: value })
  }
  removeItem(key: string): void {
    Reflect.deleteProperty(this, key)
  }
}

beforeEach(() => {
  vi.stubGlobal('sessionStorage', new TabStorage())
  sealDrafts(false)
})
afterEach(() => {
  forgetDrafts()
  vi.unstubAllGlobals()
})

/** A client that answers as it is told. */
function clientThat(send: (input: Unsent) => Promise<unknown>) {
  const api = { send } as unknown as ApiClient
  return { get: () => ({ api }) as unknown as ClientSnapshot, subscribe: () => () => undefined }
}

it('[TB4] what a page had begun to send when it was left is sent by the next one, under the same id, and once', async () => {
  keepUnsent(UNSENT)
  const sent: unknown[] = []
  const model = clientThat(async (input) => sent.push(input))
  await sendUnsent(model)
  await sendUnsent(model)
  expect(sent).toEqual([UNSENT])
})

it('[TB4] what is refused then stands before what was being written', async () => {
  keepUnsent(UNSENT)
  keepDraft('bo', 'more')
  await sendUnsent(clientThat(() => Promise.reject(Object.assign(new Error('no'), { code: 'CONTACT_BLOCKED' }))))
  expect([readDraft('bo'), readUnsent()]).toEqual(['begun\nmore', []])
})

it('a draft is kept for its contact until it is empty; a record that cannot be read is dropped', () => {
  keepDraft('bo', 'hello')
  expect([readDraft('bo'), readDraft('ana')]).toEqual(['hello', ''])
  keepDraft('bo', '')
  expect(readDraft('bo')).toBe('')
  globalThis.sessionStorage.setItem('skein.unsent.x', '{')
  expect([readUnsent(), globalThis.sessionStorage.getItem('skein.unsent.x')]).toEqual([[], null])
})

it('[TB5] where keys are sealed with a passphrase, nothing of a draft is kept with the tab, and what was kept goes', () => {
  const kept = (): string => JSON.stringify(globalThis.sessionStorage)
  keepDraft('bo', 'before the passphrase')
  expect(kept()).toContain('before the passphrase')
  sealDrafts(true)
  keepDraft('ana', 'after it')
  expect(kept()).toBe('{}')
  expect([readDraft('bo'), readDraft('ana')]).toEqual(['before the passphrase', 'after it'])
  sealDrafts(false)
  keepDraft('ana', 'without one')
  expect(kept()).toContain('without one')
})

it('[TB4] what has no answer again comes back as a draft, and goes under its id when it is sent once more', async () => {
  keepUnsent(UNSENT)
  const returned: string[] = []
  const stop = onReturn((contact) => returned.push(`${contact}: ${readDraft(contact)}`))
  const silent = clientThat(() => Promise.reject(new Error('no answer')))
  await sendUnsent(silent)
  stop()
  expect(returned).toEqual(['bo: begun'])
  const sent: unknown[] = []
  const { id, ...input } = UNSENT
  await sendOnce(
    clientThat(async (each) => sent.push(each)),
    input,
  )
  expect(sent).toEqual([{ ...input, id }])
})

it('[TB5] a passphrase that is set in one tab, and beginning anew, count for the drafts of all others', async () => {
  const kept = (): string => JSON.stringify(globalThis.sessionStorage)
  const onAnew = vi.fn<() => void>()
  vi.resetModules()
  const other = await import('./drafts.ts')
  for (const tab of [{ followOtherTabs }, other]) tab.followOtherTabs(onAnew)
  keepDraft('bo', 'of this tab')
  other.sealAllDrafts(true)
  await vi.waitFor(() => expect(kept()).toBe('{}'))
  other.sealAllDrafts(false)
  await vi.waitFor(() => expect(kept()).toContain('of this tab'))
  other.forgetDrafts()
  await vi.waitFor(() => expect([kept(), readDraft('bo')]).toEqual(['{}', '']))
  // What it holds open is to be deleted.
  expect(onAnew).toHaveBeenCalledTimes(1)
})

it('[TB5] where the keys are sealed, a text that is being sent is not kept with the tab either', () => {
  keepUnsent(UNSENT)
  sealDrafts(true)
  expect(JSON.stringify(globalThis.sessionStorage)).not.toContain('begun')
  keepUnsent(UNSENT)
  expect(JSON.stringify(globalThis.sessionStorage)).not.toContain('begun')
})
