/** What stands between this machine and the internet, found out by questions to the user's own relays (RFC 5780). */
import type { Clock, Random } from '@skein/core'
import { isPublic, mappingOf } from '../punch/index.ts'
import { askStun, ATTRIBUTE, type Datagrams, type Endpoint, resolveStun, type StunAttribute } from '../stun/index.ts'
import { openDatagrams, type OwnDatagrams } from './datagram-socket.ts'

export interface NatView {
  /** Whether UDP gets out and back; `null` where nobody was asked who would have answered. */
  readonly udp: boolean | null
  /**
   * Which outside port another destination gets: `none` without a NAT, `same` whatever the destination, `sequential` the
   * next one, `random` an unforeseeable one; `unknown` when nobody answered, or only one port did.
   */
  readonly mapping: 'none' | 'same' | 'sequential' | 'random' | 'unknown'
  /** Who may answer: only the port that was asked, or others of that host too. */
  readonly filtering: 'strict' | 'open' | 'unknown'
  /** Where the internet sees this machine over UDP; the port is of one socket. */
  readonly seen_as: string | null
  /** Whether two sockets here reach each other by their outside addresses; `null` also where there is no NAT. */
  readonly hairpin: boolean | null
  /** Whether there is an IPv6 address that the whole internet knows. */
  readonly ipv6: boolean
}

export interface ProbeDeps {
  readonly clock: Clock
  readonly random: Random
  /** STUN servers of the user's relays, `stun:host:port`; those of one relay together. */
  readonly stunServers: readonly (readonly string[])[]
  /** Addresses of this machine that are public. */
  readonly ownHosts: readonly string[]
  readonly signal: AbortSignal
  /** Something came that is no answer to anything. */
  readonly onGarbage?: (() => void) | undefined
}

/** Where a server saw the socket that asked it. */
interface Answer {
  readonly server: Endpoint
  readonly seen: Endpoint
}

/** For a packet that comes back from one's own NAT, ms. */
const HAIRPIN_WITHIN_MS = 600
/** CHANGE-REQUEST: answer from the other port (RFC 5780 §7.2). */
const CHANGE_PORT: StunAttribute = { type: ATTRIBUTE.changeRequest, value: Buffer.from([0, 0, 0, 2]) }

export const UNKNOWN_NAT: NatView = { udp: null, mapping: 'unknown', filtering: 'unknown', seen_as: null, hairpin: null, ipv6: false }

/** Never rejects. Sends a dozen small packets, all to the user's own relays but one to itself. */
export async function probeNat(deps: ProbeDeps): Promise<NatView> {
  const ipv6 = deps.ownHosts.some((each) => each.includes(':'))
  const servers = await serversOf(deps)
  const socket = servers.length === 0 ? undefined : await openDatagrams().catch(() => undefined)
  if (socket === undefined) return { ...UNKNOWN_NAT, ipv6 }
  try {
    const answers = await askAll(socket, servers, deps)
    const first = answers.find(({ seen }) => isPublic(seen.host)) ?? answers[0]
    if (first === undefined) return { ...UNKNOWN_NAT, udp: false, ipv6 }
    const { server, seen } = first
    // What sees this machine elsewhere lies on another way out, or in one's own network: its ports are no part of this one's.
    const alike = answers.filter((each) => each.seen.host === seen.host)
    const mapping = mappingAmong(alike, socket, deps.ownHosts)
    // Packets go there: no relay alone decides where that is while there is another one.
    const isAsked = mapping !== 'none' && alike.length === answers.length
    const [filtering, hairpin] = await Promise.all([filteringOf(server, deps), isAsked ? hairpinOf(first, deps) : null])
    return { udp: true, mapping, filtering, seen_as: textOf(seen), hairpin, ipv6 }
  } finally {
    socket.close()
  }
}

/** The first port of each relay, then the second of each: those that are asked first differ in address where they can. */
async function serversOf({ stunServers: groups, clock, signal }: Omit<ProbeDeps, 'ownHosts' | 'random'>): Promise<readonly Endpoint[]> {
  const rounds = Array.from({ length: Math.max(0, ...groups.map((each) => each.length)) }, (_, at) =>
    groups.flatMap((each) => each[at] ?? []),
  )
  const found = await Promise.all(rounds.flat().map((each) => resolveStun(each, { clock, signal })))
  return found.flatMap((each) => each ?? [])
}

/** One after the other: whether ports follow each other can be seen only then. */
async function askAll(socket: Datagrams, servers: readonly Endpoint[], deps: ProbeDeps): Promise<readonly Answer[]> {
  const answers: Answer[] = []
  for (const server of servers) {
    const reply = await askStun(socket, { ...deps, server })
    if (reply !== undefined) answers.push({ server, seen: reply.seen })
  }
  return answers
}

function mappingAmong(answers: readonly Answer[], socket: OwnDatagrams, ownHosts: readonly string[]): NatView['mapping'] {
  const [first, second] = answers.map(({ seen }) => seen)
  if (first === undefined) return 'unknown'
  if (ownHosts.includes(first.host) && first.port === socket.port) return 'none'
  if (second === undefined) return 'unknown'
  return mappingOf(first.port, second.port).mapping
}

/** From a socket of its own, that has asked nobody but the one port. */
async function filteringOf(server: Endpoint, deps: ProbeDeps): Promise<NatView['filtering']> {
  const socket = await openDatagrams()
  try {
    if ((await askStun(socket, { ...deps, server })) === undefined) return 'unknown'
    let isRefused = false
    // A server that has no other port says so.
    const onRefused = (): void => {
      isRefused = true
    }
    const reply = await askStun(socket, { ...deps, server, attributes: [CHANGE_PORT], onRefused })
    if (reply === undefined) return isRefused ? 'unknown' : 'strict'
    return reply.from.port === server.port ? 'unknown' : 'open'
  } finally {
    socket.close()
  }
}

/** Two sockets, of which one sends to where the other is seen. */
async function hairpinOf({ server, seen }: Answer, { clock, random, signal, onGarbage }: ProbeDeps): Promise<boolean | null> {
  const [listening, sending] = [await openDatagrams(), await openDatagrams()]
  try {
    const [target, own] = await Promise.all([listening, sending].map((each) => askStun(each, { server, clock, random, signal, onGarbage })))
    if (target === undefined || own === undefined || target.seen.host !== seen.host) return null
    const nonce = Buffer.from(random.bytes(16))
    const arrived = new AbortController()
    listening.listen((bytes) => (bytes.equals(nonce) ? arrived.abort() : undefined))
    // Both, for a NAT that lets in only whom it was told of.
    listening.send(Buffer.alloc(1), own.seen)
    sending.send(nonce, target.seen)
    await clock.sleep(HAIRPIN_WITHIN_MS, { signal: AbortSignal.any([signal, arrived.signal]) })
    return arrived.signal.aborted
  } finally {
    listening.close()
    sending.close()
  }
}

const textOf = ({ host, port }: Endpoint): string => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`)
