/** A local TCP port of which one knows where the internet sees it. */
import { connect, isIP, type Socket } from 'node:net'
import type { Random } from '@skein/core'
import { FIRST_PORT, LAST_PORT, MAX_REFLECTION_BYTES, PORT_TRIES, REFLECT_MORE_MS, REFLECT_TIMEOUT_MS } from './constants.ts'
import { ForgedMessage, isForged } from './forged.ts'
import { type Endpoint, isPublic, type MayDial, ownPublicHosts, parseEndpoint } from './targets.ts'

export interface PunchPort {
  /** Nobody listens on it. */
  readonly port: number
  /** Where the other side may dial it. */
  readonly seenAs: readonly Endpoint[]
  /** Ends what keeps the mapping alive. */
  release(): void
}

export interface PunchPortDeps {
  readonly random: Random
  readonly signal: AbortSignal
  /** Which hosts the other side may be told; without it public ones. */
  readonly mayDial?: MayDial | undefined
  /** A reflector has said what cannot be. */
  onForged(): void
}

interface Reflection {
  readonly seen: Endpoint
  readonly socket: Socket
}

/** One reflector is asked. */
interface Question {
  readonly localPort: number
  /** Of the question alone. */
  readonly signal: AbortSignal
  readonly mayDial: MayDial
}

/**
 * Takes a local port and asks the reflectors where they see it. Without any reflector that answers, only addresses before
 * which there is no NAT remain.
 * @param reflectors `host:port`
 * @throws Error when no port is free
 */
export async function openPunchPort(reflectors: readonly string[], deps: PunchPortDeps): Promise<PunchPort> {
  for (let tries = 1; ; tries += 1) {
    const port = FIRST_PORT + Math.floor(deps.random.uniform() * (LAST_PORT - FIRST_PORT))
    try {
      return await openAt(port, reflectors, deps)
    } catch (error) {
      if (tries >= PORT_TRIES || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    }
  }
}

async function openAt(
  port: number,
  reflectors: readonly string[],
  { signal, mayDial = isPublic, onForged }: PunchPortDeps,
): Promise<PunchPort> {
  const enough = new AbortController()
  const limited = AbortSignal.any([signal, enough.signal, AbortSignal.timeout(REFLECT_TIMEOUT_MS)])
  const asking = reflectors
    .flatMap((each) => parseEndpoint(each) ?? [])
    .map((each) => reflect(each, { localPort: port, signal: limited, mayDial }))
  const more = Promise.any(asking).then(() => setTimeout(() => enough.abort(), REFLECT_MORE_MS))
  const asked = await Promise.allSettled(asking)
  clearTimeout(await more.catch(() => undefined))
  for (const each of asked) if (each.status === 'rejected' && isForged(each.reason)) onForged()
  const reflections = asked.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
  const inUse = asked.find((each) => each.status === 'rejected' && (each.reason as NodeJS.ErrnoException).code === 'EADDRINUSE')
  if (inUse?.status === 'rejected') {
    for (const { socket } of reflections) socket.destroy()
    throw inUse.reason
  }
  const seen = reflections.map((each) => each.seen)
  const own = ownPublicHosts().map((host) => ({ host, port }))
  const seenAs = [...new Map([...seen, ...own].map((each) => [`${each.host} ${each.port}`, each])).values()]
  const release = (): void => {
    for (const { socket } of reflections) socket.destroy()
  }
  return { port, seenAs, release }
}

/** The connection stays half open until it is released: a NAT may forget the mapping of one that has closed. */
function reflect({ host, port }: Endpoint, { localPort, signal, mayDial }: Question): Promise<Reflection> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, localPort, allowHalfOpen: true })
    const fail = (error: Error): void => {
      socket.destroy()
      reject(error)
    }
    const giveUp = (): void => fail(new Error('the reflector does not answer'))
    signal.addEventListener('abort', giveUp, { once: true })
    let text = ''
    socket.setNoDelay(true)
    socket.on('error', fail)
    socket.on('close', () => reject(new Error('the reflector said nothing')))
    const hear = (bytes: Buffer): void => {
      text += bytes.toString('latin1')
      const end = text.indexOf('\n')
      if (end < 0 && text.length <= MAX_REFLECTION_BYTES) return
      const seen = seenIn(text.slice(0, Math.max(0, end)), mayDial)
      if (seen instanceof Error) {
        fail(seen)
        return
      }
      signal.removeEventListener('abort', giveUp)
      // Who goes on talking is no reflector, and would fill the memory.
      socket.off('data', hear).on('data', () => socket.destroy())
      resolve({ seen, socket })
    }
    socket.on('data', hear)
  })
}

/** What no reflector of ours says is told apart from what is of no use: one on the own network sees private addresses. */
function seenIn(line: string, mayDial: MayDial): Endpoint | Error {
  const seen = parseEndpoint(line)
  if (seen === undefined || isIP(seen.host) === 0) return new ForgedMessage('the reflector speaks another language')
  return mayDial(seen.host) ? seen : new Error('the reflector sees an address that nobody else can dial')
}
