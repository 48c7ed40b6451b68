// Who is who in a simulation: addresses, bundle ids and cure keys follow from numbers and names.
import { createHash } from 'node:crypto'
import { bundleKey, meshAddress } from '@skein/core'

/** Simulations begin at some full hour. */
export const START_MS = 498_000 * 3_600_000

export const sha256 = (bytes) => new Uint8Array(createHash('sha256').update(bytes).digest())
const text = (value) => new TextEncoder().encode(value)

export const addressOf = (node) => meshAddress(text(`tag of ${node}`), { sha256 })

/** Several of one node, as a device has them for its contacts; the first one is that of `addressOf`. */
export const addressesOf = (node, count) => [
  addressOf(node),
  ...Array.from({ length: count - 1 }, (_, at) => addressOf(`${node}, ${at + 1}`)),
]

/** A bundle named `name` with the key that its recipient finds in it. */
export function identityOf(name) {
  const id = createHash('sha256').update(name).digest('hex')
  const cureKey = sha256(text(`cure of ${name}`)).slice(0, 16)
  return { id, key: bundleKey(id), cureKey, lock: createHash('sha256').update(cureKey).digest('hex').slice(0, 32) }
}

/** Size of a ping, in bytes: what `ping` sends. */
const PING_BYTES = 64

export function pingHeader(number, { to, expiresAt }) {
  return { ...identityOf(`ping ${number}`), address: to, expiresAt, priority: 1, bytes: PING_BYTES }
}
