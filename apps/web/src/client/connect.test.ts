import { afterEach, expect, it, vi } from 'vitest'
import { lookAround } from './connect.ts'

afterEach(() => vi.unstubAllGlobals())

it('[DW22] a window that a program has opened waits for it, however late it answers', async () => {
  let asked = 0
  const answer = (path: string): Response => {
    if (path !== '/host.json') return new Response('', { status: 404 })
    asked += 1
    if (asked < 3) throw new Error('it is slow')
    return Response.json({ version: 1, api: '/api' })
  }
  vi.stubGlobal('fetch', async (path: string) => answer(path))
  vi.stubGlobal('location', { hash: '#session=given&to=', origin: 'http://127.0.0.1:1' })
  vi.stubGlobal('history', { replaceState: () => undefined })
  expect(await lookAround()).toEqual({ hostApi: '/api', ownRelay: undefined, clockAheadMs: 0 })
  expect(asked).toBe(3)
})
