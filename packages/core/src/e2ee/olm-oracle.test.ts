/** The ratchet steps judged by an implementation that is not ours: with Olm's constants they talk to Olm itself. */
import { createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto'
import Olm from '@matrix-org/olm'
import { base64nopad } from '@scure/base'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Primitives } from '../ports/index.ts'
import {
  type OlmMessage,
  olmContext,
  olmInitiator,
  olmOpen,
  olmResponder,
  olmSeal,
  readMessage,
  readPreKey,
  writePreKey,
} from '../testing/olm-profile.ts'
import { seededRandom } from '../testing/seeded-random.ts'
import { noblePrimitives } from './primitives.ts'
import type { KeyPair, RatchetState } from './ratchet.ts'

const MESSAGES = 10_000
const LOSS = 0.2
/** Steps by which a message may be late: Olm keeps five chains and forty skipped keys, fewer than our limits. */
const WINDOW = 8
/** RFC 8410: PKCS #8 and SPKI headers of 32-byte X25519 keys. */
const PKCS8 = Buffer.from('302e020100300506032b656e04220420', 'hex')
const SPKI = Buffer.from('302a300506032b656e032100', 'hex')

const random = seededRandom(26)
const context = olmContext({ ...noblePrimitives, ...fastX25519() }, random)
const { primitives } = context
const text = { encoder: new TextEncoder(), decoder: new TextDecoder() }

/** Node's own X25519: the portable one alone would take most of a minute here. */
function fastX25519(): Pick<Primitives, 'x25519' | 'x25519PublicKey'> {
  const privateKey = (secret: Uint8Array) => createPrivateKey({ key: Buffer.concat([PKCS8, secret]), format: 'der', type: 'pkcs8' })
  const publicKey = (raw: Uint8Array) => createPublicKey({ key: Buffer.concat([SPKI, raw]), format: 'der', type: 'spki' })
  return {
    x25519: (secret, raw) => new Uint8Array(diffieHellman({ privateKey: privateKey(secret), publicKey: publicKey(raw) })),
    x25519PublicKey: (secret) => new Uint8Array(createPublicKey(privateKey(secret)).export({ format: 'der', type: 'spki' }).subarray(-32)),
  }
}

/** One end of the conversation; `seal` gives `undefined` while this end cannot send yet. */
interface End {
  seal(plaintext: string): OlmMessage | undefined
  open(message: OlmMessage): string
}

function keyPair(): KeyPair {
  const secret = random.bytes(32)
  return { secret, public: primitives.x25519PublicKey(secret) }
}

function share(secret: Uint8Array, publicKey: Uint8Array): Uint8Array {
  const shared = primitives.x25519(secret, publicKey)
  if (shared === null) throw new RangeError('a key contributes nothing')
  return shared
}

function theirs(account: Olm.Account, session: Olm.Session, started: boolean): End {
  let open = started
  return {
    seal: (plaintext) => {
      if (!open) return undefined
      const { type, body } = session.encrypt(plaintext)
      return { type, bytes: base64nopad.decode(body) }
    },
    open: ({ type, bytes }) => {
      const body = base64nopad.encode(bytes)
      if (!open) session.create_inbound(account, body)
      open = true
      return session.decrypt(type, body)
    },
  }
}

/** Our end: `begin` makes the first state out of the first message, `wrap` puts the first flight around until an answer came. */
function ours(options: {
  state?: RatchetState
  begin?: (first: Uint8Array) => RatchetState
  wrap?: (message: Uint8Array) => Uint8Array
}): End {
  let { state, wrap } = options
  return {
    seal: (plaintext) => {
      if (state === undefined) return undefined
      const sealed = olmSeal(context, state, text.encoder.encode(plaintext))
      state = sealed.state
      return wrap === undefined ? { type: 1, bytes: sealed.message } : { type: 0, bytes: wrap(sealed.message) }
    },
    open: ({ type, bytes }) => {
      state ??= options.begin?.(bytes)
      if (state === undefined) throw new RangeError('nothing to begin with')
      const opened = olmOpen(context, state, type === 0 ? readPreKey(bytes).message : bytes)
      state = opened.state
      wrap = undefined
      return text.decoder.decode(opened.plaintext)
    },
  }
}

