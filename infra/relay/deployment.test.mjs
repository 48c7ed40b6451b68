// What a deployed relay is made of fits together: one source of defaults, names that exist, scripts that parse. The programs
// that read these files (Prometheus, systemd, Caddy, nginx, cloud-init, a bare Debian) do so in e2e/relay-deployment.long.test.ts.
import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'

const read = (name) => readFileSync(fileURLToPath(new URL(name, import.meta.url)), 'utf8')
const root = (name) => read(`../../${name}`)
const defaults = Object.fromEntries(
  [...read('defaults.env').matchAll(/^SKEIN_RELAY_(\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]),
)
const UDP = ['QUIC', 'WEBRTC', 'STUN', 'STUN2']
const ports = Object.entries(defaults).filter(([, value]) => /^\d+$/.test(value))

describe('deployment', () => {
  it('[RL20] the collector passes on what it reads, by parts that it has', () => {
    const { service, ...parts } = parse(read('otel-collector.yaml'))
    for (const pipeline of Object.values(service.pipelines))
      for (const [kind, names] of Object.entries(pipeline)) expect(Object.keys(parts[kind])).toEqual(names)
  })

  it('[RL20] the defaults are those of the program', () => {
    const known = root('apps/relay/src/config.ts')
    expect(ports.length).toBe(8)
    for (const [name, value] of ports) expect(known).toContain(`${name.toLowerCase()}: '${value}'`)
  })

  it('[RL20] every file names the same ports', () => {
    const exposed = /^EXPOSE (.*)$/m.exec(read('Dockerfile'))?.[1]?.split(' ')
    expect(new Set(exposed)).toEqual(new Set(ports.map(([name, value]) => (UDP.includes(name) ? `${value}/udp` : value))))
    const guide = root('docs/operations.md')
    for (const [, value] of ports) expect(guide).toContain(value)
    // The script reads them from the defaults; it has to ask for each.
    const asked = [...read('../install.sh').matchAll(/for name in ([A-Z\d ]+); do add_port/g)].flatMap(([, names]) => names.split(' '))
    expect(new Set(asked)).toEqual(new Set([...ports.map(([name]) => name), 'HTTPS']))
    for (const file of ['Caddyfile', 'nginx.conf']) {
      expect(read(file)).toContain(`127.0.0.1:${defaults.HTTP}`)
      expect(read(file)).toContain(`127.0.0.1:${defaults.WS}`)
    }
    expect(read('prometheus.yml')).toContain(`127.0.0.1:${defaults.HTTP}`)
    expect(read('otel-collector.yaml')).toContain(`127.0.0.1:${defaults.HTTP}`)
    expect(read('Dockerfile')).toContain(`127.0.0.1:${defaults.HTTP}/healthz`)
  })

  it('[RL20] containers run without rights, restart, and keep their data', () => {
    const { services, volumes } = parse(read('compose.yaml'))
    expect(services.relay).toMatchObject({ cap_drop: ['ALL'], read_only: true, restart: 'unless-stopped', env_file: 'defaults.env' })
    expect(services.relay.volumes).toEqual(['relay-data:/data'])
    expect(Object.keys(volumes)).toEqual(['relay-data', 'caddy-data'])
    const guide = root('docs/operations.md')
    // By name: every command of compose itself wants the file, and the domain.
    for (const command of ['logs', 'exec']) expect(guide).toContain(`docker ${command} ${services.relay.container_name}`)
    expect(read('Dockerfile')).toMatch(/^USER 10001$/m)
    expect(read('Dockerfile')).toMatch(/^HEALTHCHECK /m)
  })

  it('[RL20] the dashboard shows each panel once', () => {
    const { panels } = JSON.parse(read('grafana-dashboard.json'))
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
  })

  it('[RL21, RL35] no alert asks for what port scans and health checks move, but one for floods of it', () => {
    const asked = parse(read('alerts.yml')).groups.flatMap(({ rules }) => rules.map(({ expr }) => expr))
    expect(asked.join(' ')).toContain('skein_relay_refused_connections_total')
    expect(asked.filter((expr) => expr.includes('skein_relay_refusals_total'))).toEqual([expect.stringMatching(/\[5m\]\)\) > 50$/)])
  })

  it('[RL20] every alert is seen to fire', () => {
    const [rules, tests] = ['alerts.yml', 'alerts.test.yml'].map((file) => parse(read(file)))
    const fired = tests.tests.flatMap(({ alert_rule_test }) => alert_rule_test).filter(({ exp_alerts }) => exp_alerts.length > 0)
    const named = rules.groups.flatMap(({ rules: each }) => each.map(({ alert }) => alert))
    expect(new Set(fired.map(({ alertname }) => alertname))).toEqual(new Set(named))
  })

  it.skipIf(process.platform === 'win32')('[RL20] the scripts parse, and refuse whom they should', () => {
    const place = (name) => fileURLToPath(new URL(name, import.meta.url))
    for (const script of ['../install.sh', 'operator-command.sh', 'container-entry.sh', 'bare-system.sh'])
      expect(spawnSync('sh', ['-n', place(script)]).status).toBe(0)
    const refusal = (...args) => spawnSync('sh', [place('../install.sh'), ...args], { encoding: 'utf8' })
    expect(refusal('nonsense')).toMatchObject({ status: 1, stderr: 'skein-relay: there are: install, uninstall [--purge]\n' })
    for (const [option, ...value] of [['--nonsense'], ['--mode', 'friends'], ['--announce-host'], ['--announce-host', 'a b; c']])
      expect(refusal(option, ...value)).toMatchObject({ status: 1, stderr: expect.stringContaining(option) })
  })

  it.skipIf(process.platform === 'win32')(
    '[RL20] the operator’s command reads settings as the service does: as values, not as a program',
    () => {
      const app = mkdtempSync(join(tmpdir(), 'skein-operator-command-'))
      try {
        writeFileSync(join(app, 'defaults.env'), '# SKEIN_RELAY_WEB=x\nSKEIN_RELAY_TCP=4001\nSKEIN_RELAY_WS=4002\n')
        const settings = [
          'SKEIN_RELAY_BOOTSTRAP=https://a.example https://b.example',
          'SKEIN_RELAY_TCP=443',
          'PATH=/nowhere',
          'SKEIN_RELAY_WEB="/srv/$(touch x)"',
        ]
        writeFileSync(join(app, 'relay.env'), settings.join('\n'))
        writeFileSync(join(app, 'skein-relay'), '#!/bin/sh\nenv | grep ^SKEIN_RELAY_ | sort\n', { mode: 0o755 })
        const script = fileURLToPath(new URL('operator-command.sh', import.meta.url))
        const env = { PATH: process.env.PATH, SKEIN_RELAY_APP: app, SKEIN_RELAY_SETTINGS: join(app, 'relay.env') }
        const asNobody = process.getuid?.() === 0 ? { uid: 65_534 } : {}
        chmodSync(app, 0o755)
        const { stdout, status } = spawnSync('sh', [script, 'status'], { env, encoding: 'utf8', ...asNobody })
        expect(status).toBe(0)
        expect(stdout.split('\n').filter((line) => !/_(APP|SETTINGS)=/.test(line))).toEqual([
          'SKEIN_RELAY_BOOTSTRAP=https://a.example https://b.example',
          'SKEIN_RELAY_DATA_DIR=/var/lib/skein-relay',
          'SKEIN_RELAY_TCP=443',
          'SKEIN_RELAY_WEB=/srv/$(touch x)',
          'SKEIN_RELAY_WS=4002',
          '',
        ])
      } finally {
        rmSync(app, { recursive: true })
      }
    },
  )

  it.skipIf(process.platform === 'win32')(
    '[RL20] a container on empty data makes a relay that wants tokens, and one on data that are there changes nothing',
    () => {
      const app = mkdtempSync(join(tmpdir(), 'skein-container-'))
      try {
        const entry = join(app, 'container-entry.sh')
        copyFileSync(fileURLToPath(new URL('container-entry.sh', import.meta.url)), entry)
        writeFileSync(
          join(app, 'skein-relay'),
          '#!/bin/sh\necho "$@" >>"$SKEIN_RELAY_DATA_DIR/said"; : >"$SKEIN_RELAY_DATA_DIR/identity.seed"\n',
          { mode: 0o755 },
        )
        const enter = (...args) =>
          expect(spawnSync('sh', [entry, ...args], { env: { ...process.env, SKEIN_RELAY_DATA_DIR: app } }).status).toBe(0)
        enter('run')
        enter('run')
        enter('status')
        expect(readFileSync(join(app, 'said'), 'utf8')).toBe('init --mode token\nrun\nrun\nstatus\n')
        expect(read('Dockerfile')).toMatch(/^ENTRYPOINT \["\/opt\/skein-relay\/container-entry.sh"\]\nCMD \["run"\]$/m)
      } finally {
        rmSync(app, { recursive: true })
      }
    },
  )

  it('[RL20] the guide fits on a page and names every command', () => {
    const guide = root('docs/operations.md')
    expect(guide.split('\n').length).toBeLessThanOrEqual(120)
    const commands = [...root('apps/relay/src/commands/index.ts').matchAll(/add\(\s*'(\w+)/g)].map(([, name]) => name)
    expect([...commands, 'allow', 'deny'].filter((name) => !guide.includes(`skein-relay ${name}`))).toEqual([])
  })
})
