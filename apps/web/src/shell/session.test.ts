import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { ClientModel } from '../client/model.ts'
import { stubStorage } from '../testing/web-storage.ts'
import { Session } from './session.ts'

const opened: { readonly name: string; readonly passphrase: string | undefined }[] = []
let isSealed = false

vi.mock('@skein/node/browser', () => ({
  hasPassphrase: async () => isSealed,
  openHost: undefined,
  systemClock: undefined,
  openBrowser: ({ config, passphrase }: { config: { name: string }; passphrase(need: 'new'): Promise<string | undefined> }) => {
    void passphrase('new').then((given) => opened.push({ name: config.name, passphrase: given }))
    return { api: undefined, silent: false, listen: () => () => undefined }
  },
}))

beforeEach(() => {
  opened.length = 0
  isSealed = false
  vi.useFakeTimers()
  stubStorage()
  vi.stubGlobal('location', { hash: '', hostname: 'relay.example', origin: 'https://relay.example' })
  vi.stubGlobal('fetch', async () => new Response('', { status: 404 }))
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

/** A page that has just been loaded. */
async function load(): Promise<Session> {
  const session = new Session(new ClientModel())
  await session.begin()
  await vi.advanceTimersByTimeAsync(0)
  return session
}

it('[UI6] a passphrase that was chosen and has sealed nothing yet is asked for again, and an identity never made without', async () => {
  const first = await load()
  expect(first.get().at).toBe('welcome')
  await first.welcome({ name: 'Ana', passphrase: 'a long one' })
  await vi.advanceTimersByTimeAsync(0)
  expect(opened.splice(0)).toEqual([{ name: 'Ana', passphrase: 'a long one' }])
  // Loaded anew before anything was made.
  const second = await load()
  expect([second.get().at, opened]).toEqual(['welcome', []])
  await second.welcome({ name: 'Ana', passphrase: '' })
  await vi.advanceTimersByTimeAsync(0)
  expect(opened.splice(0)).toEqual([{ name: 'Ana', passphrase: undefined }])
  expect((await load()).get().at).toBe('open')
})

it('[UI6] where the keys are sealed, the page goes on to open them', async () => {
  await (await load()).welcome({ name: 'Ana', passphrase: 'a long one' })
  isSealed = true
  expect((await load()).get().at).toBe('open')
})
