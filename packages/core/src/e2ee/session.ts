/**
 * The sessions of one pair of devices: pure steps over at most five of them (ES1 to ES8). Both sides may begin at once;
 * both sessions then live, each side sends in the one with the lower id, and opens what comes in any.
 */
import { SkeinError } from '../errors/index.ts'
import type { Primitives } from '../ports/primitives.ts'
import {
  decodeRatchetHeader,
  decodeSessionMessage,
  encodeFirstFlight,
  encodeRatchetHeader,
  encodeSessionMessage,
  type FirstFlightFields,
  HEADER_RANDOM_BYTES,
  type PrekeyBundleFields,
  type RatchetHeaderFields,
  type SessionMessageFields,
} from '../wire/sealed.ts'
import type { OneTimePrekey } from '../wire/handover.ts'
import { concat } from './key-derivation.ts'
import { initiate, respond } from './pqxdh.ts'
import {
  initiatorState,
  type KeyPair,
  type RatchetContext,
  ratchetReceive,
  ratchetSend,
  type RatchetState,
  responderState,
} from './ratchet.ts'
import { headerFits, headerTag, openUnder, sealUnder } from './sealing.ts'

/** Sessions kept per pair of devices (ES3); retired ones go first, then the oldest. */
export const MAX_SESSIONS = 5

export interface Session {
  /** 32 bits out of the agreed secret. */
  readonly id: number
  readonly createdAt: number
  readonly initiated: boolean
  /** Goes with every message until the other side has answered. */
  readonly first: FirstFlightFields | undefined
  readonly ratchet: RatchetState
  /** Receives only: the other side has started anew. */
  readonly retired: boolean
}

export interface Sessions {
  readonly list: readonly Session[]
  /** When we last asked the other side to start anew, milliseconds since 1970; 0 if never. */
  readonly resetSentAt: number
}

export const NO_SESSIONS: Sessions = { list: [], resetSentAt: 0 }

/** Public identity of one end: account key, device key (Ed25519) and device DH key (X25519), 32 bytes each. */
export interface EndIdentity {
  readonly accountKey: Uint8Array
  readonly deviceKey: Uint8Array
  readonly dhKey: Uint8Array
}

/** Digests of who the two ends are (EB5), 32 bytes each; the same for every message of the pair. */
export interface PairIdentities {
  /** Of a session that this side began. */
  readonly initiated: Uint8Array
  /** Of one that the other side began. */
  readonly answered: Uint8Array
}

/** The two ends as this side sees them, and what it computes with. */
export interface PairContext extends RatchetContext {
  readonly own: EndIdentity & { readonly dhSecret: Uint8Array }
  readonly remote: EndIdentity
  readonly identities: PairIdentities
  /** Milliseconds since 1970. */
  readonly now: number
}

/** Our private keys behind a first flight. */
export interface OwnPrekeys {
  readonly signedPrekey: KeyPair
  readonly kemSeed: Uint8Array
  readonly oneTimeSecret: Uint8Array | undefined
}

const LABEL = new TextEncoder().encode('skein e2ee v1\0')

export function pairIdentities(primitives: Primitives, own: EndIdentity, remote: EndIdentity): PairIdentities {
  return { initiated: identitiesOf(primitives, own, remote), answered: identitiesOf(primitives, remote, own) }
}

/** SHA-256 over the suite's label, then account key, device key and DH key of the initiator, then of the responder (EB5). */
function identitiesOf(primitives: Primitives, initiator: EndIdentity, responder: EndIdentity): Uint8Array {
  const parts = [initiator, responder].flatMap(({ accountKey, deviceKey, dhKey }) => [accountKey, deviceKey, dhKey])
  return primitives.sha256(concat(LABEL, ...parts))
}

interface Binding {
  readonly initiated: boolean
  readonly first: FirstFlightFields | undefined
  readonly header: Uint8Array
}

/** A header has 69 bytes at most. */
const MAX_HEADER_BYTES = 69
/** Made once: nothing that is written here is secret, and it is read before the step that wrote it returns. */
const associatedRoom = new Uint8Array(32 + MAX_HEADER_BYTES)

