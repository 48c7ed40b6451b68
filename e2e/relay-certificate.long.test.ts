/** A relay with HTTPS of its own, and a real ACME authority beside it that knows nobody in the world. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { once } from 'node:events'
import type { TLSSocket } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { ensurePebble } from '../tools/system-packages.mjs'

const RELAY = fileURLToPath(new URL('../apps/relay/bundle/main.js', import.meta.url))
const WITHIN = { timeout: 90_000, interval: 250 }
const NAME = 'relay.example'
const hasPebble = ensurePebble()
const children: ChildProcess[] = []
let dir = ''
let ports: number[] = []

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'skein-certificate-'))
  ports = await Promise.all(Array.from({ length: 5 }, freePort))
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', join(dir, 'key.pem')]
  const name = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  spawnSync('openssl', ['req', '-x509', ...key, '-out', join(dir, 'cert.pem'), '-days', '2', ...name])
})

afterAll(async () => {
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }
  rmSync(dir, { recursive: true, force: true })
})

async function freePort(): Promise<number> {
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

function begin(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, ...env } })
  children.push(child)
  return child
}

/** Every name leads to this machine, and what is proven is looked for at the relay's port. */
async function authority(): Promise<ChildProcess> {
  const [api = 0, management = 0, dns = 0, dnsManagement = 0, https = 0] = ports
  const local = (port: number): string => `127.0.0.1:${port}`
  const config = {
    listenAddress: local(api),
    managementListenAddress: local(management),
    certificate: join(dir, 'cert.pem'),
    privateKey: join(dir, 'key.pem'),
    httpPort: 1,
    tlsPort: https,
    ocspResponderURL: '',
    externalAccountBindingRequired: false,
  }
  writeFileSync(join(dir, 'pebble.json'), JSON.stringify({ pebble: config }))
  const off = ['-http01', '', '-https01', '', '-tlsalpn01', '']
  begin('pebble-challtestsrv', [
    '-dns01',
    local(dns),
    '-defaultIPv4',
    '127.0.0.1',
    '-defaultIPv6',
    '',
    '-management',
    local(dnsManagement),
    ...off,
  ])
  const pebble = begin('pebble', ['-config', join(dir, 'pebble.json'), '-dnsserver', local(dns)], { PEBBLE_VA_NOSLEEP: '1' })
  await vi.waitFor(async () => expect((await get(api, '/dir', { servername: 'localhost' })).text).toContain('newOrder'), WITHIN)
  return pebble
}

async function relay(): Promise<ChildProcess> {
  const [api, , , , https] = ports
  const others = ['http', 'webrtc', 'stun2'].flatMap((each) => [`--${each}`, 'off'])
  const free = ['tcp', 'ws', 'stun', 'reflector'].flatMap((each) => [`--${each}`, '0'])
  const names = ['--https', String(https), '--announce-host', NAME, '--acme-directory', `https://localhost:${api}/dir`]
  const args = [
    RELAY,
    'run',
    '--json',
    '--host',
    '127.0.0.1',
    '--web',
    'off',
    '--data-dir',
    join(dir, 'data'),
    ...others,
    ...free,
    ...names,
  ]
  const child = begin(process.execPath, args, { NODE_EXTRA_CA_CERTS: join(dir, 'cert.pem') })
  const [line] = (await once(createInterface(child.stdout as NonNullable<typeof child.stdout>), 'line')) as [string]
  expect(JSON.parse(line)).toMatchObject({ url: `https://${NAME}:${https}` })
  return child
}

interface Answer {
  readonly status: number
  readonly text: string
  readonly issuer: string
  readonly serial: string
}

function get(
  port: number,
  path: string,
  more: { readonly servername?: string; readonly headers?: Record<string, string> } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, servername: NAME, rejectUnauthorized: false, agent: false, ...more }
    const asked = request(options, (response) => {
      let text = ''
      response.on('data', (part: Buffer) => (text += part.toString()))
      response.on('end', () => resolve({ ...seen(), status: response.statusCode ?? 0, text }))
    })
    const seen = (): Pick<Answer, 'issuer' | 'serial'> => {
      const { issuer, serialNumber } = (asked.socket as TLSSocket).getPeerCertificate()
      return { issuer: String(issuer?.CN), serial: serialNumber }
    }
    asked.on('upgrade', (response, socket) => {
      resolve({ ...seen(), status: response.statusCode ?? 0, text: '' })
      socket.destroy()
    })
    asked.on('error', reject).end()
  })
}

it.skipIf(!hasPebble)(
  '[RL23] gets its certificate over its own port, serves all of it there, and has it again after a restart without the authority',
  { timeout: 300_000 },
  async () => {
    const pebble = await authority()
    const https = ports[4] ?? 0
    const first = await relay()
    await vi.waitFor(async () => expect((await get(https, '/readyz')).status).toBe(200), WITHIN)
    const page = await get(https, '/relay.json')
    expect(page.issuer).toMatch(/^Pebble/)
    expect(JSON.parse(page.text).addresses).toContainEqual(expect.stringContaining(`/dns/${NAME}/tcp/${https}/tls/ws/`))
    const headers = {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    }
    expect((await get(https, '/', { headers })).status).toBe(101)
    first.kill('SIGTERM')
    await once(first, 'exit')
    pebble.kill('SIGKILL')
    await relay()
    expect((await get(https, '/healthz')).serial).toBe(page.serial)
    expect(readFileSync(join(dir, 'data', 'relay.sqlite')).length).toBeGreaterThan(0)
  },
)
