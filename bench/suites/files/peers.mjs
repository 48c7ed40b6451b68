// What people use today, on loopback beside ours: installed from Debian where that can be done without asking anybody.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { delimiter, join } from 'node:path'
import { userInfo } from 'node:os'
import { sleep } from './processes.mjs'

const PACKAGES = [
  'openssh-server',
  'openssh-client',
  'rsync',
  'magic-wormhole',
  'python3-magic-wormhole-mailbox-server',
  'magic-wormhole-transit-relay',
]
/** In no package of Debian 12: used where somebody has put it. */
export const CROC = (process.env.PATH ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'croc'))
  .find((path) => existsSync(path))
const PROGRAMS = ['/usr/sbin/sshd', '/usr/bin/scp', '/usr/bin/rsync', '/usr/bin/wormhole', '/usr/bin/twist3']

export function installPeers() {
  if (PROGRAMS.every((path) => existsSync(path)) || process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const apt = (...args) => spawnSync('apt-get', ['-qq', ...args], { env, stdio: ['ignore', 2, 2], timeout: 300_000 })
  apt('update')
  apt('install', '-y', '--no-install-recommends', ...PACKAGES)
}

/** Versions as the programs tell them; `null` for one that is not here. */
export function versions() {
  const first = (path, ...args) => {
    if (!existsSync(path)) return null
    const { stdout, stderr } = spawnSync(path, args, { encoding: 'utf8' })
    return `${stdout}${stderr}`.trim().split('\n')[0]
  }
  return {
    scp: first('/usr/bin/ssh', '-V'),
    rsync: first('/usr/bin/rsync', '--version'),
    wormhole: first('/usr/bin/wormhole', '--version'),
    croc: CROC === undefined ? null : first(CROC, '--version'),
  }
}

/** A server that runs until it is ended. @throws Error where it is not installed */
function serve(program, args) {
  const path = program.startsWith('/') ? program : `/usr/bin/${program}`
  if (!existsSync(path)) throw new Error(`${path} is not installed`)
  const server = spawn(program, args, { stdio: 'ignore' })
  // Nobody answers at its port then, which is what is looked at.
  server.once('error', () => undefined)
  return server
}

async function freePort() {
  const server = createServer()
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address()
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** @throws Error when nobody answers: the server is ended then */
async function answers(port, server) {
  const { connect } = await import('node:net')
  for (let tries = 0; tries < 1_000; tries += 1) {
    const open = await new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1')
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
      socket.unref()
      setTimeout(() => socket.destroy(), 500).unref()
    })
    if (open) return
    await sleep(50)
  }
  server.kill('SIGTERM')
  throw new Error(`nobody answers at port ${port}`)
}

/** @param onSaid with all that it has said on stderr */
const run = (program, args, { onSaid, ...options } = {}) =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], ...options })
    let said = ''
    child.stderr?.on('data', (part) => {
      said += part
      onSaid?.(said)
    })
    child.once('error', reject)
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`${program}: ${said}`))))
  })

/** @returns a function that copies one path and resolves to seconds, and one that ends the server */
export async function startScp(dir) {
  const place = join(dir, 'ssh')
  mkdirSync(place, { mode: 0o700 })
  mkdirSync('/run/sshd', { recursive: true })
  for (const name of ['host', 'user']) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(place, name)])
  const port = await freePort()
  execFileSync('cp', [join(place, 'user.pub'), join(place, 'authorized')])
  chmodSync(join(place, 'authorized'), 0o600)
  const config = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${place}/host`,
    `AuthorizedKeysFile ${place}/authorized`,
    'StrictModes no',
  ]
  writeFileSync(join(place, 'config'), [...config, 'PidFile none', 'PermitRootLogin yes', 'Subsystem sftp internal-sftp', ''].join('\n'))
  const server = serve('/usr/sbin/sshd', ['-D', '-e', '-f', join(place, 'config')])
  await answers(port, server)
  const options = [
    '-q',
    '-P',
    String(port),
    '-i',
    join(place, 'user'),
    '-o',
    'StrictHostKeyChecking=no',
    '-o',
    'UserKnownHostsFile=/dev/null',
  ]
  const copy = timed((from, to) => run('scp', [...options, '-r', from, `${userInfo().username}@127.0.0.1:${to}`]))
  return { copy, end: () => server.kill('SIGTERM') }
}

export async function startRsync(dir) {
  const port = await freePort()
  const target = join(dir, 'rsync')
  mkdirSync(target)
  writeFileSync(
    join(dir, 'rsyncd.conf'),
    `[to]\npath = ${target}\nread only = no\nuse chroot = no\nuid = ${userInfo().uid}\ngid = ${userInfo().gid}\n`,
  )
  const server = serve('rsync', ['--daemon', '--no-detach', '--address=127.0.0.1', `--port=${port}`, `--config=${dir}/rsyncd.conf`], {
    stdio: 'ignore',
  })
  await answers(port, server)
  const copy = async (from) => {
    rmSync(target, { recursive: true, force: true })
    mkdirSync(target)
    return timed(() => run('rsync', ['-a', from, `rsync://127.0.0.1:${port}/to/`]))()
  }
  return { copy, end: () => server.kill('SIGTERM') }
}

/** With a mailbox and a transit relay of its own on loopback: nothing is asked of the internet. */
export async function startWormhole(dir) {
  const port = await freePort()
  const server = serve('/usr/bin/twist3', [
    'wormhole-mailbox',
    `--port=tcp:${port}:interface=127.0.0.1`,
    `--channel-db=${dir}/mailbox.sqlite`,
  ])
  await answers(port, server)
  const common = ['--relay-url', `ws://127.0.0.1:${port}/v1`, '--transit-helper', 'tcp:127.0.0.1:9']
  const copy = timed(async (from, to) => {
    mkdirSync(to, { recursive: true })
    const code = '7-bench-mark'
    const sending = run('wormhole', [...common, 'send', '--hide-progress', '--code', code, from])
    const receiving = run('wormhole', [...common, 'receive', '--hide-progress', '--accept-file', code], { cwd: to })
    await Promise.all([sending, receiving])
  })
  return { copy, end: () => server.kill('SIGTERM') }
}

/** With a relay of its own on loopback, over which all goes. Who receives before somebody sends is turned away. */
export async function startCroc() {
  const ports = []
  while (ports.length < CROC_PORTS) ports.push(await freePort())
  const server = serve(CROC, ['relay', '--host', '127.0.0.1', '--ports', ports.join(',')])
  await answers(ports[0], server)
  const common = ['--ignore-stdin', '--yes', '--relay', `127.0.0.1:${ports[0]}`]
  const env = { ...process.env, CROC_SECRET: '7000-bench-mark-files' }
  const copy = timed(async (from, to) => {
    mkdirSync(to, { recursive: true })
    const ready = Promise.withResolvers()
    const onSaid = (said) => said.includes('other computer') && ready.resolve()
    const sending = run(CROC, [...common, 'send', '--no-local', from], { env, onSaid })
    sending.then(ready.resolve, ready.reject)
    await ready.promise
    await Promise.all([sending, run(CROC, [...common, '--out', to], { env, cwd: to })])
  })
  return { copy, end: () => server.kill('SIGTERM') }
}

/** One to meet at, the others for what is sent. */
const CROC_PORTS = 5

function timed(work) {
  return async (...args) => {
    const began = performance.now()
    await work(...args)
    return (performance.now() - began) / 1_000
  }
}
