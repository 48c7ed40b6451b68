// The shipped programs as processes of their own, and what they cost.
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { connectSocket } from '@skein/node/api'

const CLI = fileURLToPath(new URL('../../../apps/cli/bundle/main.js', import.meta.url))
const RELAY = fileURLToPath(new URL('../../../apps/relay/bundle/main.js', import.meta.url))
/** Clock ticks a second in /proc, on every Linux that Node.js runs on. */
const TICKS = 100

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
export const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]

/** Starts a program, perhaps within a network namespace; resolves with its first line of JSON. */
function started(script, args, within) {
  const command = [process.execPath, script, ...args]
  const [program, ...rest] = within === undefined ? command : ['ip', 'netns', 'exec', within, ...command]
  const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'ignore'] })
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`${script} did not start: ${code}; is it built?`)))
    createInterface({ input: child.stdout }).once('line', (line) => resolve({ child, ready: JSON.parse(line) }))
  })
}

/** @param host where it listens and is found @param within a network namespace */
export async function startRelay(dir, { host = '127.0.0.1', within } = {}) {
  const ports = ['http', 'tcp', 'ws', 'webrtc', 'stun', 'stun2', 'reflector'].flatMap((name) => [`--${name}`, '0'])
  const { child, ready } = await started(RELAY, ['run', '--json', '--data-dir', dir, '--host', host, '--quic', 'off', ...ports], within)
  return { url: ready.url, end: () => child.kill('SIGTERM') }
}

/** Processor time of a process so far, seconds. */
export function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS
}

/** What a process holds now is the most that it has held, from here on. */
export const setPeakBack = (pid) => writeFileSync(`/proc/${pid}/clear_refs`, '5')

/** Most that a process has held in memory since the mark was set back, MB. */
export const peakMb = (pid) => (Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1_024) / 1e6

export async function startClient(dir, { name, relay, within, args = [] }) {
  const { child, ready } = await started(
    CLI,
    ['up', '--json', '--data-dir', dir, '--name', name, '--no-lan', '--relay', relay, ...args],
    within,
  )
  const { api, close } = await connectSocket(dir)
  const end = async () => {
    await close()
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    await gone
  }
  return { name, dir, api, pid: child.pid, account: ready.account, end }
}

/** No transfer here takes longer, however busy the machine is. */
const WITHIN_MS = 300_000

/** @throws Error when it does not come about */
export async function until(what, condition) {
  for (const end = performance.now() + WITHIN_MS; performance.now() < end; await sleep(20)) if (await condition()) return
  throw new Error(`not within ${WITHIN_MS / 60_000} minutes: ${what}`)
}

/** Makes them contacts, waits for a path of this kind, and lets `to` take everything into a folder. */
export async function befriend(from, to, { path, folder }) {
  await until('a place at the relay', async () => (await from.api.status()).relays.every(({ reserved }) => reserved))
  const { invite } = await from.api.invite()
  await to.api.add({ invite })
  await until('contacts', async () => (await from.api.contacts()).contacts.some(({ state }) => state === 'accepted'))
  await until(`a ${path} path`, async () => [path].flat().includes((await from.api.why({ contact: to.name })).path))
  await to.api.autoAccept({ contact: from.name, auto: { max_bytes: 1e13, folder } })
}

/** Sends, and waits until both sides are done. @returns seconds, and the transfer as the recipient sees it */
export async function send(from, to, paths) {
  const over = new AbortController()
  const done = follow(to, over.signal)
  const sent = follow(from, over.signal)
  await Promise.all([done.ready, sent.ready])
  const began = performance.now()
  const { transfers } = await from.api.sendFiles({ contacts: [to.name], paths })
  const wanted = transfers[0].transfer
  const [received] = await Promise.all([done.until(wanted), sent.until(wanted)])
  const seconds = (performance.now() - began) / 1_000
  over.abort()
  if (received.state !== 'done') throw new Error(`${received.state}: ${received.reason}`)
  return { seconds, transfer: received }
}

/** Ends of transfers as a client tells them. */
function follow({ api }, signal) {
  const ended = new Map()
  let wake = () => undefined
  const ready = (async () => {
    const events = await api.events(undefined, { signal })
    void (async () => {
      try {
        for await (const each of events) {
          if (each.event === 'transfer' && ['done', 'failed', 'cancelled'].includes(each.state)) ended.set(each.transfer, each)
          wake()
        }
      } catch {
        // Aborted when it is over.
      }
    })()
    // The stream is open when the first answer has come; events of before are not missed by who asks the state.
    await api.status()
  })()
  return {
    ready,
    until: async (id) => {
      for (const end = performance.now() + WITHIN_MS; !ended.has(id); ) {
        if (performance.now() > end) throw new Error(`a transfer has not ended within ${WITHIN_MS / 60_000} minutes`)
        const known = (await api.transfers()).transfers.find(({ transfer }) => transfer === id)
        if (known !== undefined && ['done', 'failed', 'cancelled'].includes(known.state)) return known
        await Promise.race([new Promise((resolve) => (wake = resolve)), sleep(500)])
      }
      return ended.get(id)
    },
  }
}
