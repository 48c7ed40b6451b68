import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { stubStorage } from '../testing/web-storage.ts'
import { connect, lookAround } from './connect.ts'

let kept: Map<string, string>

beforeEach(() => {
  kept = stubStorage()
  vi.stubGlobal('history', { replaceState: () => undefined })
})
afterEach(() => vi.unstubAllGlobals())

/** A page at `address`, whose server answers so. */
function at(address: string, answer: (path: string) => Response): void {
  const { hash, origin, hostname } = new URL(address)
  vi.stubGlobal('fetch', async (path: string) => answer(path))
  vi.stubGlobal('location', { hash, origin, hostname })
}

const nothing = (): Response => new Response('', { status: 404 })
const away = (): Response => {
  throw new Error('nobody is there')
}

it('[DW22] a window that a program has opened waits for it, however late it answers', async () => {
  let asked = 0
  at('http://127.0.0.1:1/#session=given&to=', (path) => {
    if (path !== '/host.json') return nothing()
    asked += 1
    if (asked < 3) throw new Error('it is slow')
    return Response.json({ version: 1, api: '/api' })
  })
  expect(await lookAround()).toEqual({ hostApi: '/api', ownRelay: undefined })
  expect(asked).toBe(3)
  // Where there turns out to be no program, nobody waits for one the next time.
  at('http://127.0.0.1:1/', nothing)
  expect((await lookAround()).hostApi).toBeUndefined()
  at('http://127.0.0.1:1/', away)
  expect((await lookAround()).hostApi).toBeUndefined()
})

it('[UI3] a link that pretends to come from a program makes no page of a relay wait for one', async () => {
  const relay = 'https://relay.example'
  at(relay, (path) => (path === '/relay.json' ? Response.json({ version: 1 }) : nothing()))
  await lookAround()
  at(`${relay}/#session=made-up&to=`, away)
  expect(await lookAround()).toEqual({ hostApi: undefined, ownRelay: relay })
  expect([...kept.keys()]).not.toContain('skein.session')
})

it('[DW24] a window without a session asks no program, which would refuse it for ever, and says so', async () => {
  at('http://127.0.0.1:1/', (path) => (path === '/host.json' ? Response.json({ version: 1, api: '/api' }) : nothing()))
  const around = await lookAround()
  const options = { name: '', passphrase: async () => undefined, onFailure: () => undefined }
  expect(around.hostApi).toBe('/api')
  await expect(connect(around, options)).rejects.toMatchObject({ code: 'NO_SESSION' })
})
