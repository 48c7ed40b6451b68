/** Dials the same endpoints again and again from one local port, while the other side does the same: TCP's simultaneous open. */
import { connect, type Socket } from 'node:net'
import type { Clock } from '@skein/core'
import { DIAL_ROUND_TRIPS, DIAL_TIMEOUT_MS, DIALS_PER_TARGET, REDIAL_AFTER_MS } from './constants.ts'
import type { Endpoint } from './targets.ts'

export interface OpenTogether {
  readonly localPort: number
  readonly clock: Clock
  /** Between the two, ms. */
  readonly roundTrip: number
  /** Ends all dials; sockets that were handed on are not touched. */
  readonly signal: AbortSignal
}

/**
 * Resolves when no dial is left: each target was dialled DIALS_PER_TARGET times, or answered, or `signal` aborted.
 * @param onOpen is handed every socket that opens; nobody has proven who is there
 */
export async function openTogether(
  targets: readonly Endpoint[],
  { localPort, clock, roundTrip, signal }: OpenTogether,
  onOpen: (socket: Socket, target: Endpoint) => void,
): Promise<void> {
  const timeout = Math.max(DIAL_TIMEOUT_MS, DIAL_ROUND_TRIPS * roundTrip)
  const dialAll = async (target: Endpoint): Promise<void> => {
    for (let dials = 0; dials < DIALS_PER_TARGET && !signal.aborted; dials += 1) {
      const socket = await dialOnce(target, { localPort, timeout, signal })
      if (socket !== undefined) return onOpen(socket, target)
      await clock.sleep(REDIAL_AFTER_MS, { signal })
    }
  }
  await Promise.all(targets.map(dialAll))
}

/** `undefined` when it is refused, dropped or given up. */
function dialOnce(
  { host, port }: Endpoint,
  { localPort, timeout, signal }: { readonly localPort: number; readonly timeout: number; readonly signal: AbortSignal },
): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(undefined)
    const socket = connect({ host, port, localPort, noDelay: true, keepAlive: true })
    const limited = AbortSignal.any([signal, AbortSignal.timeout(timeout)])
    const giveUp = (): void => {
      socket.destroy()
      resolve(undefined)
    }
    limited.addEventListener('abort', giveUp, { once: true })
    // For good: whoever is handed the socket may let it wait, and the other side may reset it meanwhile.
    socket.on('error', giveUp)
    socket.once('connect', () => {
      limited.removeEventListener('abort', giveUp)
      resolve(socket)
    })
  })
}
