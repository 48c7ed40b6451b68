/** The relay as its users run it: the built program in processes of its own, on loopback. */
import { spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it, vi } from 'vitest'

const MAIN = fileURLToPath(new URL('../bundle/main.js', import.meta.url))
const PORTS = ['http', 'tcp', 'ws', 'quic', 'webrtc', 'stun', 'stun2', 'reflector'] as const
/** Generous: the machine may be building at the same time. */
const DEADLINE_MS = 20_000

interface Ready {
  readonly peer_id: string
  readonly url: string
  readonly addresses: readonly string[]
}
interface Running extends Ready {
  readonly child: ChildProcess
}

const children: ChildProcess[] = []
const dirs: string[] = []

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    }
  }
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true })
})

function newDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'skein-relay-'))
  dirs.push(dir)
  return dir
}

function launch(args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...env } })
  children.push(child)
  return child
}

function relayArgs(dataDir: string, ports: Partial<Record<(typeof PORTS)[number], number>> = {}): string[] {
  return ['--data-dir', dataDir, '--host', '127.0.0.1', ...PORTS.flatMap((each) => [`--${each}`, String(ports[each] ?? 0)])]
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('stdout is a pipe')
  const [line] = (await once(createInterface(child.stdout), 'line', { signal: AbortSignal.timeout(DEADLINE_MS) })) as [string]
  return line
}

async function start(dataDir: string, extra: readonly string[] = []): Promise<Running> {
  const child = launch(['run', '--json', ...relayArgs(dataDir), ...extra])
  const ready = JSON.parse(await firstLine(child)) as Ready & { event: string }
  expect(ready.event).toBe('ready')
  return { ...ready, child }
}

/** @returns exit code and milliseconds until then */
async function stop(child: ChildProcess): Promise<{ code: number | null; ms: number }> {
  const before = performance.now()
  const gone = once(child, 'exit', { signal: AbortSignal.timeout(DEADLINE_MS) })
  child.kill('SIGTERM')
  const [code] = (await gone) as [number | null]
  return { code, ms: performance.now() - before }
}

async function fails(args: readonly string[]): Promise<{ line: unknown; code: number | null }> {
  const child = launch(args)
  const gone = once(child, 'exit', { signal: AbortSignal.timeout(DEADLINE_MS) })
  const line: unknown = JSON.parse(await firstLine(child))
  const [code] = (await gone) as [number | null]
  return { line, code }
}

const json = async (url: string) => (await fetch(url)).json() as Promise<Record<string, unknown>>
const certhash = (addresses: readonly string[]) =>
  addresses.map((each) => /certhash\/([^/]+)/.exec(each)?.[1]).find((each) => each !== undefined)

async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(new RegExp(`^skein_relay_${name} (\\d+)$`, 'm').exec(text)?.[1])
}

