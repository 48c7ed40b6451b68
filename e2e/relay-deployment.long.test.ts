/** The files of infra/relay read by the programs they are for, and the install script on a bare Debian. As root on Debian. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { bareDebian, ensurePrograms, run } from './debian.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const FILES = join(ROOT, 'infra', 'relay')
const RELAY = join(ROOT, 'apps', 'relay', 'bundle', 'main.js')
const PROGRAMS = { promtool: 'prometheus', caddy: 'caddy', nginx: 'nginx-light', 'cloud-init': 'cloud-init', debootstrap: 'debootstrap' }
const SLOW = { timeout: 900_000 }
const WITHIN = { timeout: 60_000, interval: 250 }

const dir = mkdtempSync(join(tmpdir(), 'skein-deployment-'))
const running: ChildProcess[] = []

function background(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, ...env } })
  running.push(child)
  return child
}

beforeAll(() => ensurePrograms(PROGRAMS), 600_000)

afterAll(async () => {
  for (const child of running.filter((each) => each.exitCode === null && each.signalCode === null)) {
    const gone = once(child, 'exit')
    // In order: a killed nginx leaves those behind that work for it.
    child.kill('SIGTERM')
    await gone
  }
  rmSync(dir, { recursive: true, force: true })
}, 60_000)

describe.skipIf(process.platform !== 'linux' || process.getuid?.() !== 0)('a deployed relay', () => {
  it('[RL20] Prometheus takes the rules, and they fire when they should', () => {
    const rules = [...readFileSync(join(FILES, 'alerts.yml'), 'utf8').matchAll(/- alert: (\w+)/g)].length
    expect(run('promtool', ['check', 'rules', join(FILES, 'alerts.yml')])).toContain(`${rules} rules found`)
    expect(run('promtool', ['test', 'rules', join(FILES, 'alerts.test.yml')])).toContain('SUCCESS')
    expect(run('promtool', ['check', 'config', join(FILES, 'prometheus.yml')])).toContain('SUCCESS')
  })

  it('[RL20] Prometheus takes every expression of the dashboard', () => {
    const { panels } = JSON.parse(readFileSync(join(FILES, 'grafana-dashboard.json'), 'utf8')) as {
      panels: { targets: { expr: string }[] }[]
    }
    const expressions = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr.replaceAll('$instance', '.*')))
    const rules = expressions.map((expr, n) => ({ record: `dashboard:${n}`, expr }))
    const file = join(dir, 'dashboard.yml')
    // JSON is YAML too.
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }))
    expect(run('promtool', ['check', 'rules', file])).toContain(`${expressions.length} rules found`)
  })

  it('[RL20] systemd finds the unit well locked in', () => {
    const verdict = run('systemd-analyze', ['security', '--offline=true', join(FILES, 'skein-relay.service')])
    expect(Number(/exposure level for [^:]*: ([\d.]+)/.exec(verdict)?.[1])).toBeLessThan(2)
  })

  it('cloud-init takes the user data', () => {
    expect(run('cloud-init', ['schema', '--config-file', join(FILES, 'cloud-init.yaml')])).toContain('Valid')
  })

  it.each(['caddy', 'nginx'] as const)('[RL20] %s serves pages and WebSockets on one port behind TLS', SLOW, async (server) => {
    const [front, http, ws] = [await freePort(), await freePort(), await freePort()]
    const relay = await startRelay(`https://localhost:${front}`, { http, ws })
    const files = join(dir, server)
    mkdirSync(files)
    if (server === 'caddy') startCaddy(files, { front, http, ws })
    else startNginx(files, { front, http, ws })
    const insecure = { NODE_TLS_REJECT_UNAUTHORIZED: '0', NODE_NO_WARNINGS: '1' }
    const doctor = () =>
      spawnSync(process.execPath, [RELAY, '--json', '--data-dir', relay.dataDir, 'doctor', `https://localhost:${front}`], {
        encoding: 'utf8',
        env: { ...process.env, ...insecure },
      }).stdout
    const checks = await vi.waitFor(() => {
      const found = JSON.parse(doctor()) as { checks: { name: string; ok: boolean; detail: string }[] }
      expect(found.checks.find(({ name }) => name === 'ready')).toMatchObject({ ok: true })
      return found.checks
    }, WITHIN)
    expect(checks.find(({ name }) => name === 'wss')).toMatchObject({ ok: true })
    // A certificate of Caddy's own authority lives half a day, which the doctor rightly complains of.
    expect(checks.filter(({ name, ok }) => !ok && name !== 'tls')).toEqual([])
    const status = (path: string) =>
      run('curl', ['-ks', '-o', join(files, 'body'), '-w', '%{http_code}', `https://localhost:${front}${path}`])
    expect([status('/relay.json'), status('/status'), status('/metrics')]).toEqual(['200', '200', '404'])
    expect(relay.url).toBe(`https://localhost:${front}`)
  })

  it('[RL20] the script installs on a bare Debian, again and again, for a user without rights, and removes all of it', SLOW, () => {
    const [system, packed] = [join(dir, 'debian'), join(dir, 'packed')]
    bareDebian(system)
    run(process.execPath, [join(FILES, 'pack.mjs'), packed])
    // As an operator with a strict umask may have unpacked it.
    run('chown', ['-R', '4242:4242', packed])
    run('chmod', ['-R', 'go=', packed])
    const strictly = ['-c', 'umask 077; exec "$0" "$@"', join(ROOT, 'infra', 'install.sh')]
    const script = (...args: string[]) => run('sh', [...strictly, ...args], { SKEIN_ROOT: system, SKEIN_PACKED: packed })
    const first = script('install')
    expect(first).toContain('created: true')
    const peer = /peer_id: (\w+)/.exec(first)?.[1]
    const again = script('install')
    expect(again).toContain('is in place')
    expect(again).toContain(`peer_id: ${peer}`)
    const who = run('chroot', [system, 'stat', '-c', '%U %a', '/var/lib/skein-relay/identity.seed', '/var/lib/skein-relay'])
    expect(who).toBe('skein-relay 600\nskein-relay 700\n')
    expect(run('chroot', [system, 'stat', '-Lc', '%U %a', '/opt/skein-relay', '/opt/skein-relay/current/skein-relay'])).toBe(
      'root 755\nroot 755\n',
    )
    expect(existsSync(join(system, 'etc/systemd/system/skein-relay.service'))).toBe(true)
    writeFileSync(join(packed, 'version'), 'next\n')
    expect(script('upgrade')).toContain('put version')
    expect(run('chroot', [system, 'cat', '/opt/skein-relay/current/version'])).toBe('next\n')
    script('uninstall')
    expect([existsSync(join(system, 'opt/skein-relay')), existsSync(join(system, 'var/lib/skein-relay/identity.seed'))]).toEqual([
      false,
      true,
    ])
    script('uninstall', '--purge')
    expect(existsSync(join(system, 'var/lib/skein-relay'))).toBe(false)
    expect(readFileSync(join(system, 'etc/passwd'), 'utf8')).not.toContain('skein-relay')
  })
})

interface Ports {
  readonly http: number
  readonly ws: number
}

async function startRelay(frontUrl: string, { http, ws }: Ports): Promise<{ dataDir: string; url: string }> {
  const dataDir = mkdtempSync(join(dir, 'relay-'))
  const others = ['tcp', 'webrtc', 'stun', 'stun2', 'reflector'].flatMap((each) => [`--${each}`, '0'])
  const args = ['run', '--json', '--data-dir', dataDir, '--host', '127.0.0.1', '--web', 'off', '--front-url', frontUrl]
  const child = background(process.execPath, [RELAY, ...args, '--http', String(http), '--ws', String(ws), ...others])
  if (child.stdout === null) throw new Error('stdout is a pipe')
  const [line] = (await once(createInterface(child.stdout), 'line', { signal: AbortSignal.timeout(60_000) })) as [string]
  return { dataDir, url: (JSON.parse(line) as { url: string }).url }
}

function startCaddy(files: string, { front, http, ws }: Ports & { readonly front: number }): void {
  const config = join(files, 'Caddyfile')
  writeFileSync(config, `{\n\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n}\nimport ${join(FILES, 'Caddyfile')}\n`)
  background('caddy', ['run', '--config', config, '--adapter', 'caddyfile'], {
    SKEIN_DOMAIN: `https://localhost:${front}`,
    SKEIN_HTTP: `127.0.0.1:${http}`,
    SKEIN_WS: `127.0.0.1:${ws}`,
    XDG_DATA_HOME: files,
    XDG_CONFIG_HOME: files,
    HOME: files,
  })
}

function startNginx(files: string, { front, http, ws }: Ports & { readonly front: number }): void {
  const [key, certificate] = [join(files, 'key.pem'), join(files, 'certificate.pem')]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '90', '-keyout', key, '-out', certificate, ...subject])
  const site = readFileSync(join(FILES, 'nginx.conf'), 'utf8')
    .replaceAll('127.0.0.1:8080', `127.0.0.1:${http}`)
    .replaceAll('127.0.0.1:4002', `127.0.0.1:${ws}`)
    .replaceAll('443 ssl', `${front} ssl`)
    .replaceAll('relay.example;', 'localhost;')
    .replace(/\/etc\/letsencrypt\S*fullchain.pem/, certificate)
    .replace(/\/etc\/letsencrypt\S*privkey.pem/, key)
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((each) => `${each}_temp_path ${files}/${each};`).join(' ')
  const config = join(files, 'nginx.conf')
  writeFileSync(config, `daemon off; pid ${files}/pid; error_log stderr; events {}\nhttp { access_log off; ${temporary}\n${site}\n}\n`)
  run('nginx', ['-t', '-c', config])
  background('nginx', ['-c', config])
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
