// A Debian package: the program with its own Node.js below /usr/lib/skein, the commands, and an entry for desktops.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { version } from './stage.mjs'

const CONTROL = `Package: skein
Version: ${version}
Architecture: amd64
Maintainer: Skein <skein@localhost>
Section: net
Priority: optional
Depends: libc6, libstdc++6, libatomic1
Recommends: chromium | google-chrome-stable | microsoft-edge-stable
Description: peer-to-peer messenger
 Messages from device to device, sealed on the way; relays that anybody can run.
`
const ENTRY = `[Desktop Entry]
Type=Application
Name=Skein
Comment=Messages from device to device
Exec=skein-desktop %u
Icon=skein
Terminal=false
Categories=Network;InstantMessaging;
MimeType=x-scheme-handler/skein;
`
const command = (script) => `#!/bin/sh\nexec /usr/lib/skein/node /usr/lib/skein/${script} "$@"\n`

function put(root, path, content, mode = 0o644) {
  const file = join(root, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, content, { mode })
}

export function makeDeb({ staged, work, output, node }) {
  const root = join(work, 'deb')
  rmSync(root, { recursive: true, force: true })
  cpSync(staged, join(root, 'usr/lib/skein'), { recursive: true })
  cpSync(node, join(root, 'usr/lib/skein/node'))
  cpSync(join(staged, 'ui/icon-512.png'), join(root, 'usr/share/icons/hicolor/512x512/apps/skein.png'))
  put(root, 'DEBIAN/control', CONTROL)
  put(root, 'usr/share/applications/skein.desktop', ENTRY)
  put(root, 'usr/bin/skein-desktop', command('bundle/main.js'), 0o755)
  put(root, 'usr/bin/skein', command('cli/main.js'), 0o755)
  const done = spawnSync('dpkg-deb', ['--build', '--root-owner-group', '-Zxz', '-z3', root, output], { stdio: ['ignore', 2, 2] })
  if (done.status !== 0) throw new Error('dpkg-deb could not make the package')
  return output
}
