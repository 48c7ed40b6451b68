import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { ClientModel } from '../client/model.ts'
import { stubStorage } from '../testing/web-storage.ts'
import { Session } from './session.ts'

const opened: { readonly name: string; readonly passphrase: string | undefined }[] = []
let isSealed = false
let isHere = false
/** The client of this page reaches somebody. */
let api: object | undefined
/** Another turn of this page's. */
let askAgain: () => Promise<unknown>
const reload = vi.fn<() => void>()

vi.mock('@skein/node/browser', () => ({
  hasPassphrase: async () => isSealed,
  hasIdentity: async () => isHere,
  openHost: undefined,
  systemClock: undefined,
  openBrowser: ({ config, passphrase }: { config: { name: string }; passphrase(need: 'new'): Promise<string | undefined> }) => {
    askAgain = async () => opened.push({ name: config.name, passphrase: await passphrase('new') })
    if (!isHere) void askAgain()
    return { api, silent: false, listen: (listener: () => void) => (listener(), () => undefined) }
  },
}))

beforeEach(() => {
  opened.length = 0
  isSealed = false
  isHere = false
  api = undefined
  reload.mockClear()
  vi.useFakeTimers()
  stubStorage()
  vi.stubGlobal('location', { hash: '', hostname: 'relay.example', origin: 'https://relay.example', reload })
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
  isSealed = isHere = true
  expect((await load()).get().at).toBe('open')
})

it('[UI10] whoever the browser has deleted is missed before anybody new is made, also when the page is loaded again', async () => {
  await (await load()).welcome({ name: 'Ana', passphrase: '' })
  localStorage.setItem('skein.account', 'ana')
  isHere = true
  expect((await load()).get()).toEqual({ at: 'open' })
  await vi.advanceTimersByTimeAsync(0)
  isHere = false
  opened.length = 0
  expect((await load()).get()).toEqual({ at: 'welcome', isLost: true })
  const again = await load()
  expect([again.get(), opened]).toEqual([{ at: 'welcome', isLost: true }, []])
  await again.welcome({ name: 'Ana anew', passphrase: '' })
  await vi.advanceTimersByTimeAsync(0)
  expect([again.get().at, opened]).toEqual(['open', [{ name: 'Ana anew', passphrase: undefined }]])
})

it('[UI10] a tab whose turn comes when the browser has deleted who was here makes nobody new: it is loaded again, and asks', async () => {
  await (await load()).welcome({ name: 'Ana', passphrase: '' })
  isHere = true
  localStorage.setItem('skein.account', 'ana')
  await load()
  opened.length = 0
  await expect(askAgain()).rejects.toThrow('nobody is here')
  expect([opened, reload.mock.calls.length]).toEqual([[], 1])
  isHere = false
  expect((await load()).get()).toEqual({ at: 'welcome', isLost: true })
})

it('[UI10] so does one that has shown somebody, whatever else was deleted with it', async () => {
  const session = await load()
  api = {}
  await session.welcome({ name: 'Ana', passphrase: 'a long one' })
  await vi.advanceTimersByTimeAsync(0)
  localStorage.clear()
  opened.length = 0
  await expect(askAgain()).rejects.toThrow('nobody is here')
  expect([opened, reload.mock.calls.length]).toEqual([[], 1])
})

it('[UI10] and one that waits for its turn while another begins anew', async () => {
  localStorage.setItem('skein.name', 'Ana')
  isHere = true
  await load()
  localStorage.clear()
  await expect(askAgain()).rejects.toThrow('nobody is here')
  expect([opened, reload.mock.calls.length]).toEqual([[], 1])
})

it('[UI6] an identity that is here without a passphrase is opened, whatever was chosen in another tab meanwhile', async () => {
  localStorage.setItem('skein.name', 'Ana')
  localStorage.setItem('skein.sealed', 'yes')
  isHere = true
  expect((await load()).get().at).toBe('open')
})
