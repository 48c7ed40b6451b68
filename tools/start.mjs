// `npm start`: a relay and a client on this machine, an invite for the next person, and a conversation in the terminal.
// Starts programs only through bin-level entry points; when it ends, everything that it started has ended.
import { spawn, spawnSync } from 'node:child_process'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const CLI = join(root, 'apps', 'cli', 'bundle', 'main.js')
const DESKTOP = join(root, 'apps', 'desktop', 'bundle', 'main.js')
const RELAY = join(root, 'apps', 'relay', 'bundle', 'main.js')
const READY_WITHIN_MS = 30_000
const dataDir = process.env.SKEIN_START_DIR ?? join(root, '.skein')
/** Address under which others on the LAN reach this machine; loopback when there is none. */
const host =
  Object.values(networkInterfaces())
    .flat()
    .find((each) => each?.family === 'IPv4' && !each.internal)?.address ?? '127.0.0.1'
const started = []
/** Resolves when the window, if there is one, has been closed, or Ctrl-C has been pressed. */
const closeWindow = Promise.withResolvers()
/** Resolves with the reason when a part that was ready has ended by itself. */
const broken = Promise.withResolvers()

function start(name, script, args) {
  // Each in a group of its own: Ctrl-C reaches this program alone, which then ends the others in order.
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'], detached: process.platform !== 'win32' })
  started.push(child)
  return new Promise((resolve, reject) => {
    let [text, ready, isWindow] = ['', false, false]
    const late = setTimeout(() => reject(new Error('did not become ready in time')), READY_WITHIN_MS)
    child.once('exit', () => {
      reject(new Error(failureIn(text)))
      if (ready && isWindow) closeWindow.resolve()
      else if (ready) broken.resolve(new Error(`the ${name} has ended unexpectedly; see above, and start again`))
    })
    child.stdout.on('data', (part) => {
      text += part
      if (!text.includes('\n')) return
      clearTimeout(late)
      const line = JSON.parse(text.slice(0, text.indexOf('\n')))
      if (line.event !== 'ready') return
      ready = true
      isWindow = line.window === true
      resolve(line)
    })
  })
}

function failureIn(text) {
  try {
    return JSON.parse(text).error.message
  } catch {
    return 'ended before it was ready'
  }
}

function cli(args, stdio) {
  return spawnSync(process.execPath, [CLI, '--data-dir', join(dataDir, 'client'), ...args], { stdio, encoding: 'utf8' })
}

async function stopAll() {
  const running = started
    .splice(0)
    .reverse()
    .filter((child) => child.exitCode === null && child.signalCode === null)
  for (const child of running) {
    child.removeAllListeners('exit')
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), 6_000)
    await gone
    clearTimeout(late)
  }
}

/** Until the window has been closed, Ctrl-C has been pressed, or a part has ended. */
function untilClosed() {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => closeWindow.resolve())
  return Promise.race([closeWindow.promise, broken.promise])
}

/** The conversation, in this terminal; without one, until it is told to end. */
function converse() {
  if (!process.stdin.isTTY)
    return new Promise((resolve) => {
      // A whole group is told at once, and npm passes it on as well: the second must not end this before the others have ended.
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => resolve())
      broken.promise.then(resolve)
    })
  const chat = spawn(process.execPath, [CLI, '--data-dir', join(dataDir, 'client'), 'chat'], { stdio: 'inherit' })
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => chat.kill(signal))
  process.on('SIGINT', () => undefined)
  return new Promise((resolve) => {
    chat.once('exit', () => resolve())
    broken.promise.then((error) => {
      chat.kill('SIGTERM')
      resolve(error)
    })
  })
}

async function waitUntilJoined() {
  for (const end = Date.now() + READY_WITHIN_MS; Date.now() < end; ) {
    const { stdout } = cli(['status', '--json'], ['ignore', 'pipe', 'ignore'])
    if (stdout.includes('"reserved":true')) return
  }
}

try {
  const fixed =
    process.env.SKEIN_START_PORTS === 'any'
      ? ['http', 'tcp', 'ws', 'webrtc', 'stun', 'stun2', 'reflector'].flatMap((name) => [`--${name}`, '0'])
      : []
  const relay = await start('relay', RELAY, [
    'run',
    '--json',
    '--data-dir',
    join(dataDir, 'relay'),
    '--host',
    '0.0.0.0',
    '--announce-host',
    host,
    ...fixed,
  ])
  const client = ['--json', '--data-dir', join(dataDir, 'client'), '--relay', relay.url]
  const opened = await start('client', DESKTOP, client)
  await waitUntilJoined()
  console.log(`Relay and client are running. The relay: ${relay.url}\n`)
  cli(['invite'], ['ignore', 'inherit', 'inherit'])
  console.log(
    `\nThe invite opens Skein in any browser of this network. Or, in a terminal:\n  bin/skein up --relay ${relay.url} --data-dir ./second\n  bin/skein add '<invite>' --data-dir ./second\n`,
  )
  if (opened.window !== true)
    console.log(
      `Your own Skein, in a browser of this computer (the link works once, within two minutes):\n  ${opened.url}\nAnother such link:\n  node ${DESKTOP} --no-window --data-dir ${join(dataDir, 'client')}\n`,
    )
  const end = opened.window === true ? await untilClosed() : await converse()
  if (end instanceof Error) throw end
} catch (error) {
  console.error(`skein: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
} finally {
  await stopAll()
}