/** What is authenticated with a message: who speaks, the first flight if it goes along, the header. A flight and a header begin with different bytes. */
function associatedWith({ identities }: PairContext, { initiated, first, header }: Binding): Uint8Array {
  const digest = initiated ? identities.initiated : identities.answered
  if (first !== undefined) return concat(digest, encodeFirstFlight(first), header)
  if (header.length > MAX_HEADER_BYTES) return concat(digest, header)
  associatedRoom.set(digest)
  associatedRoom.set(header, digest.length)
  return associatedRoom.subarray(0, digest.length + header.length)
}

/** The session to send in: the lowest id among those that are not retired (ES2); `undefined` when one must be started. */
export function sendingSession({ list }: Sessions): Session | undefined {
  let lowest: Session | undefined
  for (const session of list) if (!session.retired && session.id < (lowest?.id ?? Number.POSITIVE_INFINITY)) lowest = session
  return lowest
}

/** The public keys that a session is started with. */
export interface StartingKeys {
  readonly bundle: PrekeyBundleFields
  /** Good for one session, if the owner has handed out one. */
  readonly oneTime?: OneTimePrekey | undefined
}

/** Starts a session towards the owner of the prekeys. @throws SkeinError KEY_REFUSED */
export function startSession(context: PairContext, sessions: Sessions, { bundle, oneTime }: StartingKeys): Sessions {
  const { own, remote, now } = context
  const begun = initiate(context, {
    identitySecret: own.dhSecret,
    remote: { identity: remote.dhKey, signedPrekey: bundle.signedPrekey, kemKey: bundle.kemKey, oneTime: oneTime?.key },
    identities: context.identities.initiated,
  })
  const session: Session = {
    id: begun.sessionId,
    createdAt: now,
    initiated: true,
    first: { ephemeralKey: begun.ephemeralKey, kemCiphertext: begun.kemCiphertext, prekeyId: bundle.prekeyId, oneTimeId: oneTime?.id ?? 0 },
    ratchet: initiatorState(begun.secret, bundle.signedPrekey),
    retired: false,
  }
  return withSession(sessions, session)
}

/** Retires every session, so that the next message starts a new one (ES6). */
export function retireAll(sessions: Sessions): Sessions {
  return { ...sessions, list: sessions.list.map((session) => ({ ...session, retired: true })) }
}

function withSession(sessions: Sessions, session: Session): Sessions {
  const others = sessions.list.filter(({ id }) => id !== session.id)
  if (others.length < MAX_SESSIONS) return { ...sessions, list: [...others, session] }
  const leaving = others.find(({ retired }) => retired) ?? others[0]
  return { ...sessions, list: [...others.filter((other) => other !== leaving), session] }
}

function replaced(sessions: Sessions, session: Session): Sessions {
  return { ...sessions, list: sessions.list.map((other) => (other.id === session.id ? session : other)) }
}

/** The session without its first flight: the other side has it. */
export function answered(sessions: Sessions, session: Session): Sessions {
  return replaced(sessions, { ...session, first: undefined })
}

/** Seals `plaintext` in `session`. @throws SkeinError SESSION_UNKNOWN, KEY_REFUSED */
export function sealIn(
  context: PairContext,
  sessions: Sessions,
  { session, plaintext }: { session: Session; plaintext: Uint8Array },
): {
  readonly sessions: Sessions
  readonly message: Uint8Array
} {
  const { primitives } = context
  const { state, position, messageKey, headerKey } = ratchetSend(context, session.ratchet)
  const random = context.random.bytes(HEADER_RANDOM_BYTES)
  const header = encodeRatchetHeader({ ...position, session: session.id, random })
  const { initiated, first } = session
  const bound = { random, associated: associatedWith(context, { initiated, first, header }) }
  const message = encodeSessionMessage({
    header,
    headerTag: headerTag(primitives, headerKey, bound),
    ciphertext: sealUnder(primitives, messageKey, { ...bound, plaintext }),
    first,
  })
  return { sessions: replaced(sessions, { ...session, ratchet: state }), message }
}

