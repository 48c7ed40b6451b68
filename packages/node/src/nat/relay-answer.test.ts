import { webcrypto } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { cryptoProvider, PemConverter, X509CertificateGenerator } from '@peculiar/x509'
import { afterEach, describe, expect, it } from 'vitest'
import { MAX_DESCRIPTION_BYTES } from '../swarm/constants.ts'
import { askRelay } from './relay-answer.ts'

const running: Server[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((each) => new Promise((resolve) => each.close(resolve))))
})

async function listen(server: Server): Promise<number> {
  running.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

const http = (answer: RequestListener): Promise<number> => listen(createServer(answer))
const DESCRIPTION = '{"version":1,"peer_id":"12D3"}'
const login: RequestListener = (_request, response) => void response.end('<html>Please log in</html>')

/** A port on which nobody listens. */
async function closedPort(): Promise<number> {
  const port = await http(login)
  await new Promise((resolve) => running.pop()?.close(resolve))
  return port
}

/** A certificate that nobody signed, as that of a portal. */
async function certificate(): Promise<{ readonly key: string; readonly cert: string }> {
  const key = { name: 'ECDSA', namedCurve: 'P-256' }
  cryptoProvider.set(webcrypto as unknown as Crypto)
  const keys = await webcrypto.subtle.generateKey(key, true, ['sign', 'verify'])
  const made = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=portal',
    notAfter: new Date(Date.now() + 3_600_000),
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    keys: keys as unknown as CryptoKeyPair,
  })
  return { key: PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY'), cert: made.toString('pem') }
}

describe('who answers under the URL of a relay', () => {
  it.each([
    [DESCRIPTION, 200, 'relay'],
    ['<html>Please log in</html>', 200, 'other'],
    ['{}', 200, 'other'],
    ['', 302, 'other'],
  ] as const)('%s with status %i: %s', async (body, status, answer) => {
    const port = await http((_request, response) => void response.writeHead(status, { location: 'http://127.0.0.1:1/' }).end(body))
    expect(await askRelay(`http://127.0.0.1:${port}`)).toBe(answer)
  })

  it('[PT12] nobody', async () => {
    const port = await closedPort()
    expect(await askRelay(`http://127.0.0.1:${port}`)).toBe('silent')
    expect(await askRelay(`https://127.0.0.1:${port}`, { httpPort: port })).toBe('silent')
  })

  it('[PT12] a page under a foreign certificate, or without TLS, is somebody else', async () => {
    const portal = await listen(createTlsServer(await certificate(), login))
    const closed = await closedPort()
    expect(await askRelay(`https://127.0.0.1:${portal}`, { httpPort: closed })).toBe('other')
    expect(await askRelay(`https://127.0.0.1:${await http(login)}`, { httpPort: closed })).toBe('other')
  })

  it('[PT12] a portal that swallows TLS is found over plain HTTP', async () => {
    const closed = await closedPort()
    expect(await askRelay(`https://127.0.0.1:${closed}`, { httpPort: await http(login) })).toBe('other')
    const relay = await http((_request, response) => void response.end(DESCRIPTION))
    expect(await askRelay(`https://127.0.0.1:${closed}/path/`, { httpPort: relay })).toBe('relay')
  })

  it("[PT12] a relay's own way to TLS is no portal", async () => {
    const port = await http((_request, response) => void response.writeHead(308, { location: 'https://127.0.0.1/relay.json' }).end())
    expect(await askRelay(`https://127.0.0.1:${await closedPort()}`, { httpPort: port })).toBe('silent')
  })

  it('[PT12] of an endless page no more is read than a relay would send', async () => {
    let sent = 0
    const cut = Promise.withResolvers<void>()
    const port = await http((_request, response) => {
      const part = Buffer.alloc(65_536, ' ')
      const write = (): void => {
        while (sent < 1_000 * MAX_DESCRIPTION_BYTES && response.write(part)) sent += part.length
      }
      response.on('drain', write).on('close', cut.resolve)
      write()
    })
    expect(await askRelay(`http://127.0.0.1:${port}`)).toBe('other')
    await cut.promise
    expect(sent).toBeLessThan(1_000 * MAX_DESCRIPTION_BYTES)
  })
})
