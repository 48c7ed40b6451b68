/** Two devices with sessions between them, without a network or a store: for tests of the encryption steps. */
import { bundleOf, prekeyPair } from '../e2ee/prekeys.ts'
import { noblePrimitives } from '../e2ee/primitives.ts'
import { rootDerivation } from '../e2ee/key-derivation.ts'
import {
  NO_SESSIONS,
  openIn,
  type Opened,
  type PairContext,
  pairIdentities,
  parseMessage,
  type PrekeyLookup,
  sealIn,
  sendingSession,
  type Sessions,
  startSession,
} from '../e2ee/session.ts'
import { SkeinError } from '../errors/index.ts'
import type { Primitives } from '../ports/primitives.ts'
import type { Random } from '../ports/random.ts'
import type { StoredPrekey } from '../ports/store.ts'
import type { PrekeyBundleFields } from '../wire/sealed.ts'

export interface EndKeys {
  readonly own: PairContext['own']
  readonly prekey: StoredPrekey
  readonly bundle: PrekeyBundleFields
}

export function makeEnd(random: Random, primitives: Primitives = noblePrimitives): EndKeys {
  const [accountSeed, deviceSeed, dhSecret] = [random.bytes(32), random.bytes(32), random.bytes(32)]
  const own = {
    accountKey: primitives.ed25519PublicKey(accountSeed),
    deviceKey: primitives.ed25519PublicKey(deviceSeed),
    dhKey: primitives.x25519PublicKey(dhSecret),
    dhSecret,
  }
  const prekey = { id: 7, secret: random.bytes(32), kemSeed: random.bytes(64), createdAt: 1_000, supersededAt: null }
  return { own, prekey, bundle: bundleOf(primitives, prekey, own.deviceKey) }
}

/** One end of a pair; `now` may be moved. Sessions are replaced as a whole, so a test can keep and restore them. */
export class End {
  readonly keys: EndKeys
  sessions: Sessions = NO_SESSIONS
  now = 1_000_000
  private readonly remote: EndKeys
  private readonly random: Random
  private readonly primitives: Primitives
  private readonly fixed: Pick<PairContext, 'identities' | 'deriveRoot'>

  constructor(keys: EndKeys, remote: EndKeys, { random, primitives = noblePrimitives }: { random: Random; primitives?: Primitives }) {
    this.keys = keys
    this.remote = remote
    this.random = random
    this.primitives = primitives
    this.fixed = { identities: pairIdentities(primitives, keys.own, remote.own), deriveRoot: rootDerivation(primitives) }
  }

  context(): PairContext {
    const { primitives, random, now } = this
    return { ...this.fixed, primitives, random, now, own: this.keys.own, remote: this.remote.own }
  }

  seal(plaintext: Uint8Array): Uint8Array {
    const context = this.context()
    const ready = sendingSession(this.sessions) === undefined ? startSession(context, this.sessions, this.remote) : this.sessions
    const session = sendingSession(ready)
    if (session === undefined) throw new Error('no session to send in')
    const { sessions, message } = sealIn(context, ready, { session, plaintext })
    this.sessions = sessions
    return message
  }

  /** What opening would give, without taking it over. */
  tryOpen(message: Uint8Array): Opened {
    return openIn(this.context(), this.sessions, { message: parseMessage(message), prekeys: this.lookup })
  }

  open(message: Uint8Array): Uint8Array {
    const { sessions, plaintext } = this.tryOpen(message)
    this.sessions = sessions
    return plaintext
  }

  private readonly lookup: PrekeyLookup = ({ prekeyId }) => {
    const { prekey } = this.keys
    if (prekeyId !== prekey.id) throw new SkeinError('PREKEY_UNKNOWN', 'A first message uses a prekey that is gone.')
    return { signedPrekey: prekeyPair(this.primitives, prekey), kemSeed: prekey.kemSeed, oneTimeSecret: undefined }
  }
}

export function makePair(random: Random, primitives?: Primitives): readonly [End, End] {
  const [a, b] = [makeEnd(random, primitives), makeEnd(random, primitives)]
  const using = primitives === undefined ? { random } : { random, primitives }
  return [new End(a, b, using), new End(b, a, using)]
}
