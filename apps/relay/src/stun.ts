/** STUN on UDP: tells a device under which address the world sees it, on one port or two (RFC 8489, RFC 5780 in part). */
import { createSocket } from 'node:dgram'
import type { RemoteInfo, Socket } from 'node:dgram'
import { isIP, isIPv6 } from 'node:net'
import type { Port } from './config.ts'
import { openPort } from './port-in-use.ts'
import { SEEN_NONCE_BYTES, SeenTokens } from './seen-tokens.ts'
import {
  ATTRIBUTE,
  BINDING_ERROR,
  BINDING_REQUEST,
  BINDING_SUCCESS,
  encodeAddress,
  encodeStun,
  encodeXorAddress,
  parseStun,
} from '@skein/node/swarm'
import type { Endpoint, StunAttribute, StunMessage } from '@skein/node/swarm'

/** First type that a server may ignore when it does not know it (RFC 8489 §14). */
const OPTIONAL_FROM = 0x8000
/** USERNAME, MESSAGE-INTEGRITY, PRIORITY, USE-CANDIDATE: of ICE, without meaning for a server that checks no credentials. */
const HARMLESS: ReadonlySet<number> = new Set([0x0006, 0x0008, 0x0024, 0x0025])
const CHANGE_IP = 0x04
const CHANGE_PORT = 0x02

export interface StunServer extends AsyncDisposable {
  /** Ports in use, the first one first. */
  readonly ports: readonly number[]
  /** Answered requests since the start. */
  requests(): number
  /** Datagrams since the start that were no questions, and got no answer. */
  refused(): number
}

export interface StunOptions {
  readonly host: string
  readonly stun: Port
  readonly stun2: Port
  /** IP address put into OTHER-ADDRESS; without one the attribute is left out. */
  readonly publicAddress?: string | undefined
  /** For tokens; kept over restarts. */
  readonly secret: Uint8Array
  /** A datagram was no question. */
  onUnreadable(): void
}

export interface AnswerContext {
  readonly from: Endpoint
  /** The second endpoint of this server, if it has one. */
  readonly other?: Endpoint | undefined
  readonly canChangePort: boolean
  readonly tokens?: SeenTokens
}

export interface StunAnswer {
  readonly bytes: Buffer
  readonly fromOtherPort: boolean
}

/** The answer to one datagram; `undefined` for everything that is no binding request. */
export function answerStun(bytes: Buffer, context: AnswerContext): StunAnswer | undefined {
  const request = parseStun(bytes)
  if (request === undefined || request.type !== BINDING_REQUEST) return undefined
  const change = request.attributes.find((each) => each.type === ATTRIBUTE.changeRequest)
  const flags = change?.value.at(3) ?? 0
  const canChange = context.canChangePort && (flags & CHANGE_IP) === 0
  const unknown = request.attributes.map((each) => each.type).filter((type) => isUnknown(type, canChange))
  if (unknown.length > 0) return { bytes: refuse(request, unknown), fromOtherPort: false }
  return { bytes: succeed(request, context), fromOtherPort: (flags & CHANGE_PORT) !== 0 }
}

function isUnknown(type: number, canChange: boolean): boolean {
  if (type === ATTRIBUTE.changeRequest) return !canChange
  return type < OPTIONAL_FROM && !HARMLESS.has(type)
}

function succeed({ transaction, attributes: asked }: StunMessage, { from, other, tokens }: AnswerContext): Buffer {
  const attributes: StunAttribute[] = [{ type: ATTRIBUTE.xorMappedAddress, value: encodeXorAddress(from, transaction) }]
  if (other !== undefined) attributes.push({ type: ATTRIBUTE.otherAddress, value: encodeAddress(other) })
  if (tokens !== undefined) attributes.push(...seenAttributes(asked, from, tokens))
  return encodeStun({ type: BINDING_SUCCESS, transaction, attributes })
}

