/** The relay as a service: installed, restarted, upgraded, backed up and removed on a Debian that runs its own systemd. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BootedSystem, bareDebian, ensurePrograms, run } from './debian.ts'
import { eventually } from './processes.ts'

const PACK = fileURLToPath(new URL('../infra/relay/pack.mjs', import.meta.url))
const PROGRAMS = { debootstrap: 'debootstrap', 'systemd-nspawn': 'systemd-container', ip: 'iproute2' }
/** What a rented machine has and the smallest system lacks. */
const PACKAGES = ['systemd', 'dbus', 'libatomic1', 'libstdc++6', 'ca-certificates']
const VERSIONS = ['first', 'second', 'broken'] as const
const PUBLIC = '5.9.17.4'

const dir = mkdtempSync(join(tmpdir(), 'skein-service-'))
const place = (name: string): string => join(dir, name)
let system: BootedSystem

interface Said {
  readonly code: number | null
  readonly out: string
}

function inside(...command: readonly string[]): Said {
  const { status, stdout, stderr } = system.run(...command)
  return { code: status, out: `${stdout}${stderr}` }
}

/** @throws Error when it fails */
function must(...command: readonly string[]): string {
  const { code, out } = inside(...command)
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}:\n${out}`)
  return out
}

const install = (version: (typeof VERSIONS)[number], ...options: readonly string[]): string =>
  must(`/srv/${version}/install.sh`, ...options)
const ask = (...command: readonly string[]): Record<string, unknown> =>
  JSON.parse(must('skein-relay', '--json', ...command)) as Record<string, unknown>
const mainPid = (): string => must('systemctl', 'show', '-p', 'MainPID', '--value', 'skein-relay').trim()
const program = (): string => must('readlink', `/proc/${mainPid()}/exe`).trim()

beforeAll(async () => {
  ensurePrograms(PROGRAMS)
  bareDebian(place('system'), PACKAGES)
  run(process.execPath, [PACK, place('first')])
  for (const each of ['second', 'broken']) cpSync(place('first'), place(each), { recursive: true })
  writeFileSync(join(place('second'), 'docs', 'news'), 'the second version\n')
  const main = join(place('broken'), 'app', 'bundle', 'main.js')
  writeFileSync(main, readFileSync(main, 'utf8').replace('\n', "\nif (process.argv.includes('run')) process.exit(1);\n"))
  system = await BootedSystem.boot(place('system'), Object.fromEntries(VERSIONS.map((each) => [`/srv/${each}`, place(each)])))
}, 900_000)

afterAll(async () => {
  await system?.[Symbol.asyncDispose]()
  rmSync(dir, { recursive: true, force: true })
}, 60_000)

describe.skipIf(process.platform !== 'linux' || process.getuid?.() !== 0)('the service', { timeout: 600_000, retry: 0 }, () => {
  let token = ''
  let peer: unknown

  it('[RL20, RL26] is installed behind an address that nobody reaches, runs, and says what is to be done', () => {
    network('10.1.2.3')
    const said = install('first')
    expect(said).toContain('this machine has the address 10.1.2.3, which nobody outside can reach')
    expect(said).toContain('mode: token')
    token = /^token: ([\w-]{20})$/m.exec(said)?.[1] ?? ''
    expect(token).not.toBe('')
    expect(must('systemctl', 'is-active', 'skein-relay')).toBe('active\n')
    expect(must('systemctl', 'is-enabled', 'skein-relay')).toBe('enabled\n')
    expect(must('stat', '-c', '%U', `/proc/${mainPid()}`)).toBe('skein-relay\n')
    expect(ask('status')).toMatchObject({ running: true, ready: true, mode: 'token', reservations: 0 })
    peer = ask('status')['peer_id']
    for (const port of ['8080', '4001', '4002', '4004', '4003', '3478', '3479']) expect(said).toContain(port)
  })

  it('[RL20] installed again changes nothing; told its address it announces that, and keeps key and token', () => {
    const before = mainPid()
    const again = install('first')
    expect(again).toMatch(/^token: –$/m)
    expect(again).toContain('skein-relay token create')
    expect(mainPid()).toBe(before)
    network(PUBLIC)
    const said = install('first', '--announce-host', PUBLIC)
    expect(said).toContain(`join: http://${PUBLIC}:8080`)
    expect(said).toContain('▀')
    expect(mainPid()).not.toBe(before)
    expect(ask('status')).toMatchObject({ ready: true, peer_id: peer })
    expect(ask('token', 'list')['tokens']).toHaveLength(1)
    expect(install('first')).toContain(`http://${PUBLIC}:8080`)
    expect(inside('skein-relay', 'doctor').out).toMatch(/^ok: true$/m)
  })

  it('[RL20] holds what the locks promise, starts again when it dies, and reads its settings at reload', async () => {
    expect(must('grep', '-E', '^(NoNewPrivs|CapEff|CapBnd|Seccomp):', `/proc/${mainPid()}/status`)).toMatch(
      /CapEff:\t0+\nCapBnd:\t0+\nNoNewPrivs:\t1\nSeccomp:\t2/,
    )
    const before = mainPid()
    must('systemctl', 'kill', '--kill-who=main', '--signal=KILL', 'skein-relay')
    await eventually('the service is back', () => inside('skein-relay', 'status', '--wait', '60s').code === 0 && mainPid() !== before)
    must('sh', '-c', `echo '{"mode":"closed"}' >/var/lib/skein-relay/settings.json`)
    must('systemctl', 'reload', 'skein-relay')
    expect(ask('status')['mode']).toBe('closed')
    must('sh', '-c', `echo '{"mode":"friends"}' >/var/lib/skein-relay/settings.json`)
    expect(inside('systemctl', 'reload', 'skein-relay').code).not.toBe(0)
    must('sh', '-c', `echo '{"mode":"token"}' >/var/lib/skein-relay/settings.json`)
    must('systemctl', 'reload', 'skein-relay')
    expect(ask('status')['mode']).toBe('token')
  })

  it('[RL20] an upgrade that breaks off leaves what runs, and is finished when it is tried again', () => {
    const first = must('readlink', '/opt/skein-relay/current').trim()
    must('sh', '-c', `echo '{"mode":"friends"}' >/var/lib/skein-relay/settings.json`)
    expect(inside('/srv/second/install.sh').code).not.toBe(0)
    expect(must('readlink', '/opt/skein-relay/current').trim()).toBe(first)
    must('sh', '-c', `echo '{"mode":"token"}' >/var/lib/skein-relay/settings.json`)
    install('second')
    // As after a power cut between the link and the restart.
    const second = must('readlink', '/opt/skein-relay/current').trim()
    must('ln', '-sfn', first, '/opt/skein-relay/current')
    expect(program()).toBe(`/opt/skein-relay/${second}/node`)
    expect(install('first')).toContain('sending members away in order')
    expect(program()).toBe(`/opt/skein-relay/${first}/node`)
    expect(must('ls', '/opt/skein-relay').trim().split('\n').sort()).toEqual([first, second, 'current'].sort())
  })

  it('[RL18, RL20] is upgraded with a drain, and goes back when the new version does not come up', () => {
    const said = install('second')
    expect(said).toContain('sending members away in order')
    expect(must('journalctl', '-u', 'skein-relay', '--no-pager')).toContain('"draining"')
    const second = must('readlink', '/opt/skein-relay/current').trim()
    expect(program()).toBe(`/opt/skein-relay/${second}/node`)
    expect(must('cat', '/opt/skein-relay/current/docs/news')).toBe('the second version\n')
    const refused = inside('/srv/broken/install.sh')
    expect(refused).toMatchObject({ code: 1, out: expect.stringContaining(`version ${second} serves again; nothing has been upgraded`) })
    expect(program()).toBe(`/opt/skein-relay/${second}/node`)
    expect(must('ls', '/opt/skein-relay').trim().split('\n')).toHaveLength(3)
    expect(ask('status')).toMatchObject({ ready: true, peer_id: peer })
  })

  it('[RL17] a backup lies where the operator said, and makes the relay again on a machine that has one', () => {
    must('skein-relay', 'backup', '/var/tmp/relay.backup')
    expect(must('stat', '-c', '%U %a', '/var/tmp/relay.backup')).toBe('root 600\n')
    expect(inside('skein-relay', 'backup', '/var/tmp/relay.backup').code).toBe(2)
    expect(inside('skein-relay', 'backup', '/nowhere/relay.backup').code).toBe(2)
    expect(must('sh', '-c', 'ls -A /var/lib/skein-relay')).not.toContain('.part')
    must('/srv/second/install.sh', 'uninstall', '--purge')
    install('second', '--announce-host', PUBLIC)
    expect(ask('status')['peer_id']).not.toBe(peer)
    expect(inside('skein-relay', 'restore', '/var/tmp/relay.backup')).toMatchObject({ code: 2, out: expect.stringContaining('--replace') })
    expect(ask('status', '--wait', '60s')['peer_id']).not.toBe(peer)
    must('skein-relay', 'restore', '--replace', '/var/tmp/relay.backup')
    expect(ask('status', '--wait', '60s')).toMatchObject({ ready: true, peer_id: peer, mode: 'token' })
    expect(ask('token', 'list')['tokens']).toHaveLength(1)
  })

  it('[RL17, RL23] a new machine begins with a backup, and with HTTPS on a port that a user without rights may not take', () => {
    must('/srv/second/install.sh', 'uninstall', '--purge')
    expect(inside('/srv/first/install.sh', '--https').code).toBe(1)
    const said = install('first', '--restore', '/var/tmp/relay.backup', '--announce-host', 'relay.example', '--https')
    expect(said).toContain('join: https://relay.example')
    expect(ask('status')).toMatchObject({ peer_id: peer, waiting: ['certificate'] })
    expect(must('cat', '/proc/net/tcp')).toContain(':01BB ')
    expect(must('grep', '^CapEff:', `/proc/${mainPid()}/status`)).toBe('CapEff:\t0000000000000400\n')
  })

  it('[RL20] is removed; the data stay until they are to go as well', () => {
    must('/srv/first/install.sh', 'uninstall')
    expect(inside('systemctl', 'is-active', 'skein-relay').code).not.toBe(0)
    expect(must('ls', '/var/lib/skein-relay')).toContain('identity.seed')
    must('/srv/first/install.sh', 'uninstall', '--purge')
    expect(
      must('sh', '-c', 'ls -d /var/lib/skein-relay /etc/skein-relay /opt/skein-relay /etc/systemd/system/skein-relay* 2>/dev/null; true'),
    ).toBe('')
  })
})

/** One interface that is all the world, with this address. */
function network(address: string): void {
  for (const command of [
    'link del world',
    'link add world type bridge',
    `addr add ${address}/24 dev world`,
    'link set world up',
    'route add default dev world',
  ])
    system.inNetwork('ip', ...command.split(' '))
}
