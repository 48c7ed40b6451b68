// What the tests need from the system and npm has not: Chromium, and the tools of the network laboratory. Installed where
// that can be done without asking anybody: as root on a Debian-like system, which is what CI's containers are. Elsewhere
// the test itself says what is missing.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
/** A mirror that does not answer must not hold a test run for ever. */
const WITHIN_MS = 300_000

function apt(...args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  // Everything to stderr: the last line of stdout is the count of tests.
  return spawnSync('apt-get', ['-qq', '-o', 'Dpkg::Use-Pty=0', ...args], { env, stdio: ['ignore', 2, 2], timeout: WITHIN_MS }).status === 0
}

const mayInstall = () => process.platform === 'linux' && process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')

/** Programs of the network laboratory (infra/natlab) and the package of each. */
const NETWORK_TOOLS = {
  ip: 'iproute2',
  tc: 'iproute2',
  nft: 'nftables',
  sysctl: 'procps',
  python3: 'python3',
  miniupnpd: 'miniupnpd-nftables',
}
const SYSTEM_FOLDERS = ['/usr/sbin', '/sbin', '/usr/bin', '/bin']

/** Installs what the network laboratory needs and can be had. Never throws. */
export function ensureNetworkTools() {
  const absent = Object.entries(NETWORK_TOOLS).filter(([program]) => !SYSTEM_FOLDERS.some((folder) => existsSync(`${folder}/${program}`)))
  const packages = [...new Set(absent.map(([, name]) => name))]
  if (packages.length === 0 || !mayInstall()) return
  process.stderr.write(`skein: installing ${packages.join(', ')} for the network laboratory (once)\n`)
  const done = apt('update') && apt('install', '-y', '--no-install-recommends', ...packages)
  if (!done) process.stderr.write(`skein: ${packages.join(', ')} could not be installed\n`)
}

/** Programs that make packages of the desktop program, by the kind of package (infra/packaging). */
const PACKAGERS = { deb: ['/usr/bin/dpkg-deb', 'dpkg'], nsis: ['/usr/bin/makensis', 'nsis'] }

/** Installs what makes packages of these kinds and can be had. Never throws. */
export function ensurePackagers(kinds) {
  const absent = kinds.flatMap((kind) => (PACKAGERS[kind] !== undefined && !existsSync(PACKAGERS[kind][0]) ? [PACKAGERS[kind][1]] : []))
  if (absent.length === 0 || !mayInstall()) return
  process.stderr.write(`skein: installing ${absent.join(', ')} to make packages (once)\n`)
  if (!(apt('update') && apt('install', '-y', '--no-install-recommends', ...absent)))
    process.stderr.write(`skein: ${absent.join(', ')} could not be installed\n`)
}

/** Installs Chromium when there is none and it can be had. Never throws. */
export function ensureChromium() {
  if (!mayInstall()) return
  if (process.env.SKEIN_CHROMIUM || CHROMIUM.some((path) => existsSync(path))) return
  process.stderr.write('skein: installing Chromium for the browser tests (once)\n')
  const done = apt('update') && apt('install', '-y', '--no-install-recommends', 'chromium')
  if (!done) process.stderr.write('skein: Chromium could not be installed\n')
}

/** Installs an authority for certificates of tests, where there is none and it can be had. @returns whether there is one */
export function ensurePebble() {
  const programs = ['/usr/bin/pebble', '/usr/bin/pebble-challtestsrv']
  const isThere = () => programs.every((path) => existsSync(path))
  if (isThere() || !mayInstall()) return isThere()
  process.stderr.write('skein: installing pebble for the test of certificates (once)\n')
  return apt('update') && apt('install', '-y', '--no-install-recommends', 'pebble') && isThere()
}
