import { once } from 'node:events'
import { request, type RequestOptions } from 'node:https'
import { connect as connectTcp, Server, type Socket } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Certificate } from './certificate-keeper.ts'
import { type FrontHandlers, HttpsFront } from './https-front.ts'
import { selfSigned } from './test-certificate.ts'

const WITHIN = { timeout: 60_000 }
const HOST = 'relay.example'
const running: (() => unknown)[] = []
let broken: string[] = []

beforeEach(() => void (broken = []))
afterEach(async () => {
  await Promise.all(running.splice(0).map((each) => each()))
})

interface Wanted {
  readonly mayEnter?: () => boolean
  readonly onRequest?: FrontHandlers['onRequest']
  readonly withinMs?: number
  readonly idleMs?: number
}

async function frontWith(
  certificate?: Certificate,
  { mayEnter = () => true, onRequest = (_, response) => response.end('page'), withinMs, idleMs }: Wanted = {},
): Promise<HttpsFront> {
  const handlers: FrontHandlers = {
    mayEnter,
    onBroken: (why) => void broken.push(why),
    onRequest,
    onUpgrade: (_, socket) => socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'),
  }
  const front = new HttpsFront(handlers, withinMs, idleMs)
  if (certificate !== undefined) front.show(certificate)
  await front.listen('127.0.0.1', 0)
  running.push(() => front[Symbol.asyncDispose]())
  return front
}

function ask(front: HttpsFront, ca: Certificate, more: RequestOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: front.port, servername: HOST, ca: ca.chain, agent: false, ...more }
    request(options, (response) => {
      let text = ''
      response.on('data', (part: Buffer) => (text += part.toString()))
      response.on('end', () => resolve(text))
    })
      .on('upgrade', (response) => resolve(String(response.statusCode)))
      .on('error', reject)
      .end()
  })
}

async function handshake(front: HttpsFront, alpn: string): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port: front.port, servername: HOST, ALPNProtocols: [alpn], rejectUnauthorized: false })
  running.push(() => socket.destroy())
  await once(socket, 'secureConnect')
  return socket
}

/** Sends `text` at once, and a byte of a header now and then. */
async function dribble(front: HttpsFront, text: string): Promise<TLSSocket> {
  const socket = await handshake(front, 'http/1.1')
  socket.on('error', () => undefined)
  socket.resume()
  socket.write(text)
  const dripping = setInterval(() => void (socket.writable && socket.write('a')), 50)
  running.push(() => clearInterval(dripping))
  return socket
}

async function raw(front: HttpsFront, bytes: Buffer): Promise<Socket> {
  const socket = connectTcp(front.port, '127.0.0.1')
  running.push(() => socket.destroy())
  socket.on('error', () => undefined)
  socket.resume()
  await once(socket, 'connect')
  socket.write(bytes)
  return socket
}

