// What infra/install.sh does to the settings of a relay, in a folder in place of a system: programs of that system are stood in
// for, the script is the real one. On a real Debian it runs in e2e/relay-service.long.test.ts.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
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
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'skein-install-'))
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
  return spawnSync('sh', [SCRIPT, ...options], { env, encoding: 'utf8' })
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

  it('[RL20] a last line that has no end keeps to itself', () => {
    expect(install('--announce-host', 'relay.example')).toMatchObject({ status: 0 })
    writeFileSync(root(SETTINGS), '# Mine\nSKEIN_RELAY_ANNOUNCE_HOST=relay.example\nSKEIN_RELAY_WEB=off')
    expect(install('--https')).toMatchObject({ status: 0 })
    expect(settings()).toEqual(['SKEIN_RELAY_ANNOUNCE_HOST=relay.example', 'SKEIN_RELAY_WEB=off', 'SKEIN_RELAY_HTTPS=443', ''])
  })
})
