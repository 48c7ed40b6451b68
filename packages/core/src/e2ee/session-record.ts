/** Sessions as bytes at rest: one record per pair of devices, durable before a byte leaves, in no backup. */
import { SkeinError } from '../errors/index.ts'
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { type RatchetRecord, type SessionRecord, SessionsRecordSchema } from '../wire/gen/sealed_pb.ts'
import type { KeyPair, RatchetState, ReceivingChain } from './ratchet.ts'
import type { Session, Sessions } from './session.ts'

const NOTHING = new Uint8Array()

export function encodeSessions(sessions: Sessions): Uint8Array {
  const record = {
    sessions: sessions.list.map((session) => ({
      ...withoutFirst(session),
      createdAt: BigInt(session.createdAt),
      ratchet: ratchetInit(session.ratchet),
    })),
    resetSentAt: BigInt(sessions.resetSentAt),
  }
  return toBinary(SessionsRecordSchema, create(SessionsRecordSchema, record))
}

function withoutFirst({ first, ...session }: Session): Omit<Session, 'first'> | Session {
  return first === undefined ? session : { ...session, first }
}

function ratchetInit({ root, own, sending, previous, remote, receiving }: RatchetState) {
  return {
    root,
    ownSecret: own?.secret ?? NOTHING,
    ownPublic: own?.public ?? NOTHING,
    ...(sending === null ? {} : { sending: { ...sending } }),
    previous,
    remote: remote ?? NOTHING,
    receiving: receiving.map((chain) => ({
      ...chain,
      key: chain.key ?? NOTHING,
      skipped: chain.skipped.map((skipped) => ({ ...skipped, at: BigInt(skipped.at) })),
    })),
  }
}

/** @throws SkeinError STORE_CORRUPT */
export function decodeSessions(bytes: Uint8Array): Sessions {
  try {
    const { sessions, resetSentAt } = fromBinary(SessionsRecordSchema, bytes)
    return { list: sessions.map(sessionOf), resetSentAt: Number(resetSentAt) }
  } catch (cause) {
    throw new SkeinError('STORE_CORRUPT', 'The state of an encrypted session cannot be read.', { cause })
  }
}

function sessionOf({ id, createdAt, initiated, first, ratchet, retired }: SessionRecord): Session {
  if (ratchet === undefined) throw new RangeError('a session without its ratchet')
  return { id, createdAt: Number(createdAt), initiated, first, ratchet: ratchetOf(ratchet), retired }
}

function ratchetOf(record: RatchetRecord): RatchetState {
  const { sending } = record
  return {
    root: record.root,
    own: pairOf(record),
    sending: sending === undefined ? null : { key: sending.key, headerKey: sending.headerKey, number: sending.number },
    previous: record.previous,
    remote: orNull(record.remote),
    receiving: record.receiving.map(
      ({ remote, key, headerKey, number, skipped }): ReceivingChain => ({
        remote,
        key: orNull(key),
        headerKey,
        number,
        skipped: skipped.map((entry) => ({ number: entry.number, key: entry.key, at: Number(entry.at) })),
      }),
    ),
  }
}

function pairOf({ ownSecret, ownPublic }: RatchetRecord): KeyPair | null {
  return ownSecret.length === 0 ? null : { secret: ownSecret, public: ownPublic }
}

function orNull(bytes: Uint8Array): Uint8Array | null {
  return bytes.length === 0 ? null : bytes
}