describe('the port behind TLS', { timeout: 120_000 }, () => {
  it('[RL33] serves so many requests on one connection, as the HTTP port does; then a client has to connect anew', async () => {
    const front = await frontWith(await selfSigned(HOST, Date.now()))
    const socket = await handshake(front, 'http/1.1')
    let text = ''
    socket.on('data', (part: Buffer) => (text += part.toString('latin1')))
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(150))
    await vi.waitFor(() => expect(text).toContain('HTTP/1.1 503'), WITHIN)
    expect(text.match(/HTTP\/1.1 200/g)).toHaveLength(100)
    expect(text).toContain('Connection: close')
  })

  it('[RL23] serves pages and WebSockets, and another certificate without a restart', async () => {
    const [first, second] = [await selfSigned(HOST, Date.now()), await selfSigned(HOST, Date.now())]
    const front = await frontWith(first)
    expect(await ask(front, first)).toBe('page')
    expect(await ask(front, first, { headers: { connection: 'Upgrade', upgrade: 'websocket' } })).toBe('101')
    front.show(second)
    expect(await ask(front, second)).toBe('page')
    await expect(ask(front, first)).rejects.toThrow()
  })

  it('[RL23] shows the proof to the authority alone, and only while it is wanted', async () => {
    const [own, proof] = [await selfSigned(HOST, Date.now()), await selfSigned('proof.example', Date.now())]
    const front = await frontWith(own)
    front.prove(proof)
    const authority = await handshake(front, 'acme-tls/1')
    expect([authority.alpnProtocol, authority.getPeerCertificate().subject.CN]).toEqual(['acme-tls/1', 'proof.example'])
    expect(await ask(front, own)).toBe('page')
    front.prove(undefined)
    await expect(handshake(front, 'acme-tls/1')).rejects.toThrow()
  })

  it('[RL23, RL21] without a certificate yet nothing is served; garbage and silence end by themselves', async () => {
    const proof = await selfSigned('proof.example', Date.now())
    const front = await frontWith(undefined, { withinMs: 2_000 })
    await expect(ask(front, proof)).rejects.toThrow()
    expect(broken).toEqual(['tls'])
    front.prove(proof)
    const strangers = await Promise.all([
      raw(front, Buffer.alloc(70_000, 0xff)),
      raw(front, Buffer.alloc(0)),
      raw(front, Buffer.from('GET / HTTP/1.1\r\n\r\n')),
    ])
    expect((await handshake(front, 'acme-tls/1')).getPeerCertificate().subject.CN).toBe('proof.example')
    await vi.waitFor(() => expect(strangers.map(({ closed }) => closed)).toEqual([true, true, true]), WITHIN)
    expect(broken.toSorted()).toEqual(['timeout', 'tls', 'tls', 'tls'])
    await raw(front, Buffer.from('nothing but acme-tls/1'))
    await vi.waitFor(() => expect(broken).toHaveLength(5), WITHIN)
    expect(broken.at(-1)).toBe('tls')
  })

  it('[RL21] says nothing of a broken request in the middle of an answer to an earlier one', async () => {
    const front = await frontWith(await selfSigned(HOST, Date.now()), {
      onRequest: (_, response) => void response.writeHead(200, { 'content-length': 100 }).write('page'),
    })
    const socket = await handshake(front, 'http/1.1')
    let text = ''
    socket.on('error', () => undefined).on('data', (part: Buffer) => (text += part.toString()))
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await vi.waitFor(() => expect(text).toContain('page'), WITHIN)
    socket.write('none\r\n\r\n')
    await vi.waitFor(() => expect(socket.closed).toBe(true), WITHIN)
    expect([text.match(/HTTP/g)?.length, broken]).toEqual([1, ['malformed']])
  })

  it('[RL21] counts what is no TLS, says nothing in time, or is no request behind it, and answers that', async () => {
    const certificate = await selfSigned(HOST, Date.now())
    const front = await frontWith(certificate, { withinMs: 1_000 })
    const isCounted = (why: string): Promise<void> => vi.waitFor(() => expect(broken.at(-1)).toBe(why), WITHIN)
    await raw(front, Buffer.alloc(70_000, 0xff))
    await isCounted('tls')
    await raw(front, Buffer.alloc(0))
    await isCounted('timeout')
    for (const [text, why, status] of [
      ['GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', 'malformed', 400],
      [`GET / HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(70_000)}\r\n\r\n`, 'size', 431],
    ] as const) {
      const socket = await handshake(front, 'http/1.1')
      socket.on('error', () => undefined).write(text)
      const [answer] = (await once(socket, 'data')) as [Buffer]
      expect(answer.toString()).toContain(`HTTP/1.1 ${status}`)
      await isCounted(why)
    }
    expect(await ask(front, certificate)).toBe('page')
    expect(broken).toEqual(['tls', 'timeout', 'malformed', 'size'])
  })

  it('[RL21] heads of requests that dribble in behind TLS are ended, the first of a connection and a later one', async () => {
    const certificate = await selfSigned(HOST, Date.now())
    const front = await frontWith(certificate, { withinMs: 500 })
    const head = 'GET / HTTP/1.1\r\nHost: a\r\n'
    const slow = await Promise.all([dribble(front, `${head}X-Long: `), dribble(front, `${head}\r\n${head}X-Long: `)])
    expect(await ask(front, certificate)).toBe('page')
    await vi.waitFor(() => expect(slow.map(({ closed }) => closed)).toEqual([true, true]), WITHIN)
    expect(broken).toEqual(['timeout', 'timeout'])
  })

  it.skipIf(process.platform !== 'linux').each([64, 0.4])(
    '[RL21, RL24] a client behind TLS that takes nothing of %s MB is counted when it is ended, and no other',
    async (megabytes) => {
      const certificate = await selfSigned(HOST, Date.now())
      const page = Buffer.alloc(megabytes * 1e6)
      const front = await frontWith(certificate, { onRequest: (_, response) => response.end(page), idleMs: 1_500 })
      const [reads, deaf] = [await handshake(front, 'http/1.1'), await handshake(front, 'http/1.1')]
      for (const socket of [reads.resume(), deaf.pause()]) socket.on('error', () => undefined).write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
      await once(reads, 'close')
      await vi.waitFor(() => expect(broken).toEqual(['unread']), WITHIN)
    },
  )

  it('[RL33] nobody is turned away without being counted: only the settings bound connections', async () => {
    const listen = vi.spyOn(Server.prototype, 'listen')
    await frontWith()
    expect(listen.mock.contexts.map((server) => (server as Server).maxConnections)).toEqual([undefined])
    listen.mockRestore()
  })

  it('[RL33, RL21] who has too many connections is turned away before TLS; others are served', async () => {
    const certificate = await selfSigned(HOST, Date.now())
    let open = 0
    const mayEnter = (): boolean => (open += 1) <= 40
    const front = await frontWith(certificate, { mayEnter })
    const flood = Array.from({ length: 100 }, () => connectTcp(front.port, '127.0.0.1'))
    running.push(() => flood.forEach((each) => each.destroy()))
    for (const each of flood) each.on('error', () => undefined).resume()
    await vi.waitFor(() => expect(flood.filter(({ closed }) => closed)).toHaveLength(60), WITHIN)
    open = 0
    expect(await ask(front, certificate)).toBe('page')
  })
})
