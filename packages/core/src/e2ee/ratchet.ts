/**
 * The Double Ratchet (Perrin and Marlinspike, rev. 1) as pure steps: state in, state out; a state is never changed in
 * place. The next own ratchet key is made when it is first needed, not on receipt: the keys are the same, and a header
 * with an unknown ratchet key is refused without a Diffie-Hellman while we have not answered. Limits are made for a
 * mesh that reorders by days (ER10 to ER14).
 */
import { SkeinError } from '../errors/index.ts'
import type { Primitives } from '../ports/primitives.ts'
import type { Random } from '../ports/random.ts'
import { sameBytes } from '../wire/codec.ts'
import { chainStep, type RootDerivation } from './key-derivation.ts'

/** Message keys that one message may skip in one chain (ER10): a longer jump waits for what lies between. */
export const MAX_SKIPPED_PER_STEP = 1_000
/** Skipped message keys kept per session (ER11); the oldest go first. 36 bytes each. */
export const MAX_SKIPPED_KEYS = 2_000
/** Age at which a skipped key goes, milliseconds (ER12): mail lives 30 days. */
export const SKIPPED_KEY_LIFETIME_MS = 30 * 86_400_000
/** Closed chains without skipped keys that are remembered, to tell a repeated message from a forged one (ER13). */
const SPENT_CHAINS = 8

export interface KeyPair {
  readonly secret: Uint8Array
  readonly public: Uint8Array
}

export interface SendingChain {
  readonly key: Uint8Array
  readonly headerKey: Uint8Array
  /** Number of the next message. */
  readonly number: number
}

export interface SkippedKey {
  readonly number: number
  readonly key: Uint8Array
  /** When it was skipped, milliseconds since 1970. */
  readonly at: number
}

export interface ReceivingChain {
  readonly remote: Uint8Array
  /** `null` once the sender has said how long the chain was, and it has been followed to its end. */
  readonly key: Uint8Array | null
  readonly headerKey: Uint8Array
  /** Number of the next message that has not been passed. */
  readonly number: number
  readonly skipped: readonly SkippedKey[]
}

export interface RatchetState {
  readonly root: Uint8Array
  /** Our current ratchet key; `null` until the first message goes out in answer to `remote`. */
  readonly own: KeyPair | null
  readonly sending: SendingChain | null
  /** Length of our sending chain before this one. */
  readonly previous: number
  readonly remote: Uint8Array | null
  /** Oldest first. */
  readonly receiving: readonly ReceivingChain[]
}

export interface RatchetContext {
  readonly primitives: Primitives
  readonly random: Random
  readonly deriveRoot: RootDerivation
}

/** Where a message stands in the sender's chains. */
export interface MessagePosition {
  readonly ratchetKey: Uint8Array
  /** `undefined` in a profile that does not say: then old chains stay open. */
  readonly previous: number | undefined
  readonly number: number
}

export interface SendStep {
  readonly state: RatchetState
  readonly position: MessagePosition & { readonly previous: number }
  readonly messageKey: Uint8Array
  readonly headerKey: Uint8Array
}

/** The initiator's first state: knows the responder's signed prekey as its first ratchet key (section 3.3). */
export function initiatorState(secret: Uint8Array, remotePrekey: Uint8Array): RatchetState {
  return { root: secret, own: null, sending: null, previous: 0, remote: remotePrekey, receiving: [] }
}

/** The responder's first state: its signed prekey is its first ratchet key. */
export function responderState(secret: Uint8Array, prekey: KeyPair): RatchetState {
  return { root: secret, own: prekey, sending: null, previous: 0, remote: null, receiving: [] }
}

/** Takes the next message key. @throws SkeinError SESSION_UNKNOWN before a responder has received anything, KEY_REFUSED */
export function ratchetSend(context: RatchetContext, state: RatchetState): SendStep {
  const ready = state.sending === null ? openSendingChain(context, state) : state
  const { sending, own } = ready
  if (sending === null || own === null) throw new SkeinError('SESSION_UNKNOWN', 'This session cannot send yet.')
  const { messageKey, next } = chainStep(context.primitives, sending.key)
  return {
    state: { ...ready, sending: { ...sending, key: next, number: sending.number + 1 } },
    position: { ratchetKey: own.public, previous: ready.previous, number: sending.number },
    messageKey,
    headerKey: sending.headerKey,
  }
}

function openSendingChain({ primitives, random, deriveRoot }: RatchetContext, state: RatchetState): RatchetState {
  if (state.remote === null) return state
  const secret = random.bytes(32)
  const own = { secret, public: primitives.x25519PublicKey(secret) }
  const { root, chain, headerKey } = deriveRoot(state.root, contribute(primitives, secret, state.remote))
  return { ...state, root, own, sending: { key: chain, headerKey, number: 0 } }
}

function contribute(primitives: Primitives, secret: Uint8Array, remote: Uint8Array): Uint8Array {
  const shared = primitives.x25519(secret, remote)
  if (shared === null) throw new SkeinError('KEY_REFUSED', 'A key of the other side contributes nothing.')
  return shared
}

export interface ReceiveStep {
  readonly state: RatchetState
  readonly messageKey: Uint8Array
}

/** What the receiver knows of a message before it is opened. */
export interface Arrival {
  readonly position: MessagePosition
  /** Whether the header verifies under the chain's header key; asked before any key is derived. */
  readonly headerFits: (headerKey: Uint8Array) => boolean
  /** Milliseconds since 1970. */
  readonly now: number
}

/**
 * The key of a message and the state without it. Commit the state only after the message has opened: until then nothing
 * has happened.
 * @throws SkeinError SEAL_BROKEN (header), KEY_USED (repeated, or older than what is kept), TOO_FAR_AHEAD, KEY_REFUSED
 */
