/** What the swarm wants to know about libp2p's connections: whose, by what way, and which of several to use. */
import type { Connection, PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { Multiaddr } from '@multiformats/multiaddr'
import { type Clock, type DeviceId, parseDeviceId, type PeerPath } from '@skein/core'
import type { NetworkChange } from '../platform/network-change.ts'
import { SETTLED_MS } from './constants.ts'

/** When connections were opened, by the clock that nobody sets. */
const openedAt = new WeakMap<Connection, number>()

/** When they came into use, for people: after the handshake, and what takes the place of a lesser one once it has carried something. */
const usedSince = new WeakMap<Connection, number>()

export function markOpen(connection: Connection, clock: Clock): void {
  openedAt.set(connection, clock.monotonic())
  markInUse(connection, clock)
}

export function markInUse(connection: Connection, clock: Clock): void {
  usedSince.set(connection, clock.now())
}

/** Whether it is too old to have come of the same dials as one that opens now. */
export function isSettled(connection: Connection, clock: Clock): boolean {
  return clock.monotonic() - (openedAt.get(connection) ?? Number.NEGATIVE_INFINITY) > SETTLED_MS
}

/** How the sockets under connections came about whose address does not tell; by the address object of the connection. */
const punched = new WeakSet<Multiaddr>()

/** A connection with this address came of a hole that both sides punched. */
export function markPunched(address: Multiaddr): void {
  punched.add(address)
}

export function isPunched({ remoteAddr }: Connection): boolean {
  return punched.has(remoteAddr)
}

/** Connections that have been asked whether they live, and have not answered yet. */
const doubted = new WeakSet<Connection>()

export function markDoubted(connection: Connection, isDoubted: boolean): void {
  if (isDoubted) doubted.add(connection)
  else doubted.delete(connection)
}

export function isDoubted(connection: Connection): boolean {
  return doubted.has(connection)
}

/** Connections that are to take the place of a lesser one, and have not carried anything yet. */
const unproven = new WeakSet<Connection>()

export function markUnproven(connection: Connection, isUnproven: boolean): void {
  if (isUnproven) unproven.add(connection)
  else unproven.delete(connection)
}

export function isUnproven(connection: Connection): boolean {
  return connection.status === 'open' && unproven.has(connection)
}

/** Circuits over relays that go away. */
const leaving = new WeakSet<Connection>()

/** Something else is used from now on, if there is anything else. */
export function markLeaving(connection: Connection): void {
  leaving.add(connection)
}

/** The connection beneath, which the library does not show; of TCP it has a socket. */
interface Beneath {
  readonly maConn?: { readonly socket?: { readonly localAddress?: string } }
}

/** The address of this machine that a connection over TCP comes from, without a zone; `undefined` for other transports. */
function localHostOf(connection: Connection): string | undefined {
  return (connection as Connection & Beneath).maConn?.socket?.localAddress?.replace(/^::ffff:|%.*$/gi, '')
}

/**
 * Whether a connection comes from an address that this machine has no more. One that cannot tell where it comes from, of WebRTC or a hole of
 * UDP, is made anew sooner than it would be found dead, unless the way out is the same: then it is asked. Circuits end with their relay's.
 */
export function isLeftBehind(connection: Connection, change: NetworkChange): boolean {
  const local = localHostOf(connection)
  return local === undefined ? mayBeLeftBehind(connection, change) && !change.isSameWay : !change.present.has(local)
}

/** Whether an address has gone, and a connection cannot tell whether it is its own. */
export function mayBeLeftBehind(connection: Connection, { hasLost }: NetworkChange): boolean {
  return hasLost && localHostOf(connection) === undefined && !isRelayedConnection(connection)
}

/** Protocols the library or we run on every connection; a connection with nothing else may be closed. */
const INCIDENTAL = [/^\/ipfs\/(id|ping)\//, /^\/(meshsub|floodsub)\//, /^\/skein\/kad\//]

/** `undefined` for a peer whose key is not Ed25519, which no device of ours has. */
export function deviceOf(peer: PeerId): DeviceId | undefined {
  try {
    return parseDeviceId(peer.toString())
  } catch {
    return undefined
  }
}

export function peerOf(device: DeviceId): PeerId {
  return peerIdFromString(device)
}

/** Behind the relay, if one is on the way: how it is reached says nothing of how the device is. */
function lastLeg(address: string): string {
  return address.split('/p2p-circuit').at(-1) ?? address
}

/**
 * Whether traffic passes a relay. Not by `limits`, which our own relays do not set, and not by "contains p2p-circuit",
 * which is also true of WebRTC that was only arranged over a relay (notes/nat.md §7 no. 8).
 */
export function isRelayed(address: string): boolean {
  return address.includes('/p2p-circuit') && !lastLeg(address).includes('/webrtc')
}

export function isRelayedConnection(connection: Connection): boolean {
  return isRelayed(connection.remoteAddr.toString())
}

/** The transport of an address as people know it. */
export function transportOf(address: string): string {
  if (isRelayed(address)) return 'circuit'
  const own = lastLeg(address)
  return ['webrtc-direct', 'webrtc', 'wss', 'ws', 'tcp', 'udp'].find((name) => new RegExp(`/${name}(/|$)`).test(own)) ?? 'other'
}

/** Whether both sides agree that the connection stays when both have dialled: the one of the smaller peer id. */
export function isDialledBySmaller(connection: Connection, self: DeviceId): boolean {
  return (connection.direction === 'outbound') === self < connection.remotePeer.toString()
}

export function isBusy(connection: Connection): boolean {
  return connection.streams.some(({ protocol }) => protocol !== '' && !INCIDENTAL.some((each) => each.test(protocol)))
}

/** Whether this side has opened something of its own on it, or is about to. */
export function isTakenFromHere(connection: Connection): boolean {
  return connection.streams.some(({ direction, protocol }) => direction === 'outbound' && !INCIDENTAL.some((each) => each.test(protocol)))
}

/** Best first; both sides must choose the same of two that stand. */
const TRANSPORTS = ['tcp', 'udp', 'ws', 'wss', 'webrtc-direct', 'webrtc', 'other', 'circuit']

/** On the local network, farther away, or over a relay: 0, 1, 2. */
function wayOf(connection: Connection): number {
  const address = connection.remoteAddr.toString()
  return isRelayed(address) ? 2 : isNear(address) && !isPunched(connection) ? 0 : 1
}

/** Whether traffic is to move from the one to the other. */
export function isBetterWay(connection: Connection, than: Connection): boolean {
  return wayOf(connection) < wayOf(than)
}

/**
 * The best open connection: unproven ones last, before them doubted and leaving ones; by way, by transport, then the one that
 * will stay, then the oldest.
 */
export function pickConnection(connections: readonly Connection[], self: DeviceId): Connection | undefined {
  const standing = (each: Connection): number => (unproven.has(each) ? 2 : doubted.has(each) || leaving.has(each) ? 1 : 0)
  const rank = (each: Connection): number =>
    ((standing(each) * 3 + wayOf(each)) * TRANSPORTS.length + TRANSPORTS.indexOf(transportOf(each.remoteAddr.toString()))) * 2 +
    (isDialledBySmaller(each, self) ? 0 : 1)
  return connections.filter(({ status }) => status === 'open').sort((a, b) => rank(a) - rank(b) || a.timeline.open - b.timeline.open)[0]
}

/** Connections to one peer that double the one that stays, by the rule both sides follow. */
export function surplusConnections(connections: readonly Connection[], self: DeviceId): readonly Connection[] {
  const open = connections.filter(({ status }) => status === 'open')
  return [true, false].flatMap((relayed) => {
    const alike = open.filter((each) => isRelayedConnection(each) === relayed)
    const stays = pickConnection(alike, self)
    return alike.filter((each) => each !== stays && !unproven.has(each))
  })
}

/** Whether an address lies on a local network, by its number. */
export function isNear(address: string): boolean {
  if (address.includes('/p2p-circuit')) return false
  return /^(\/ip6zone\/[^/]+)?\/(ip4\/(127|10|192\.168|169\.254|172\.(1[6-9]|2\d|3[01]))\.|ip6\/(::1|fe80|f[cd]))/.test(address)
}

export interface PathNotes {
  readonly rttMs?: number | undefined
  /** Whether it goes through a port that a router has opened. */
  readonly isMapped: boolean
}

export function pathOf(device: DeviceId, connection: Connection, { rttMs, isMapped }: PathNotes): PeerPath {
  const address = connection.remoteAddr.toString()
  const path = isPunched(connection) ? 'punched' : isRelayed(address) ? 'relayed' : isNear(address) ? 'lan' : isMapped ? 'mapped' : 'direct'
  const since = usedSince.get(connection) ?? connection.timeline.open
  return { device, path, transport: transportOf(address), rttMs: rttMs ?? connection.rtt ?? null, since }
}

/** Nothing for a peer that is no device: one whose key is not Ed25519. */
export function withDevice(peer: PeerId, run: (device: DeviceId) => void): void {
  const device = deviceOf(peer)
  if (device !== undefined) run(device)
}

/** `undefined` for an address of something else than WebSocket over IPv4. */
export function portOfWebSocket(address: string): number | undefined {
  const port = /^\/ip4\/[^/]+\/tcp\/(\d+)\/ws(\/|$)/.exec(address)?.[1]
  return port === undefined ? undefined : Number(port)
}
