// The operator's command as root: what it does itself is seen by what it asks of others. They are stood in for, and its folder of
// data is another one; the script is the real one.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const SCRIPT = readFileSync(new URL('operator-command.sh', import.meta.url), 'utf8')
/** Says what it was asked, and what came in; asked for a backup it gives one, where there is a relay. */
const RELAY = `#!/bin/sh
echo "relay $*" >>"$SAID"
case "$*" in
  *restore*) ! read -r in || { echo "$in" >>"$SAID"; [ "$in" = old ] && : >"$SKEIN_RELAY_DATA_DIR/identity.seed"; } ;;
  *backup*) [ -e "$SKEIN_RELAY_DATA_DIR/identity.seed" ] || { echo '{"error":1}'; exit 1; }; printf whole ;;
esac
`

let folder
const place = (name) => join(folder, name)
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'skein-operator-'))
  for (const name of ['bin', 'data']) mkdirSync(place(name))
  const program = (name, text) => writeFileSync(place(name), text, { mode: 0o755 })
  program('bin/id', '#!/bin/sh\necho 0\n')
  program('bin/setpriv', '#!/bin/sh\nshift 5\nexec "$@"\n')
  program('bin/systemctl', '#!/bin/sh\necho "systemctl $*" >>"$SAID"\n')
  program('skein-relay', RELAY)
  program('command.sh', SCRIPT.replace('data=/var/lib/skein-relay', `data=${place('data')}`))
  writeFileSync(place('defaults.env'), '')
  writeFileSync(place('data/identity.seed'), '')
  writeFileSync(place('old.backup'), 'old\n')
})
afterEach(() => rmSync(folder, { recursive: true }))

/** @returns what it printed, and what it had others do */
function ask(...args) {
  const env = {
    PATH: `${place('bin')}:${process.env.PATH}`,
    SKEIN_RELAY_APP: folder,
    SKEIN_RELAY_SETTINGS: '/nowhere',
    SAID: place('said'),
  }
  const { status, stdout, stderr } = spawnSync('sh', [place('command.sh'), ...args], { env, encoding: 'utf8' })
  const said = existsSync(place('said')) ? readFileSync(place('said'), 'utf8').split('\n').slice(0, -1) : []
  rmSync(place('said'), { force: true })
  return { status, stdout, stderr, said }
}

describe.skipIf(process.platform === 'win32')('the command of an operator', () => {
  it('[RL17] writes a backup with the rights of the caller, wherever the options stand', () => {
    expect(ask('backup', place('a "b".backup'))).toMatchObject({ status: 0, stdout: `file: ${place('a "b".backup')}\n` })
    for (const args of [
      ['--json', 'backup', place('1 "x"')],
      ['backup', '--json', place('2 "x"')],
      ['backup', place('3 "x"'), '--json'],
    ]) {
      const { status, stdout, said } = ask(...args)
      const file = args.find((each) => each.startsWith(folder))
      expect([status, JSON.parse(stdout), said]).toEqual([0, { file, bytes: 5 }, ['relay --json backup -']])
      expect(readFileSync(file, 'utf8')).toBe('whole')
    }
    const { status, stdout, said } = ask('--json', 'backup', place('1 "x"'))
    expect([status, JSON.parse(stdout).error.code, said]).toEqual([2, 'USAGE', []])
    rmSync(place('data/identity.seed'))
    expect(ask('--json', 'backup', place('none'))).toMatchObject({ status: 1, stdout: '{"error":1}\n' })
    expect(existsSync(place('none'))).toBe(false)
  })

  it('[RL17] stops a relay that is to be replaced, and no other', () => {
    const [looks, stops, starts] = ['is-active --quiet', 'stop', 'start'].map((verb) => `systemctl ${verb} skein-relay`)
    const file = place('old.backup')
    expect(ask('--json', 'restore', '--replace', file).said).toEqual([looks, stops, 'relay --json restore --replace -', 'old', starts])
    expect(ask('restore', file, '--replace').said).toEqual([looks, stops, 'relay restore --replace -', 'old', starts])
    expect(ask('restore', file).said).toEqual(['relay restore -', 'old'])
    rmSync(place('data/identity.seed'))
    expect(ask('restore', file).said).toEqual([looks, stops, 'relay restore -', 'old', starts])
    rmSync(place('data/identity.seed'))
    writeFileSync(place('damaged'), 'no backup\n')
    expect(ask('restore', place('damaged'))).toMatchObject({ status: 1, said: [looks, stops, 'relay restore -', 'no backup'] })
    expect(ask('restore', place('missing'))).toMatchObject({ status: 2, said: [], stderr: expect.stringContaining('cannot be read') })
  })

  it('[RL20] leaves everything else to the program', () => {
    for (const args of [
      ['backup', '-'],
      ['restore', '--replace', '-'],
      ['--json', 'status'],
      ['restore'],
      ['backup', 'a', 'b'],
      ['backup', '--help'],
    ])
      expect(ask(...args).said).toEqual([`relay ${args.join(' ')}`])
  })
})