function account(): { readonly account: Olm.Account; readonly identity: Uint8Array } {
  const made = new Olm.Account()
  made.create()
  return { account: made, identity: base64nopad.decode(JSON.parse(made.identity_keys()).curve25519) }
}

function weBegin(): readonly [End, End] {
  const olm = account()
  olm.account.generate_one_time_keys(1)
  const oneTime: string[] = Object.values(JSON.parse(olm.account.one_time_keys()).curve25519)
  const oneTimeKey = base64nopad.decode(oneTime[0] ?? '')
  const [identity, base, ratchet] = [keyPair(), keyPair(), keyPair()]
  const shares = [share(identity.secret, oneTimeKey), share(base.secret, olm.identity), share(base.secret, oneTimeKey)]
  const wrap = (message: Uint8Array) => writePreKey({ oneTimeKey, baseKey: base.public, identityKey: identity.public, message })
  return [ours({ state: olmInitiator(primitives, shares, ratchet), wrap }), theirs(olm.account, new Olm.Session(), false)]
}

function olmBegins(): readonly [End, End] {
  const olm = account()
  const [identity, oneTime] = [keyPair(), keyPair()]
  const session = new Olm.Session()
  session.create_outbound(olm.account, base64nopad.encode(identity.public), base64nopad.encode(oneTime.public))
  const begin = (first: Uint8Array): RatchetState => {
    const { oneTimeKey, baseKey, identityKey, message } = readPreKey(first)
    expect([oneTimeKey, identityKey]).toEqual([oneTime.public, olm.identity])
    const shares = [share(oneTime.secret, identityKey), share(identity.secret, baseKey), share(oneTime.secret, baseKey)]
    return olmResponder(primitives, shares, readMessage(message).ratchetKey)
  }
  return [ours({ begin }), theirs(olm.account, session, true)]
}

interface Flying {
  readonly due: number
  readonly to: End
  readonly message: OlmMessage
  readonly expected: string
}

/** Sends in random directions, loses and reorders; gives how many messages were delivered and how many of them opened wrongly. */
function converse([a, b]: readonly [End, End]): { readonly sent: number; readonly delivered: number; readonly wrong: readonly string[] } {
  const wrong: string[] = []
  let flying: Flying[] = []
  let [sent, delivered] = [0, 0]
  for (let step = 0; sent < MESSAGES || flying.length > 0; step += 1) {
    const [from, to] = random.uniform() < 0.5 ? [a, b] : [b, a]
    const expected = `message ${sent} ${'·'.repeat(Math.floor(random.uniform() * 40))}`
    const message = sent < MESSAGES ? from.seal(expected) : undefined
    if (message !== undefined) sent += 1
    if (message !== undefined && random.uniform() >= LOSS) flying.push({ due: step + random.uniform() * WINDOW, to, message, expected })
    const arriving = flying.filter(({ due }) => due <= step).toSorted((one, other) => one.due - other.due)
    flying = flying.filter(({ due }) => due > step)
    delivered += arriving.length
    wrong.push(...arriving.flatMap((arrival) => fault(arrival)))
  }
  return { sent, delivered, wrong }
}

function fault({ to, message, expected }: Flying): readonly string[] {
  try {
    return to.open(message) === expected ? [] : [`${expected}: opened as another text`]
  } catch (error) {
    return [`${expected}: ${String(error)}`]
  }
}

describe('the ratchet with the constants of Olm', () => {
  beforeAll(() => Olm.init())

  it.each([
    ['we begin', weBegin],
    ['Olm begins', olmBegins],
  ])(
    'talks to Olm both ways through loss and reorder: %s',
    (_, begin) => {
      const { sent, delivered, wrong } = converse(begin())
      expect(wrong).toEqual([])
      expect(sent).toBe(MESSAGES)
      expect(delivered).toBeGreaterThan(MESSAGES * (1 - LOSS) * 0.95)
    },
    120_000,
  )
})
