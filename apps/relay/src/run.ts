/** One run of the relay: parts up, the ready line, parts down within the deadline. */
import type { Logger } from '@skein/core'
import { installRejectionGuard } from '@skein/node/swarm'
import { hostPort } from './config.ts'
import type { RelayConfig } from './config.ts'
import { createLogger } from './log.ts'
import { startRelay } from './relay.ts'
import type { Relay } from './relay.ts'

/** Ms from the signal to the exit, whatever hangs: CLI.md allows 5 s, and WebRTC is known to hang (libp2p.md §4 no. 9). */
const STOP_DEADLINE_MS = 3_500

/** Runs until SIGTERM or SIGINT, then exits the process with 0. @throws SkeinError if a part cannot start */
export async function runRelay(config: RelayConfig): Promise<void> {
  const logger = createLogger(config)
  installRejectionGuard(logger)
  const stopped = nextSignal()
  const onHangup = takeHangups()
  const starting = startRelay(config, logger)
  starting.catch(endSoon)
  const relay = await Promise.race([starting, stopped])
  if (relay === undefined) process.exit(0)
  onHangup(() => reload(relay, logger))
  announce(config, relay)
  logger.info('ready')
  const drained = await Promise.race([stopped, relay.drained])
  if (drained === undefined) await relay.farewell()
  await stopWithin(relay, logger)
  process.exit(0)
}

/** Before there is a relay it is remembered; unhandled it would end the process. @returns who is to be called */
function takeHangups(): (handle: () => void) => void {
  const hangups: { missed: boolean; handle?: () => void } = { missed: false }
  process.on('SIGHUP', () => {
    if (hangups.handle === undefined) hangups.missed = true
    else hangups.handle()
  })
  return (handle) => {
    hangups.handle = handle
    if (hangups.missed) handle()
  }
}

/** A file that is wrong changes nothing: the relay goes on with what it has. */
function reload(relay: Relay, logger: Logger): void {
  try {
    relay.reload()
  } catch (error) {
    logger.error('settings-refused', { meaning: error instanceof Error ? error.message : String(error) })
  }
}

function announce(config: RelayConfig, relay: Relay): void {
  const local = relay.httpPort === undefined ? null : `http://${hostPort('127.0.0.1', relay.httpPort)}`
  const url = relay.url ?? local
  const ready = { event: 'ready', peer_id: relay.peerId, url, addresses: relay.addresses() }
  process.stdout.write(config.json ? `${JSON.stringify(ready)}\n` : `Skein relay is ready at ${url ?? relay.addresses()[0]}\n`)
}

function nextSignal(): Promise<undefined> {
  return new Promise((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => resolve(undefined))
    // Of a program that has started it with a channel to itself, such as the bench, which may die without a word.
    process.once('disconnect', () => resolve(undefined))
  })
}

/** A part that could not start has left nothing behind; should one be wrong about that, the process ends all the same. */
function endSoon(): void {
  setTimeout(() => process.exit(1), STOP_DEADLINE_MS).unref()
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.removeAllListeners(name)
}

async function stopWithin(relay: Relay, logger: Logger): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve('cut-short'), STOP_DEADLINE_MS)
  })
  const done = relay[Symbol.asyncDispose]().then(
    () => 'stopped',
    () => 'stop-failed',
  )
  logger.info(await Promise.race([done, deadline]))
  clearTimeout(timer)
}
