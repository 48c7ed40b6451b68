/** Sessions as bytes at rest: one record per pair of devices, durable before a byte leaves, in no backup. */
import { SkeinError } from '../errors/index.ts'
import { decode, encode } from '../wire/codec.ts'
import { type RatchetRecord, type SessionRecord, SessionsRecord } from '../wire/gen/sealed_pb.ts'
import type { KeyPair, RatchetState, ReceivingChain } from './ratchet.ts'
import type { Session, Sessions } from './session.ts'

const NOTHING = new Uint8Array()

export function encodeSessions(sessions: Sessions): Uint8Array {
  const { list, resetSentAt } = sessions
  const record = { sessions: list.map((session) => ({ ...session, ratchet: recordOf(session.ratchet) })), resetSentAt }
  return encode(SessionsRecord, record, Infinity)
}

function recordOf({ root, own, sending, previous, remote, receiving }: RatchetState): RatchetRecord {
  return {
    root,
    ownSecret: own?.secret ?? NOTHING,
    ownPublic: own?.public ?? NOTHING,
    sending: sending ?? undefined,
    previous,
    remote: remote ?? NOTHING,
    receiving: receiving.map((chain) => ({ ...chain, key: chain.key ?? NOTHING, skipped: [...chain.skipped] })),
  }
}

/** @throws SkeinError STORE_CORRUPT */
export function decodeSessions(bytes: Uint8Array): Sessions {
  try {
    const { sessions, resetSentAt } = decode(SessionsRecord, bytes, Infinity)
    return { list: sessions.map(sessionOf), resetSentAt }
  } catch (cause) {
    throw new SkeinError('STORE_CORRUPT', 'The state of an encrypted session cannot be read.', { cause })
  }
}

function sessionOf({ ratchet, ...session }: SessionRecord): Session {
  if (ratchet === undefined) throw new RangeError('a session without its ratchet')
  return { ...session, ratchet: ratchetOf(ratchet) }
}

function ratchetOf(record: RatchetRecord): RatchetState {
  return {
    root: record.root,
    own: pairOf(record),
    sending: record.sending ?? null,
    previous: record.previous,
    remote: orNull(record.remote),
    receiving: record.receiving.map((chain): ReceivingChain => ({ ...chain, key: orNull(chain.key) })),
  }
}

function pairOf({ ownSecret, ownPublic }: RatchetRecord): KeyPair | null {
  return ownSecret.length === 0 ? null : { secret: ownSecret, public: ownPublic }
}

function orNull(bytes: Uint8Array): Uint8Array | null {
  return bytes.length === 0 ? null : bytes
}
