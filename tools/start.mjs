// `npm start`: a relay and a client on this machine, an invite for the next person, and the user's own client in a window or by a link.
// Starts programs only through bin-level entry points; when it ends, everything that it started has ended.
import { spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { ownHosts } from '../packages/node/dist/client/page/own-hosts.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const CLI = join(root, 'apps', 'cli', 'bundle', 'main.js')
const DESKTOP = join(root, 'apps', 'desktop', 'bundle', 'main.js')
const RELAY = join(root, 'apps', 'relay', 'bundle', 'main.js')
const READY_WITHIN_MS = 30_000
/** Between two questions whether the client has joined: each is a process of its own, ms. */
const LOOK_EVERY_MS = 300
const PORTS = ['http', 'tcp', 'ws', 'webrtc', 'stun', 'stun2', 'reflector']
const dataDir = process.env.SKEIN_START_DIR ?? join(root, '.skein')
const clientDir = join(dataDir, 'client')
/** Addresses under which others on the LAN reach this machine, the best first; loopback when there is none. */
const hosts = [process.env.SKEIN_START_HOST, ...(await ownHosts()), '127.0.0.1'].filter((each) => each !== undefined && each !== '')
const [host, ...others] = [...new Set(hosts)]
const started = []
let isOver = false
/** Resolves when the window has been closed, or Ctrl-C has been pressed; with the reason when a part has ended by itself. */
const end = Promise.withResolvers()
/** Resolves when a link has been printed in place of a window. */
const linked = Promise.withResolvers()
/** A whole group is told at once, and npm passes it on as well: whoever is told twice must not end before the others have ended. */
let told = () => end.resolve()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, (name) => told(name))

/** Resolves with its `ready`; `heard` gets that and every further line. @throws Error of one that ends before, with its `code` */
function start(name, [script, ...args], heard = () => undefined) {
  // Each in a group of its own: Ctrl-C reaches this program alone, which then ends the others in order.
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'], detached: process.platform !== 'win32' })
  started.push(child)
  return new Promise((resolve, reject) => {
    let [last, isReady] = [{}, false]
    const late = setTimeout(() => reject(new Error(`the ${name} did not become ready in time`)), READY_WITHIN_MS)
    createInterface({ input: child.stdout }).on('line', (text) => {
      last = parsed(text)
      heard(last)
      if (last.event !== 'ready') return
      clearTimeout(late)
      isReady = true
      resolve(last)
    })
    // With all that it has said, unlike `exit`.
    child.once('close', (code) => {
      clearTimeout(late)
      const { code: reason, message } = last.error ?? {}
      if (!isReady) reject(Object.assign(new Error(message ?? `the ${name} ended before it was ready`), { code: reason }))
      // Its window has been closed, or it was told to stop.
      else if (name === 'client' && code === 0) end.resolve()
      else end.resolve(new Error(message ?? `the ${name} has ended unexpectedly; see above, and start again`))
    })
  })
}

function parsed(line) {
  try {
    return JSON.parse(line)
  } catch {
    return {}
  }
}

function cli(args, stdio) {
  return spawnSync(process.execPath, [CLI, '--data-dir', clientDir, ...args], { stdio, encoding: 'utf8' })
}

function startRelay(fixed) {
  const data = ['--data-dir', join(dataDir, 'relay')]
  return start('relay', [RELAY, 'run', '--json', ...data, '--host', '0.0.0.0', '--announce-host', host, ...fixed])
}

const anyPorts = PORTS.flatMap((name) => [`--${name}`, '0'])

/** On ports of its own where another program has the usual ones. */
function relayOnFreePorts() {
  return startRelay([]).catch((error) => {
    if (error.code !== 'PORT_IN_USE') throw error
    console.log(`${error.message} Others are taken.\n`)
    return startRelay(anyPorts)
  })
}

/** Where the client has no window, or the one that it said came to nothing, its link is shown. */
function heardFromClient({ event, window, url }) {
  if (event !== 'no-window' && (event !== 'ready' || window === true)) return
  console.log(
    `Your own Skein, in a browser of this computer (the link works once, within two minutes):\n  ${url}\nAnother such link:\n  node ${DESKTOP} --no-window --data-dir ${clientDir}\n`,
  )
  linked.resolve()
}

async function waitUntilJoined() {
  for (const before = Date.now() + READY_WITHIN_MS; Date.now() < before && !isOver; await sleep(LOOK_EVERY_MS))
    if (cli(['status', '--json'], ['ignore', 'pipe', 'ignore']).stdout.includes('"reserved":true')) return
}

/** An invite names one address: which of them others reach, the machine cannot know. */
function sayOthers() {
  const shared = others.filter((each) => each !== '127.0.0.1')
  if (shared.length === 0) return
  console.log(`It leads to ${host}. Does nothing open there, start again with another address of this machine:`)
  console.log(`  SKEIN_START_HOST=${shared[0]} npm start    (${shared.join(', ')})\n`)
}

/** The conversation, in this terminal; without one, until it is told to end. */
function converse() {
  if (!process.stdin.isTTY || isOver) return
  const chat = spawn(process.execPath, [CLI, '--data-dir', clientDir, 'chat'], { stdio: 'inherit' })
  // Ctrl-C reaches it as well, and is its own affair.
  told = (signal) => signal !== 'SIGINT' && chat.kill(signal)
  started.push(chat)
  chat.once('exit', () => end.resolve())
}

const startClient = (...args) => start('client', [DESKTOP, '--json', '--data-dir', clientDir, ...args], heardFromClient)

async function bringUp() {
  const relay = await relayOnFreePorts().catch((error) => {
    if (error.code !== 'STORE_LOCKED') throw error
  })
  if (isOver) return
  if (relay === undefined) {
    console.log('Skein has been started here already; this is another way into it.\n')
    await startClient()
    return
  }
  await startClient('--relay', relay.url)
  await waitUntilJoined()
  if (isOver) return
  console.log(`Relay and client are running. The relay: ${relay.url}\n`)
  cli(['invite'], ['ignore', 'inherit', 'inherit'])
  console.log(
    `\nThe invite opens Skein in any browser of this network. Or, in a terminal:\n  bin/skein up --relay ${relay.url} --data-dir ./second\n  bin/skein add '<invite>' --data-dir ./second\n`,
  )
  sayOthers()
  void linked.promise.then(converse)
}

async function stopAll() {
  isOver = true
  const running = started
    .splice(0)
    .reverse()
    .filter((child) => child.exitCode === null && child.signalCode === null)
  for (const child of running) {
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), 6_000)
    await gone
    clearTimeout(late)
  }
}

bringUp().catch((error) => end.resolve(error))
const reason = await end.promise
if (reason instanceof Error) {
  console.error(`skein: ${reason.message}`)
  process.exitCode = 1
}
await stopAll()