export function ratchetReceive(context: RatchetContext, state: RatchetState, arrival: Arrival): ReceiveStep {
  const { position } = arrival
  const known = state.receiving.find(({ remote }) => sameBytes(remote, position.ratchetKey))
  if (known !== undefined) {
    requireHeader(arrival, known.headerKey)
    return takeKey(context, state, { arrival, chain: known })
  }
  const turned = turn(context, state, arrival)
  return takeKey(context, turned.state, { arrival, chain: turned.chain })
}

function requireHeader({ headerFits }: Arrival, headerKey: Uint8Array): void {
  if (!headerFits(headerKey)) throw new SkeinError('SEAL_BROKEN', 'The header of a message does not verify.')
}

/** The Diffie-Hellman step: the other side has a new ratchet key. The chain before is followed to its end first. */
function turn(
  { primitives, deriveRoot }: RatchetContext,
  state: RatchetState,
  arrival: Arrival,
): { readonly state: RatchetState; readonly chain: ReceivingChain } {
  const { position, now } = arrival
  if (state.own === null) throw new SkeinError('SEAL_BROKEN', 'A message carries a ratchet key that cannot be.')
  const { root, chain: key, headerKey } = deriveRoot(state.root, contribute(primitives, state.own.secret, position.ratchetKey))
  requireHeader(arrival, headerKey)
  const receiving = state.receiving.map((chain) =>
    state.remote !== null && sameBytes(chain.remote, state.remote) && position.previous !== undefined
      ? close(primitives, chain, { length: position.previous, now })
      : chain,
  )
  const chain: ReceivingChain = { remote: position.ratchetKey, key, headerKey, number: 0, skipped: [] }
  const previous = state.sending?.number ?? state.previous
  return {
    chain,
    state: { ...state, root, own: null, sending: null, previous, remote: position.ratchetKey, receiving: [...receiving, chain] },
  }
}

function close(primitives: Primitives, chain: ReceivingChain, { length, now }: { length: number; now: number }): ReceivingChain {
  return { ...skipTo(primitives, chain, { number: length, now }), key: null }
}

function skipTo(primitives: Primitives, chain: ReceivingChain, { number, now }: { number: number; now: number }): ReceivingChain {
  if (chain.key === null || number <= chain.number) return chain
  if (number - chain.number > MAX_SKIPPED_PER_STEP) throw new SkeinError('TOO_FAR_AHEAD', 'Too many messages before this one are missing.')
  const skipped = [...chain.skipped]
  let key = chain.key
  for (let at = chain.number; at < number; at += 1) {
    const step = chainStep(primitives, key)
    skipped.push({ number: at, key: step.messageKey, at: now })
    key = step.next
  }
  return { ...chain, key, number, skipped }
}

interface Taking {
  readonly arrival: Arrival
  readonly chain: ReceivingChain
}

function takeKey(context: RatchetContext, state: RatchetState, { arrival, chain }: Taking): ReceiveStep {
  const { number } = arrival.position
  const taken = number < chain.number ? takeSkipped(chain, number) : takeNext(context.primitives, chain, arrival)
  const receiving = state.receiving.map((other) => (other === chain ? taken.chain : other))
  return { messageKey: taken.messageKey, state: { ...state, receiving: forgetOld(receiving, arrival.now) } }
}

interface Taken {
  readonly messageKey: Uint8Array
  readonly chain: ReceivingChain
}

function takeSkipped(chain: ReceivingChain, number: number): Taken {
  const found = chain.skipped.find((skipped) => skipped.number === number)
  if (found === undefined) throw new SkeinError('KEY_USED', 'The key of this message is gone: it was opened before, or is too old.')
  return { messageKey: found.key, chain: { ...chain, skipped: chain.skipped.filter((skipped) => skipped !== found) } }
}

function takeNext(primitives: Primitives, chain: ReceivingChain, { position, now }: Arrival): Taken {
  const reached = skipTo(primitives, chain, { number: position.number, now })
  if (reached.key === null) throw new SkeinError('SEAL_BROKEN', 'A message lies beyond the end of its chain.')
  const { messageKey, next } = chainStep(primitives, reached.key)
  return { messageKey, chain: { ...reached, key: next, number: position.number + 1 } }
}

/** Lets go of skipped keys that are too old or too many, and of chains that have nothing left to give. */
function forgetOld(receiving: readonly ReceivingChain[], now: number): readonly ReceivingChain[] {
  const oldest = now - SKIPPED_KEY_LIFETIME_MS
  if (receiving.length <= SPENT_CHAINS && receiving.every(({ skipped }) => skipped.length === 0)) return receiving
  let excess = receiving.reduce((sum, { skipped }) => sum + skipped.length, 0) - MAX_SKIPPED_KEYS
  const current = receiving.map((chain) => {
    if (excess <= 0 && (chain.skipped[0]?.at ?? now) >= oldest) return chain
    const young = chain.skipped.filter(({ at }) => at >= oldest)
    excess -= chain.skipped.length - young.length
    const dropped = Math.min(young.length, Math.max(0, excess))
    excess -= dropped
    return { ...chain, skipped: young.slice(dropped) }
  })
  return withoutSpent(current)
}

function withoutSpent(receiving: readonly ReceivingChain[]): readonly ReceivingChain[] {
  let spent = receiving.filter(isSpent).length
  if (spent <= SPENT_CHAINS) return receiving
  return receiving.filter((chain) => {
    if (!isSpent(chain) || spent <= SPENT_CHAINS) return true
    spent -= 1
    return false
  })
}

function isSpent({ key, skipped }: ReceivingChain): boolean {
  return key === null && skipped.length === 0
}