describe('skein-relay', { timeout: 60_000 }, () => {
  it('[RL14] takes a SIGHUP that comes before it is ready', async () => {
    // A database that says nothing keeps it from becoming ready.
    const database = createServer()
    await once(database.listen(0, '127.0.0.1'), 'listening')
    const url = `postgres://127.0.0.1:${(database.address() as AddressInfo).port}/mail`
    const asked = once(database, 'connection')
    const child = launch(['run', '--json', ...relayArgs(newDir()), '--mail-database', url])
    const [socket] = await asked
    const gone = once(child, 'exit')
    child.kill('SIGHUP')
    // Handled, or not, before whatever comes after.
    child.kill('SIGTERM')
    expect(await gone).toEqual([0, null])
    socket.destroy()
    database.close()
  })

  it('says that it is ready and describes itself to anyone', async () => {
    const relay = await start(newDir(), ['--web', 'off'])
    expect(relay.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    const response = await fetch(`${relay.url}/relay.json`)
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    expect(response.headers.get('cache-control')).toBe('no-store')
    const description = (await response.json()) as Ready & { version: number; stun: string[]; reflector: string }
    expect(description).toMatchObject({ version: 1, peer_id: relay.peer_id, addresses: relay.addresses })
    expect(relay.addresses).toHaveLength(4)
    for (const each of relay.addresses) expect(each).toMatch(new RegExp(`^/ip4/127\\.0\\.0\\.1/.*/p2p/${relay.peer_id}$`))
    expect(description.stun).toHaveLength(2)
    expect(await json(`${relay.url}/readyz`)).toEqual({ ready: true, waiting: [] })
    expect((await fetch(`${relay.url}/healthz`)).status).toBe(200)
    expect(await (await fetch(relay.url)).text()).toContain('Skein relay')
    expect(await metric(relay.url, 'connections')).toBe(0)

    const socket = connect(Number(description.reflector.split(':')[1]), '127.0.0.1')
    const [seen] = (await once(socket, 'data', { signal: AbortSignal.timeout(DEADLINE_MS) })) as [Buffer]
    expect(seen.toString()).toBe(`127.0.0.1:${socket.localPort}\n`)
  })

  it('keeps its peer id and certificate over a restart, and ends in time with clients connected', async () => {
    const dir = newDir()
    const before = await start(dir)
    const clients = before.addresses.slice(0, 1).map((each) => connect(Number(each.split('/')[4]), '127.0.0.1'))
    for (const client of clients) client.on('error', () => undefined)
    await Promise.all(clients.map((each) => once(each, 'connect')))
    const held = connect(Number(new URL(before.url).port), '127.0.0.1').on('error', () => undefined)
    await once(held, 'connect')
    const ended = await stop(before.child)
    expect(ended.code).toBe(0)
    expect(ended.ms).toBeLessThan(5_000)
    const after = await start(dir)
    expect(after.peer_id).toBe(before.peer_id)
    expect(certhash(after.addresses)).toBeDefined()
    expect(certhash(after.addresses)).toBe(certhash(before.addresses))
  })

  it('announces the host it is told to announce, and takes options before the subcommand', async () => {
    const child = launch([...relayArgs(newDir()), '--announce-host', 'localhost', '--json', 'run'])
    const ready = JSON.parse(await firstLine(child)) as Ready
    expect(ready.url).toMatch(/^http:\/\/localhost:\d+$/)
    expect(ready.addresses).toHaveLength(4)
    for (const each of ready.addresses) expect(each).toMatch(/^\/(dns\/localhost\/(tcp|udp\/\d+\/quic-v1)|ip4\/127\.0\.0\.1\/udp)\//)
    // Also to an operator who looks at it through a tunnel.
    const page = await (await fetch(`http://127.0.0.1:${new URL(ready.url).port}/status`)).text()
    expect(page).toContain(`<code>${ready.url}</code>`)
  })

  it('prints one sentence with its address without --json', async () => {
    expect(await firstLine(launch(['run', ...relayArgs(newDir())]))).toMatch(/http:\/\/127\.0\.0\.1:\d+$/)
  })

  it.each(['http', 'tcp', 'ws', 'reflector'] as const)('says that the %s port is in use', async (name) => {
    const holder = createServer().listen(0, '127.0.0.1')
    await once(holder, 'listening')
    const { port } = holder.address() as AddressInfo
    const { line, code } = await fails(['run', '--json', ...relayArgs(newDir(), { [name]: port })])
    expect(line).toEqual({ error: { code: 'PORT_IN_USE', message: expect.stringContaining(String(port)) } })
    expect(code).toBe(1)
    holder.close()
  })

  it.each(['stun', 'stun2', 'webrtc'] as const)('says that the %s port is in use', async (name) => {
    const holder = createSocket('udp4').bind(0, '127.0.0.1')
    await once(holder, 'listening')
    const { port } = holder.address()
    const { line, code } = await fails(['run', '--json', ...relayArgs(newDir(), { [name]: port })])
    expect(line).toEqual({ error: { code: 'PORT_IN_USE', message: expect.stringContaining(String(port)) } })
    expect(code).toBe(1)
    holder.close()
  })

  it('serves the web client under its address, and nothing outside its folder', async () => {
    const web = join(newDir(), 'web')
    mkdirSync(join(web, '_next', 'static'), { recursive: true })
    writeFileSync(join(web, 'index.html'), '<!doctype html><title>Skein</title>')
    writeFileSync(join(web, 'content-security-policy.txt'), "default-src 'self'\n")
    writeFileSync(join(web, '404.html'), '<!doctype html>lost')
    writeFileSync(join(web, '_next', 'static', 'a1b2.js'), '0')
    writeFileSync(join(web, '_next', 'static', 'a1b2.js.gz'), gzipSync('compressed'))
    writeFileSync(join(web, '..', 'secret.txt'), 'not for pages')
    const { url } = await start(newDir(), ['--web', web])
    const page = await fetch(url)
    expect([page.status, await page.text()]).toEqual([200, '<!doctype html><title>Skein</title>'])
    const policies = ['content-security-policy', 'x-frame-options', 'cache-control'].map((name) => page.headers.get(name))
    expect(policies).toEqual(["default-src 'self'", 'DENY', 'no-cache'])
    const script = await fetch(`${url}/_next/static/a1b2.js`, { headers: { 'accept-encoding': 'gzip' } })
    expect([await script.text(), script.headers.get('content-encoding')]).toEqual(['compressed', 'gzip'])
    expect(['cache-control', 'vary', 'content-type'].map((name) => script.headers.get(name))).toEqual([
      'public, max-age=31536000, immutable',
      'accept-encoding',
      'application/javascript; charset=utf-8',
    ])
    const plain = await fetch(`${url}/_next/static/a1b2.js`, { headers: { 'accept-encoding': 'identity' } })
    expect(await plain.text()).toBe('0')
    expect((await fetch(`${url}/relay.json`)).status).toBe(200)
    for (const path of ['/..%2fsecret.txt', '/%2e%2e/secret.txt', '/..%5csecret.txt', '/nothing'])
      expect((await fetch(url + path)).status).toBeGreaterThanOrEqual(400)
    const lost = await fetch(`${url}/nothing`, { headers: { accept: 'text/html,*/*' } })
    expect([lost.status, await lost.text()]).toEqual([404, '<!doctype html>lost'])
    expect((await fetch(`${url}/nothing`)).headers.get('content-type')).toContain('application/json')
    expect(await (await fetch((await start(newDir(), ['--web', 'off'])).url)).text()).toContain('This is a relay of Skein')
    expect(await fails(['run', '--json', ...relayArgs(newDir()), '--web', newDir()])).toMatchObject({
      code: 2,
      line: { error: { code: 'USAGE' } },
    })
  })

  it('gives way at the usual port of QUIC, and fails at one that was asked for', async () => {
    const taken = createSocket('udp4')
    taken.bind(0, '127.0.0.1')
    await once(taken, 'listening')
    const port = String(taken.address().port)
    const asked = launch(['run', '--json', ...relayArgs(newDir()), '--quic', port])
    expect(JSON.parse(await firstLine(asked))).toMatchObject({ error: { code: 'PORT_IN_USE' } })
    taken.close()
    const usual = createSocket('udp4')
    // Taken by us, or by somebody else on this machine.
    await new Promise<void>((resolve) =>
      usual
        .once('listening', resolve)
        .once('error', () => resolve())
        .bind(4001, '127.0.0.1'),
    )
    const args = relayArgs(newDir())
    args.splice(args.indexOf('--quic'), 2)
    // As infra/relay/defaults.env has it.
    const { addresses } = JSON.parse(await firstLine(launch(['run', '--json', ...args], { SKEIN_RELAY_QUIC: '4001' }))) as Ready
    expect(addresses.some((each) => each.includes('/tcp/'))).toBe(true)
    expect(addresses.some((each) => each.includes('/quic-v1'))).toBe(false)
    usual.close(() => undefined)
  })

  it('refuses bad options and a data directory in use', async () => {
    expect(await fails(['run', '--json', '--tcp', 'x'])).toMatchObject({ code: 2, line: { error: { code: 'USAGE' } } })
    expect(await fails(['run', '--json', '--nonsense'])).toMatchObject({ code: 2, line: { error: { code: 'USAGE' } } })
    const dir = newDir()
    await start(dir)
    expect(await fails(['run', '--json', ...relayArgs(dir)])).toMatchObject({ code: 1, line: { error: { code: 'STORE_LOCKED' } } })
  })

  it('meets the relays it is told about in the DHT, also one that comes later', async () => {
    const first = await start(newDir())
    const reserved = createServer().listen(0, '127.0.0.1')
    await once(reserved, 'listening')
    const { port } = reserved.address() as AddressInfo
    await new Promise((resolve) => reserved.close(resolve))
    const second = await start(newDir(), ['--bootstrap', first.url, `http://127.0.0.1:${port}`])
    const sees = (relay: Ready, count: number) =>
      vi.waitFor(async () => expect(await metric(relay.url, 'dht_peers')).toBe(count), { timeout: DEADLINE_MS })
    await sees(first, 1)
    await sees(second, 1)
    const third = launch(['run', '--json', ...relayArgs(newDir(), { http: port })])
    await firstLine(third)
    await sees(second, 2)
  })
})
