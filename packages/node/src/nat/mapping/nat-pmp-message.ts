/** NAT Port Mapping Protocol (RFC 6886 §3), for TCP. */

const ANSWER = 0x80
const OPCODE_ADDRESS = 0
const OPCODE_TCP = 2
const ADDRESS_LENGTH = 12
const MAP_LENGTH = 16

export type PmpAnswer<T> = ({ readonly kind: 'done' } & T) | { readonly kind: 'refused'; readonly code: number }

/** §3.2 */
export function encodeAddressRequest(): Buffer {
  return Buffer.from([0, OPCODE_ADDRESS])
}

/** @returns nothing for what is no answer to it */
export function decodeAddress(bytes: Buffer): PmpAnswer<{ readonly host: string }> | undefined {
  const code = codeIn(bytes, OPCODE_ADDRESS)
  if (code === undefined) return undefined
  if (code !== 0) return { kind: 'refused', code }
  return bytes.length < ADDRESS_LENGTH ? undefined : { kind: 'done', host: [...bytes.subarray(8, 12)].join('.') }
}

/** §3.3; a lifetime of 0 takes the mapping back, and the outside port must be 0 then (§3.4). */
export function encodeTcpMap({
  port,
  wanted,
  lifetimeS,
}: {
  readonly port: number
  readonly wanted: number
  readonly lifetimeS: number
}): Buffer {
  const bytes = Buffer.alloc(12)
  bytes.set([0, OPCODE_TCP])
  bytes.writeUInt16BE(port, 4)
  bytes.writeUInt16BE(lifetimeS === 0 ? 0 : wanted, 6)
  bytes.writeUInt32BE(lifetimeS, 8)
  return bytes
}

/** @returns nothing for what is no answer to it */
export function decodeTcpMap(bytes: Buffer, port: number): PmpAnswer<{ readonly port: number; readonly lifetimeS: number }> | undefined {
  const code = codeIn(bytes, OPCODE_TCP)
  if (code === undefined) return undefined
  if (code !== 0) return { kind: 'refused', code }
  if (bytes.length < MAP_LENGTH || bytes.readUInt16BE(8) !== port) return undefined
  return { kind: 'done', port: bytes.readUInt16BE(10), lifetimeS: bytes.readUInt32BE(12) }
}

/** The result code of an answer to this opcode. */
function codeIn(bytes: Buffer, opcode: number): number | undefined {
  const isAnswer = bytes.length >= 8 && bytes[0] === 0 && bytes[1] === (ANSWER | opcode)
  return isAnswer ? bytes.readUInt16BE(2) : undefined
}
