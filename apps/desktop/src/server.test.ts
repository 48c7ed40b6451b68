import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { once } from 'node:events'
import { MAX_TEXT_BYTES } from '@skein/core'
import { createClient, loadConfig, type RunningClient } from '@skein/node'
import { createORPCClient } from '@orpc/client'
import { RPCLink } from '@orpc/client/websocket'
import type { ApiClient } from '@skein/node/api'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { prove } from './gate.ts'
import { announceInstance, findRunning } from './instance.ts'
import { startServer, type WindowServer } from './server.ts'
import { wordsFor } from './shell/words.ts'

let dir: string
let client: RunningClient
let running: RunningClient | undefined
let server: WindowServer
let now = 0

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'skein-desktop-'))
  mkdirSync(join(dir, 'ui'))
  writeFileSync(join(dir, 'ui', 'index.html'), '<!doctype html><title>Skein</title>')
  writeFileSync(join(dir, 'secret.txt'), 'not for pages')
  client = await createClient({ dataDir: dir, ...loadConfig({ dataDir: dir, env: {}, flags: { host: '127.0.0.1', name: 'Ana' } }) })
  running = client
  server = await startServer({ client: () => running, ui: join(dir, 'ui'), policy: "default-src 'self'", port: 0, now: () => now })
})
afterEach(async () => {
  await server[Symbol.asyncDispose]()
  await client.stop()
  rmSync(dir, { recursive: true, force: true })
})

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
}

/** As any program can ask, with whatever headers it likes. */
async function ask(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const asking = request({ host: '127.0.0.1', port: server.port, path, headers: { host: `127.0.0.1:${server.port}`, ...headers } })
  asking.end()
  const [response] = await once(asking, 'response')
  let body = ''
  for await (const part of response) body += String(part)
  return { status: response.statusCode, headers: response.headers, body }
}

const pathOf = (link: string): string => link.slice(link.indexOf('/open'))

/** The session of a window that was opened with a link. */
async function enter(): Promise<string> {
  const { headers } = await ask(pathOf(server.link()))
  return new URLSearchParams(String(headers['location']).slice(2)).get('session') ?? ''
}

