// Runs the laboratory in namespaces of its own: network, mounts, process ids. When it ends, in whatever way, the kernel kills
// every process in it and with them goes every network namespace, interface, rule and file; nothing has to be cleaned up.
import { spawn, spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Programs and the Debian package of each. */
const NEEDED = {
  unshare: 'util-linux',
  nsenter: 'util-linux',
  setpriv: 'util-linux',
  mount: 'mount',
  sysctl: 'procps',
  ip: 'iproute2',
  tc: 'iproute2',
  nft: 'nftables',
}

const SYSTEM_FOLDERS = ['/usr/sbin', '/sbin', '/usr/bin', '/bin']
/** Root's programs are not in everybody's PATH. */
export const PATH = [process.env.PATH ?? '', ...SYSTEM_FOLDERS].join(delimiter)

function mayUse(device) {
  try {
    accessSync(device, constants.R_OK | constants.W_OK)
    return true
  } catch {
    return false
  }
}

export const found = (program) => PATH.split(delimiter).some((folder) => existsSync(join(folder, program)))

/** Whether a command ends well in a sandbox of its own. */
const tryInside = (...command) => spawnSync('unshare', [...namespaces(), ...command], { encoding: 'utf8', env: { ...process.env, PATH } })

/** One sentence that says why the laboratory cannot run here with this delay, or nothing. */
export function missing(delay) {
  if (process.platform !== 'linux') return 'the laboratory needs the network namespaces of Linux'
  const [program] = Object.keys(NEEDED).filter((each) => !found(each))
  if (program !== undefined) return `the program «${program}» is missing; install the package ${NEEDED[program]}`
  const { status, stderr } = tryInside('true')
  if (status !== 0) return `this user may not make network namespaces here (${stderr.trim()}); run it as root`
  return delay > 0 ? missingDelay() : undefined
}

/** Packets are delayed by the kernel's netem, or else by pump.py. */
function missingDelay() {
  if (tryInside('tc', 'qdisc', 'add', 'dev', 'lo', 'root', 'netem', 'delay', '1ms').status === 0) return undefined
  if (!found('python3')) return 'this kernel has no netem, and the program «python3», which stands in for it, is missing'
  if (!mayUse('/dev/net/tun'))
    return 'this kernel has no netem, and /dev/net/tun, which stands in for it, may not be used; run it as root or with --delay 0'
  return undefined
}

/** Without root, a user namespace in which we are root makes the others possible. */
function namespaces() {
  const user = process.getuid() === 0 ? [] : ['--user', '--map-root-user']
  return [...user, '--net', '--mount', '--pid', '--fork', '--kill-child=KILL', '--mount-proc']
}

/** Runs a script inside the sandbox with this Node.js and our stdio; resolves to its exit code. */
export function runInSandbox(script, args) {
  // The parent's death kills unshare, unshare's death kills the first process of the sandbox, and that one's all others.
  const command = ['--pdeathsig', 'KILL', 'unshare', ...namespaces(), process.execPath, script, ...args]
  const child = spawn('setpriv', command, { stdio: 'inherit', env: { ...process.env, PATH } })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(128 + SIGNALS[signal]))
  return new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)))
}

const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 }
