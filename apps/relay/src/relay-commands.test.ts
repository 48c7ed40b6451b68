/** The operator's commands against the built relay, running and off. */
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { DEADLINE_MS, TestRelays } from './test-relay.ts'

const PEER = '12D3KooWRBhwfeP2Y4TCx1SM6s9rUoHhR5STiGwxBhgFRcw3UERE'
const WITHIN = { timeout: DEADLINE_MS }

const relays = new TestRelays()
afterEach(() => relays.clear())

describe('commands of an operator', { timeout: 120_000 }, () => {
  it('[RL16] init makes key, settings and a token once, and the relay that runs then is the one it named', async () => {
    const dir = join(relays.newDir(), 'new')
    const first = await relays.say(dir, 'init', '--mode', 'token', '--announce-host', 'relay.example')
    expect(first).toMatchObject({ code: 0, result: { mode: 'token', url: 'http://relay.example:8080', created: true } })
    expect(first.result['token']).toMatch(/^[\w-]{20}$/)
    expect(first.result['join']).toBe(`http://relay.example:8080/#token=${String(first.result['token'])}`)
    const again = await relays.say(dir, 'init')
    expect(again.result).toMatchObject({ peer_id: first.result['peer_id'], mode: 'token', token: null, created: false })
    const other = await relays.say(dir, 'init', '--mode', 'open')
    expect(other).toMatchObject({ code: 2, result: { error: { code: 'USAGE', message: expect.stringContaining('limits mode=open') } } })
    expect((await relays.say(dir, 'init')).result['mode']).toBe('token')
    const { peer_id } = await relays.start(dir)
    expect(peer_id).toBe(first.result['peer_id'])
    expect(await relays.say(dir, 'init', '--mode', 'friends')).toMatchObject({ code: 1, result: { error: { code: 'CONFIG_INVALID' } } })
  })

  it('[RL16] token, allow, deny and limits work on a relay that runs and on one that is off', async () => {
    const dir = relays.newDir()
    const off = await relays.say(dir, 'token', 'create', '--label', 'friends', '--expires', '30d', '--uses', '3')
    expect(off.code).toBe(0)
    await relays.say(dir, 'deny', PEER, '--note', 'spam')
    await relays.start(dir)
    const { result } = await relays.say(dir, 'token', 'list')
    expect(result['tokens']).toEqual([expect.objectContaining({ id: off.result['id'], label: 'friends', uses_left: 3 })])
    expect((await relays.say(dir, 'deny')).result['verdicts']).toEqual([{ peer: PEER, verdict: 'deny', note: 'spam' }])
    await relays.say(dir, 'allow', PEER)
    expect((await relays.say(dir, 'allow')).result['verdicts']).toMatchObject([{ peer: PEER, verdict: 'allow' }])
    expect((await relays.say(dir, 'forget', PEER)).result).toEqual({ peer: PEER, forgotten: true })
    expect((await relays.say(dir, 'token', 'revoke', String(off.result['id']))).result).toEqual({ revoked: true, removed: 0 })
    const limits = await relays.say(dir, 'limits', 'limits.circuits=7', 'budget.bytesPerMonth=2TB')
    expect(limits.result).toMatchObject({ in_force: true, settings: { limits: { circuits: 7 }, budget: { bytesPerMonth: 2e12 } } })
    expect((await relays.say(dir, 'status')).result).toMatchObject({ running: true, ready: true, limits: { circuits: 7 } })
    for (const wrong of [
      ['allow', 'nobody'],
      ['token', 'create', '--expires', 'soon'],
      ['limits', 'x'],
      ['token', 'create', '--uses', '0'],
    ])
      expect(await relays.say(dir, ...wrong)).toMatchObject({ code: 2, result: { error: { code: 'USAGE' } } })
  })

  it('[RL14] reads its settings again at SIGHUP and at reload, and goes on with the old ones when they are wrong', async () => {
    const dir = relays.newDir()
    const relay = await relays.start(dir, '--bootstrap', 'http://127.0.0.1:1')
    const mode = async (): Promise<unknown> => (await relays.say(dir, 'status')).result['mode']
    writeFileSync(join(dir, 'settings.json'), '{"mode":"closed"}')
    expect(await mode()).toBe('open')
    relay.child.kill('SIGHUP')
    await vi.waitFor(async () => expect(await mode()).toBe('closed'), WITHIN)
    writeFileSync(join(dir, 'settings.json'), '{"mode":"friends"}')
    relay.child.kill('SIGHUP')
    await vi.waitFor(() => expect(relay.log()).toContain('settings-refused'), WITHIN)
    expect(await relays.say(dir, 'reload')).toMatchObject({ code: 1, result: { error: { code: 'CONFIG_INVALID' } } })
    expect(await mode()).toBe('closed')
    // Which of the operator's own relays is away stands in the log, so that somebody can act on it.
    await vi.waitFor(() => expect(relay.log()).toMatch(/http:\/\/127\.0\.0\.1:1".*"relay-away"/), WITHIN)
    writeFileSync(join(dir, 'settings.json'), '{"mode":"token"}')
    expect((await relays.say(dir, 'reload')).result).toMatchObject({ settings: { mode: 'token' } })
  })

  it('[RL17] a backup of a running relay is a whole relay elsewhere, and nothing is overwritten', async () => {
    const [dir, elsewhere] = [relays.newDir(), join(relays.newDir(), 'restored')]
    const file = join(relays.newDir(), 'relay.backup')
    const { peer_id } = await relays.start(dir)
    await relays.say(dir, 'limits', 'mode=token')
    const { result: token } = await relays.say(dir, 'token', 'create')
    expect((await relays.say(dir, 'backup', file)).code).toBe(0)
    expect(await relays.say(dir, 'backup', file)).toMatchObject({ code: 2, result: { error: { code: 'USAGE' } } })
    expect(readdirSync(dir).filter((name) => name.endsWith('.part'))).toEqual([])
    expect((await relays.say(elsewhere, 'restore', file)).result).toEqual({ data_dir: elsewhere, replaced: null })
    expect(await relays.say(elsewhere, 'restore', file)).toMatchObject({ code: 2 })
    const restored = await relays.start(elsewhere)
    expect(restored.peer_id).toBe(peer_id)
    const { result } = await relays.say(elsewhere, 'status')
    expect(result['mode']).toBe('token')
    expect((await relays.say(elsewhere, 'token', 'list')).result['tokens']).toMatchObject([{ id: token['id'] }])
    truncateSync(file, 5_000)
    expect(await relays.say(join(elsewhere, 'x'), 'restore', file)).toMatchObject({ code: 1, result: { error: { code: 'STORE_CORRUPT' } } })
    expect(existsSync(join(elsewhere, 'x'))).toBe(false)
  })

  it('[RL17] a backup goes through pipes, and takes the place of a relay that does not run', async () => {
    const [dir, other] = [relays.newDir(), relays.newDir()]
    const { result: relay } = await relays.say(dir, 'init')
    const { result: fresh } = await relays.say(other, 'init', '--mode', 'token')
    writeFileSync(join(dir, 'backup-0123456789abcdef.part'), 'of somebody who went away')
    const running = await relays.start(dir)
    expect(existsSync(join(dir, 'backup-0123456789abcdef.part'))).toBe(false)
    const bytes = relays.pipe(dir, Buffer.alloc(0), 'backup', '-').stdout
    expect(bytes.subarray(0, 15).toString()).toBe('SQLite format 3')
    expect(relays.pipe(dir, bytes, 'restore', '--replace', '-').stdout.toString()).toContain('STORE_LOCKED')
    expect(relays.pipe(other, Buffer.from('no backup'), 'restore', '--replace', '-').stdout.toString()).toContain('STORE_CORRUPT')
    expect((await relays.say(other, 'init')).result['peer_id']).toBe(fresh['peer_id'])
    const done = JSON.parse(relays.pipe(other, bytes, 'restore', '--replace', '-').stdout.toString()) as { replaced: string }
    expect((await relays.say(other, 'init')).result).toMatchObject({ peer_id: relay['peer_id'], mode: 'open', created: false })
    expect((await relays.say(done.replaced, 'init')).result).toMatchObject({ peer_id: fresh['peer_id'], mode: 'token', created: false })
    expect(readdirSync(other).filter((name) => name.endsWith('.part'))).toEqual([])
    expect((await relays.say(dir, 'status')).result['peer_id']).toBe(running.peer_id)
  })

  it('[RL16] status waits for a relay that is only starting, and not for ever', async () => {
    const dir = relays.newDir()
    expect(await relays.say(dir, 'status', '--wait', '1ms')).toMatchObject({ code: 3, result: { error: { code: 'TIMED_OUT' } } })
    const waiting = relays.say(dir, 'status', '--wait', '60s')
    const relay = await relays.start(dir)
    expect(await waiting).toMatchObject({ code: 0, result: { ready: true, waiting: [], peer_id: relay.peer_id, version: '0.1.0' } })
  })

  it('[RL16] what needs a running relay says so, and makes nothing', async () => {
    const dir = join(relays.newDir(), 'none')
    for (const command of ['status', 'reload', 'drain'])
      expect(await relays.say(dir, command)).toMatchObject({ code: 4, result: { error: { code: 'NO_DAEMON' } } })
    expect(existsSync(dir)).toBe(false)
  })

  it('[RL18] drain turns readiness off, answers, and ends the process with 0', async () => {
    const dir = relays.newDir()
    const relay = await relays.start(dir)
    const gone = once(relay.child, 'exit', { signal: AbortSignal.timeout(DEADLINE_MS) })
    expect(await relays.say(dir, 'drain')).toMatchObject({ code: 0, result: { connections: 0, circuits: 0 } })
    expect(await gone).toEqual([0, null])
    expect(relay.log()).toContain('draining')
  })

  it('[RL19] the doctor reaches every port, and names what it cannot reach', async () => {
    const dir = relays.newDir()
    const relay = await relays.start(dir)
    const healthy = await relays.say(dir, 'doctor', relay.url)
    const checks = healthy.result['checks'] as { name: string; ok: boolean; detail: string }[]
    expect(checks.filter(({ ok }) => !ok)).toEqual([])
    expect(healthy).toMatchObject({ code: 0, result: { ok: true } })
    expect(new Set(checks.map(({ name }) => name))).toEqual(
      new Set(['disk', 'dns', 'http', 'clock', 'ready', 'announced', 'tcp', 'quic', 'websocket', 'webrtc-direct', 'stun', 'reflector']),
    )
    // Another machine's relay: nothing of this one is looked at, its disk least of all.
    const { result } = await relays.say(relays.newDir(), 'doctor', relay.url)
    expect((result['checks'] as typeof checks).map(({ name }) => name)).not.toContain('disk')
    const gone = once(relay.child, 'exit')
    relay.child.kill('SIGKILL')
    await gone
    const ill = await relays.say(dir, 'doctor', relay.url)
    expect(ill.code).toBe(1)
    expect((ill.result['checks'] as typeof checks).find(({ name }) => name === 'http')?.ok).toBe(false)
  })

  it('[RL19] without a URL the doctor knows whose relay answers, and looks behind a front door that is shut', async () => {
    const dir = relays.newDir()
    const relay = await relays.start(dir)
    const own = ['--host', '127.0.0.1', '--http', new URL(relay.url).port]
    const doctor = async (dataDir: string, ...options: string[]) => {
      const { code, result } = await relays.say(dataDir, ...own, ...options, 'doctor')
      const checks = result['checks'] as { name: string; ok: boolean; detail: string }[]
      return { code, checks, wrong: checks.filter(({ ok }) => !ok).map(({ name }) => name) }
    }
    const moved = relays.newDir()
    await relays.say(moved, 'init')
    const shutDoor = ['--announce-host', 'localhost', '--https', '1']
    const [well, other, shut] = await Promise.all([doctor(dir), doctor(moved), doctor(dir, ...shutDoor)])
    expect(well).toMatchObject({ code: 0, wrong: [] })
    expect(well.checks.find(({ name }) => name === 'clock')?.detail).toContain('another machine')
    expect(other).toMatchObject({ code: 1, wrong: ['identity'] })
    expect(shut).toMatchObject({ code: 1, wrong: ['http', 'tls'] })
    expect(shut.checks.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['identity', 'ready', 'tcp', 'webrtc-direct', 'stun', 'reflector']),
    )
  })

  it('[RL15] its pages and its log name no peer, address or token', async () => {
    const dir = relays.newDir()
    const relay = await relays.start(dir)
    const { result } = await relays.say(dir, 'token', 'create')
    await relays.say(dir, 'doctor', relay.url)
    const pages = await Promise.all(['/status', '/status.json', '/metrics'].map(async (path) => (await fetch(relay.url + path)).text()))
    for (const text of [...pages, relay.log()]) {
      expect(text).not.toMatch(/12D3KooW/)
      expect(text).not.toContain(String(result['token']))
    }
    expect(pages[0]).toContain('<svg')
    expect(relay.log()).not.toMatch(/127\.0\.0\.1/)
    expect(readFileSync(join(dir, 'relay.sqlite'))).not.toContain(String(result['token']))
    const page = await fetch(`${relay.url}/status`)
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
  })
})