/** Status of an attempt to reach the API; 101 when it is open. */
async function reach(protocols: readonly string[], headers: Readonly<Record<string, string>> = {}): Promise<number> {
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/api`, [...protocols], { headers })
  const status = await new Promise<number>((resolve) => {
    socket.once('open', () => resolve(101))
    socket.once('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0))
    socket.once('error', () => undefined)
  })
  socket.terminate()
  return status
}

describe('the server behind the window', () => {
  it('[DW1] serves the interface and the API to the window that was opened, with a policy on every answer', async () => {
    const session = await enter()
    expect(await ask('/')).toMatchObject({ status: 200, body: expect.stringContaining('<title>Skein') })
    expect(JSON.parse((await ask('/host.json')).body)).toEqual({ version: 1, api: '/api' })
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/api`, ['skein', session])
    await once(socket, 'open')
    const api: ApiClient = createORPCClient(new RPCLink({ websocket: socket as unknown as globalThis.WebSocket }))
    expect(await api.status()).toMatchObject({ name: 'Ana', account: client.messenger.identity.account })
    socket.close()
    for (const path of ['/', '/nothing', '/host.json'])
      expect((await ask(path)).headers).toMatchObject({
        'content-security-policy': "default-src 'self'",
        'x-frame-options': 'DENY',
      })
  })

  it('[DW19] the largest text passes, however it is escaped', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/api`, ['skein', await enter()])
    await once(socket, 'open')
    const api: ApiClient = createORPCClient(new RPCLink({ websocket: socket as unknown as globalThis.WebSocket }))
    const sent = api.send({ contacts: ['nobody'], text: '\u0001'.repeat(MAX_TEXT_BYTES), wait: 'queued', timeout_ms: 1_000 })
    // It was read, and answered by the client.
    await expect(sent).rejects.toMatchObject({ code: 'CONTACT_UNKNOWN' })
    socket.close()
  })

  it('[DW2] a link opens one window, once, within two minutes', async () => {
    const path = pathOf(server.link())
    const first = await ask(path)
    expect(first.status).toBe(302)
    expect(first.headers['location']).toMatch(/^\/#session=[\w-]{32}&to=$/)
    expect((await ask(path)).status).toBe(401)
    expect((await ask(path, { 'accept-language': 'de-AT,de;q=0.9,en;q=0.8' })).body).toBe(wordsFor('de').usedLink)
    const late = pathOf(server.link())
    now += 120_001
    expect((await ask(late)).status).toBe(401)
    expect((await ask(pathOf(server.link('add=a%20b')))).headers['location']).toMatch(/&to=add%3Da%2520b$/)
  })

  it('[DW2] a session is in no cookie, which a browser would send to every server on this machine', async () => {
    expect((await ask(pathOf(server.link()))).headers).not.toHaveProperty('set-cookie')
  })

  it('[DW16] while the client is started anew the API is away, and the window comes back with the session that it has', async () => {
    const session = await enter()
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/api`, ['skein', session])
    await once(socket, 'open')
    running = undefined
    server.dropWindows()
    await once(socket, 'close')
    expect([await reach(['skein', session]), await reach(['skein', 'guessed'])]).toEqual([503, 401])
    running = client
    expect(await reach(['skein', session])).toBe(101)
  })

  it('[DW3] nobody without a session reaches the API, and one who guesses spoils no link', async () => {
    for (const protocols of [[], ['skein'], ['skein', 'guessed'], ['other', await enter()]]) expect(await reach(protocols)).toBe(401)
    expect(await reach([], { cookie: `skein-session=${await enter()}` })).toBe(401)
    const link = pathOf(server.link())
    for (let guess = 0; guess < 25; guess += 1) expect((await ask(`/open?t=${guess}`)).status).toBe(401)
    expect((await ask(link)).status).toBe(302)
  })

  it('[DW4] another page and a name that points here are refused, with a session or without', async () => {
    const protocols = ['skein', await enter()]
    expect((await ask('/', { host: `evil.example:${server.port}` })).status).toBe(421)
    expect((await ask('/', { host: '127.0.0.1' })).status).toBe(421)
    expect((await ask('/host.json', { origin: 'https://evil.example' })).status).toBe(403)
    expect((await ask(pathOf(server.link()), { host: `evil.example:${server.port}` })).status).toBe(421)
    expect(await reach(protocols, { origin: 'https://evil.example' })).toBe(403)
    // A page of another server on this machine.
    expect(await reach(protocols, { origin: 'http://127.0.0.1:1' })).toBe(403)
    expect(await reach(protocols, { host: `evil.example:${server.port}` })).toBe(421)
    expect(await reach(protocols, { origin: `http://127.0.0.1:${server.port}` })).toBe(101)
  })

  it('[DW5] no path leads out of the interface', async () => {
    for (const path of ['/../secret.txt', '/..%2fsecret.txt', '/%2e%2e/secret.txt', '/..\\secret.txt', '//../secret.txt']) {
      const { body } = await ask(path)
      expect(body).not.toContain('not for pages')
    }
  })

  it('[DW6] a second start gets a window of the first, and nobody else does', async () => {
    const withdraw = announceInstance(dir, { ...server, shell: 'link' })
    const { link, shell } = (await findRunning(dir, 'add=x')) ?? {}
    expect(shell).toBe('link')
    expect((await ask(pathOf(link ?? ''))).headers['location']).toMatch(/&to=add%3Dx$/)
    expect((await ask('/link', { 'x-skein-question': 'mine', 'x-skein-proof': 'guessed' })).status).toBe(401)
    const proof = prove(server.secret, 'mine /link?to=a')
    expect((await ask('/link?to=a', { 'x-skein-question': 'mine', 'x-skein-proof': proof })).status).toBe(200)
    // Not for another question, nor another place.
    expect((await ask('/link?to=a', { 'x-skein-question': 'yours', 'x-skein-proof': proof })).status).toBe(401)
    expect((await ask('/link?to=b', { 'x-skein-question': 'mine', 'x-skein-proof': proof })).status).toBe(401)
    withdraw()
    expect(await findRunning(dir, '')).toBeUndefined()
    writeFileSync(join(dir, 'desktop.json'), JSON.stringify({ port: 1, secret: 'of one that was killed' }))
    expect(await findRunning(dir, '')).toBeUndefined()
  })

  it('[DW6] somebody else on the port of a program that was killed learns no secret, and opens no window', async () => {
    const heard: string[] = []
    const liar = createServer(({ headers }, response) => {
      heard.push(JSON.stringify(headers))
      response.end(JSON.stringify({ link: 'http://127.0.0.1:1/open?t=evil', proof: 'made up' }))
    }).listen(0, '127.0.0.1')
    await once(liar, 'listening')
    const { port } = liar.address() as AddressInfo
    announceInstance(dir, { port, secret: 'of one that was killed', shell: 'link' })
    expect(await findRunning(dir, '')).toBeUndefined()
    expect(heard).toHaveLength(1)
    expect(heard.join(' ')).not.toContain('of one that was killed')
    liar.close()
  })
})