/** A token for where the request came from, or whether a token that somebody shows is genuine. */
function seenAttributes(asked: readonly StunAttribute[], from: Endpoint, tokens: SeenTokens): StunAttribute[] {
  const shown = (type: number): Buffer | undefined => asked.find((each) => each.type === type)?.value
  const [nonce, token, host] = [ATTRIBUTE.seenNonce, ATTRIBUTE.seenToken, ATTRIBUTE.seenHost].map(shown)
  if (nonce?.length !== SEEN_NONCE_BYTES) return []
  if (token === undefined || host === undefined) return [{ type: ATTRIBUTE.seenToken, value: tokens.tokenFor(nonce, plainHost(from.host)) }]
  const genuine = tokens.isGenuine(token, nonce, host.toString('latin1'))
  return [{ type: ATTRIBUTE.seenVerdict, value: Buffer.from([genuine ? 1 : 0]) }]
}

/** IPv4 on a socket of both families. */
const plainHost = (host: string): string => host.replace(/^::ffff:/i, '')

/** Error 420 (RFC 8489 §14.8, §14.9). */
function refuse({ transaction }: StunMessage, unknown: readonly number[]): Buffer {
  const list = Buffer.alloc(unknown.length * 2)
  for (const [index, type] of unknown.entries()) list.writeUInt16BE(type, index * 2)
  const attributes = [
    { type: ATTRIBUTE.errorCode, value: Buffer.from([0, 0, 4, 20]) },
    { type: ATTRIBUTE.unknownAttributes, value: list },
  ]
  return encodeStun({ type: BINDING_ERROR, transaction, attributes })
}

/** @throws SkeinError PORT_IN_USE */
export async function startStun(options: StunOptions): Promise<StunServer> {
  const wanted = [options.stun, options.stun2].filter((each) => each !== 'off')
  const sockets = await bindAll(options.host, wanted)
  const ports = sockets.map((each) => each.address().port)
  const tokens = new SeenTokens(options.secret)
  let [requests, refused] = [0, 0]
  sockets.forEach((socket, index) => {
    const other = sockets[1 - index]
    socket.on('message', (bytes, from) => {
      const answer = answerStun(bytes, { ...contextOf(from, { other, publicAddress: options.publicAddress }), tokens })
      if (answer === undefined) {
        refused++
        options.onUnreadable()
        return
      }
      requests++
      send(answer.fromOtherPort && other !== undefined ? other : socket, answer.bytes, from)
    })
  })
  return { ports, requests: () => requests, refused: () => refused, [Symbol.asyncDispose]: async () => closeAll(sockets) }
}

function contextOf(
  from: RemoteInfo,
  { other, publicAddress }: { other: Socket | undefined; publicAddress: string | undefined },
): AnswerContext {
  const endpoint = { host: from.address, port: from.port }
  const known = other !== undefined && publicAddress !== undefined && isIP(publicAddress) !== 0
  return {
    from: endpoint,
    canChangePort: other !== undefined,
    other: known ? { host: publicAddress, port: other.address().port } : undefined,
  }
}

function send(socket: Socket, bytes: Buffer, to: RemoteInfo): void {
  // A datagram that cannot be sent is a lost datagram: clients repeat their request.
  socket.send(bytes, to.port, to.address, () => undefined)
}

/** All of them or none: one that cannot be bound leaves no other behind, which would keep the process alive. */
async function bindAll(host: string, ports: readonly number[]): Promise<readonly Socket[]> {
  const sockets: Socket[] = []
  try {
    for (const port of ports) sockets.push(await bind(host, port))
    return sockets
  } catch (error) {
    closeAll(sockets)
    throw error
  }
}

async function bind(host: string, port: number): Promise<Socket> {
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
  await openPort(socket, { port, start: () => socket.bind(port, host) })
  // Such as "connection refused" for an earlier answer: nothing to do about it.
  socket.on('error', () => undefined)
  return socket
}

function closeAll(sockets: readonly { close(): unknown }[]): void {
  for (const socket of sockets) socket.close()
}
