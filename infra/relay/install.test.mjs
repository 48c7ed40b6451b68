// What infra/install.sh does to the settings of a relay, in a folder in place of a system: programs of that system are stood in
// for, the script is the real one. On a real Debian it runs in e2e/relay-service.long.test.ts.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const SCRIPT = fileURLToPath(new URL('../install.sh', import.meta.url))
const SETTINGS = 'etc/skein-relay/relay.env'
/** `init` answers as the program does: with 2 where it does not take the settings. */
const CHROOT = `#!/bin/sh
root=$1
shift
case "$1" in
  dpkg-query) printf 'install ok installed\n%.0s' 1 2 3 ;;
  env)
    for each; do case $each in SKEIN_RELAY_SETTINGS=*) ! grep -q refused.example "$root\${each#*=}" || exit 2 ;; esac; done
    mkdir -p "$root/var/lib/skein-relay" && : >"$root/var/lib/skein-relay/identity.seed"
    echo 'created: true'
    ;;
esac
`

let folder
let script
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'skein-install-'))
  script = SCRIPT
  const put = (name, text) => {
    mkdirSync(join(folder, name, '..'), { recursive: true })
    writeFileSync(join(folder, name), text, { mode: 0o755 })
  }
  put('root/etc/os-release', 'ID=debian\n')
  put('bin/chroot', CHROOT)
  put('bin/id', '#!/bin/sh\necho 0\n')
  for (const name of ['skein-relay', 'operator-command.sh', 'skein-relay.service', 'defaults.env']) put(`packed/${name}`, '')
})
afterEach(() => rmSync(folder, { recursive: true }))

const root = (name) => join(folder, 'root', name)
const settings = () => readFileSync(root(SETTINGS), 'utf8').split('\n').slice(1)

function install(...options) {
  const env = { PATH: `${join(folder, 'bin')}:${process.env.PATH}`, SKEIN_ROOT: join(folder, 'root'), SKEIN_PACKED: join(folder, 'packed') }
  return spawnSync('sh', [script, ...options], { env, encoding: 'utf8' })
}

/** As if systemd ran in the folder: the relay comes up unless its settings say that it cannot. */
function withSystemd() {
  const program = (name, text) => writeFileSync(join(folder, 'bin', name), `#!/bin/sh\n${text}\n`, { mode: 0o755 })
  program('systemctl', `[ "$1" = show ] && echo 0; echo "$*" >>${join(folder, 'said')}`)
  program('journalctl', '')
  program('setpriv', '')
  program('operator', `! grep -q taken.example ${root(SETTINGS)}`)
  script = join(folder, 'install.sh')
  const text = readFileSync(SCRIPT, 'utf8').replace(/^runs_systemd\(\) .*$/m, 'runs_systemd() { :; }')
  writeFileSync(script, text.replaceAll('"$operator" --json', 'operator --json'))
}

describe.skipIf(process.platform === 'win32')('settings that are installed', () => {
  it('[RL20] HTTPS is refused to a relay that has no name, and what is there stays as it was', () => {
    expect(install('--announce-host', '203.0.113.5')).toMatchObject({ status: 0 })
    for (const options of [['--https'], ['--https', '--announce-host', '203.0.113.6'], ['--https', '--announce-host', '2001:db8::1']])
      expect(install(...options)).toMatchObject({ status: 1, stderr: expect.stringContaining('--announce-host') })
    expect(settings()).toEqual(['SKEIN_RELAY_ANNOUNCE_HOST=203.0.113.5', ''])
    expect(install('--https', '--announce-host', 'relay.example')).toMatchObject({ status: 0 })
    expect(settings()).toEqual(['SKEIN_RELAY_ANNOUNCE_HOST=relay.example', 'SKEIN_RELAY_HTTPS=443', ''])
    expect(existsSync(root('etc/systemd/system/skein-relay.service.d/https.conf'))).toBe(true)
  })

  it('[RL20] settings that the program does not take are not left behind', () => {
    expect(install('--announce-host', 'relay.example')).toMatchObject({ status: 0 })
    expect(install('--announce-host', 'refused.example', '--https').status).not.toBe(0)
    expect(settings()).toEqual(['SKEIN_RELAY_ANNOUNCE_HOST=relay.example', ''])
    expect([`${SETTINGS}.new`, 'etc/systemd/system/skein-relay.service.d'].map((each) => existsSync(root(each)))).toEqual([false, false])
  })

  it('[RL20] what was removed and is installed again may open the ports that its settings want', () => {
    expect(install('--https', '--announce-host', 'relay.example')).toMatchObject({ status: 0 })
    expect(install('uninstall')).toMatchObject({ status: 0 })
    expect(existsSync(root('etc/systemd/system/skein-relay.service.d/https.conf'))).toBe(false)
    expect(install()).toMatchObject({ status: 0 })
    expect(settings()).toEqual(['SKEIN_RELAY_ANNOUNCE_HOST=relay.example', 'SKEIN_RELAY_HTTPS=443', ''])
    expect(existsSync(root('etc/systemd/system/skein-relay.service.d/https.conf'))).toBe(true)
  })

  it('[RL20] settings with which the relay does not come up are taken back, and it serves with those before', () => {
    withSystemd()
    expect(install('--announce-host', 'relay.example')).toMatchObject({ status: 0 })
    writeFileSync(join(folder, 'said'), '')
    const failed = install('--announce-host', 'taken.example', '--https')
    expect(failed).toMatchObject({ status: 1, stderr: expect.stringContaining('serves again with the settings before') })
    expect(settings()).toEqual(['SKEIN_RELAY_ANNOUNCE_HOST=relay.example', ''])
    expect(existsSync(root('etc/systemd/system/skein-relay.service.d/https.conf'))).toBe(false)
    expect(readFileSync(join(folder, 'said'), 'utf8').trim().split('\n').at(-1)).toBe('restart skein-relay')
    expect(install('--announce-host', 'other.example')).toMatchObject({ status: 0 })
    expect([settings()[0], existsSync(root(`${SETTINGS}.before`))]).toEqual(['SKEIN_RELAY_ANNOUNCE_HOST=other.example', false])
  })

  it('[RL20] a new version that does not come up with new settings goes with them', () => {
    withSystemd()
    expect(install('--announce-host', 'relay.example')).toMatchObject({ status: 0 })
    const before = readlinkSync(root('opt/skein-relay/current'))
    writeFileSync(join(folder, 'packed/defaults.env'), 'another')
    expect(install('--announce-host', 'taken.example')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining(`version ${before} serves again`),
    })
    expect([readlinkSync(root('opt/skein-relay/current')), settings()[0]]).toEqual([before, 'SKEIN_RELAY_ANNOUNCE_HOST=relay.example'])
    expect(readdirSync(root('opt/skein-relay')).toSorted()).toEqual([before, 'current'].toSorted())
  })

  it('[RL20] a last line that has no end keeps to itself', () => {
    expect(install('--announce-host', 'relay.example')).toMatchObject({ status: 0 })
    writeFileSync(root(SETTINGS), '# Mine\nSKEIN_RELAY_ANNOUNCE_HOST=relay.example\nSKEIN_RELAY_WEB=off')
    expect(install('--https')).toMatchObject({ status: 0 })
    expect(settings()).toEqual(['SKEIN_RELAY_ANNOUNCE_HOST=relay.example', 'SKEIN_RELAY_WEB=off', 'SKEIN_RELAY_HTTPS=443', ''])
  })
})