export interface Opened {
  readonly sessions: Sessions
  readonly plaintext: Uint8Array
  /** Ephemeral key of the first flight that made a new session here; to be remembered against replay (EB8). */
  readonly flight: Uint8Array | undefined
}

/** Finds our private keys for a first flight. @throws SkeinError PREKEY_UNKNOWN, REPLAYED */
export type PrekeyLookup = (first: FirstFlightFields) => OwnPrekeys

/** A message as it came, taken apart but not believed. */
export interface ParsedMessage {
  readonly parsed: SessionMessageFields
  readonly header: RatchetHeaderFields
}

/** @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
export function parseMessage(bytes: Uint8Array): ParsedMessage {
  const parsed = decodeSessionMessage(bytes)
  return { parsed, header: decodeRatchetHeader(parsed.header) }
}

/** The session that a message names, if it is known here. */
export function sessionOf({ list }: Sessions, { header }: ParsedMessage): Session | undefined {
  return list.find(({ id }) => id === header.session)
}

/**
 * Opens a message of the remote device. Nothing changes unless it opens.
 * @throws SkeinError SESSION_UNKNOWN, PREKEY_UNKNOWN, REPLAYED, KEY_REFUSED, SEAL_BROKEN, KEY_USED, TOO_FAR_AHEAD
 */
export function openIn(
  context: PairContext,
  sessions: Sessions,
  { message, prekeys }: { message: ParsedMessage; prekeys: PrekeyLookup },
): Opened {
  const { parsed, header } = message
  const known = sessionOf(sessions, message)
  if (known !== undefined) return { ...openWith(context, sessions, { session: known, parsed, header }), flight: undefined }
  if (parsed.first === undefined) throw new SkeinError('SESSION_UNKNOWN', 'A message belongs to a session that is not known here.')
  const session = answer(context, parsed.first, prekeys(parsed.first))
  if (session.id !== header.session) throw new SkeinError('SEAL_BROKEN', 'A first message does not agree with its keys.')
  const grown = withSession(superseded(sessions), session)
  return { ...openWith(context, grown, { session, parsed, header }), flight: parsed.first.ephemeralKey }
}

/** Who starts anew although we had an answered session with it has lost its state: what is older only receives (ES5). */
function superseded(sessions: Sessions): Sessions {
  return { ...sessions, list: sessions.list.map((session) => (session.first === undefined ? { ...session, retired: true } : session)) }
}

function answer({ primitives, own, remote, identities, now }: PairContext, first: FirstFlightFields, prekeys: OwnPrekeys): Session {
  const { secret, sessionId } = respond(primitives, {
    ...prekeys,
    identitySecret: own.dhSecret,
    remoteIdentity: remote.dhKey,
    ephemeralKey: first.ephemeralKey,
    kemCiphertext: first.kemCiphertext,
    identities: identities.answered,
  })
  return {
    id: sessionId,
    createdAt: now,
    initiated: false,
    first: undefined,
    ratchet: responderState(secret, prekeys.signedPrekey),
    retired: false,
  }
}

interface Opening {
  readonly session: Session
  readonly parsed: SessionMessageFields
  readonly header: RatchetHeaderFields
}

function openWith(context: PairContext, sessions: Sessions, { session, parsed, header }: Opening): Omit<Opened, 'flight'> {
  const { primitives, now } = context
  const binding = { initiated: session.initiated, first: parsed.first, header: parsed.header }
  const bound = { random: header.random, associated: associatedWith(context, binding) }
  const { state, messageKey } = ratchetReceive(context, session.ratchet, {
    position: header,
    headerFits: (key) => headerFits(primitives, key, { ...bound, tag: parsed.headerTag }),
    now,
  })
  const plaintext = openUnder(primitives, messageKey, { ...bound, ciphertext: parsed.ciphertext })
  return { plaintext, sessions: replaced(sessions, { ...session, ratchet: state, first: undefined }) }
}
