/** Seals the columns that hold keys before they reach a database, whichever that is. */
import {
  type Primitives,
  type Random,
  SkeinError,
  type StoredIdentity,
  type StoredOneTimePrekey,
  type StoredPrekey,
  type StoredSession,
  type StoredTransfer,
} from '@skein/core'

/** Length of a storage key, in bytes. */
export const STORAGE_KEY_BYTES = 32
/** First byte of what is sealed; another form gets another number. */
const FORM = 1
/** Length of a nonce of ChaCha20-Poly1305 (RFC 8439), in bytes. */
const NONCE_BYTES = 12
const TAG_BYTES = 16
/** What sealing adds, in bytes. */
export const SEAL_OVERHEAD = 1 + NONCE_BYTES + TAG_BYTES
const LABEL = 'skein/store/1'

/** Where a sealed value belongs. It opens nowhere else: neither in another row or column nor under another version. */
interface Cell {
  readonly table: string
  readonly column: string
  readonly row: string | number
  readonly version?: number
}

interface Keys {
  readonly rows: Uint8Array
  readonly invites: Uint8Array
  readonly inviteNonces: Uint8Array
}

const text = new TextEncoder()

function deriveKeys({ hkdfSha256 }: Pick<Primitives, 'hkdfSha256'>, key: Uint8Array): Keys {
  const derived = (purpose: string): Uint8Array => hkdfSha256(key, new Uint8Array(), text.encode(`${LABEL}/${purpose}`), STORAGE_KEY_BYTES)
  return { rows: derived('rows'), invites: derived('invites'), inviteNonces: derived('invite-nonces') }
}

/** JSON, because its quoting keeps names and keys of rows apart whatever they hold. */
function associated({ table, column, row, version }: Cell): Uint8Array {
  return text.encode(JSON.stringify([LABEL, table, column, row, version ?? null]))
}

type SealPrimitives = Pick<Primitives, 'aeadSeal' | 'aeadOpen' | 'hkdfSha256' | 'hmacSha256'>

/**
 * One storage key's view of the rows. Nonces are random: after 2^32 sealings, far more than a device's messages in
 * its life, two are equal with a probability of 2^-33.
 */
export class RowSeal {
  private readonly primitives: SealPrimitives
  private readonly random: Pick<Random, 'bytes'>
  private readonly keys: Keys

  /** @param key 32 bytes; not needed any more afterwards */
  constructor(primitives: SealPrimitives, random: Pick<Random, 'bytes'>, key: Uint8Array) {
    if (key.length !== STORAGE_KEY_BYTES) throw new SkeinError('STORE_CORRUPT', 'The storage key of the data directory is damaged.')
    this.primitives = primitives
    this.random = random
    this.keys = deriveKeys(primitives, key)
  }

  sealIdentity(identity: StoredIdentity): StoredIdentity {
    return this.eachOfIdentity(identity, (cell, value) => this.seal(cell, value))
  }

  /** @throws SkeinError STORE_CORRUPT, as every method that opens */
  openIdentity(identity: StoredIdentity): StoredIdentity {
    return this.eachOfIdentity(identity, (cell, value) => this.open(cell, value))
  }

  private eachOfIdentity(identity: StoredIdentity, change: (cell: Cell, value: Uint8Array) => Uint8Array): StoredIdentity {
    const { accountSeed, deviceSeed, dhSecret, createdAt } = identity
    const column = (name: string, value: Uint8Array): Uint8Array => change({ table: 'identity', column: name, row: 1 }, value)
    return {
      accountSeed: column('account_seed', accountSeed),
      deviceSeed: column('device_seed', deviceSeed),
      dhSecret: column('dh_secret', dhSecret),
      createdAt,
    }
  }

  sealPrekey(prekey: StoredPrekey): StoredPrekey {
    const { id: row, secret, kemSeed } = prekey
    const table = 'prekeys'
    return {
      ...prekey,
      secret: this.seal({ table, column: 'secret', row }, secret),
      kemSeed: this.seal({ table, column: 'kem_seed', row }, kemSeed),
    }
  }

  openPrekey(prekey: StoredPrekey): StoredPrekey {
    const { id: row, secret, kemSeed } = prekey
    const table = 'prekeys'
    return {
      ...prekey,
      secret: this.open({ table, column: 'secret', row }, secret),
      kemSeed: this.open({ table, column: 'kem_seed', row }, kemSeed),
    }
  }

  sealOneTimePrekey(prekey: StoredOneTimePrekey): StoredOneTimePrekey {
    return { ...prekey, secret: this.seal(oneTimeCell(prekey), prekey.secret) }
  }

  openOneTimePrekey(prekey: StoredOneTimePrekey): StoredOneTimePrekey {
    return { ...prekey, secret: this.open(oneTimeCell(prekey), prekey.secret) }
  }

  /** The version belongs to the seal: an older state does not open as the newer one. */
  sealSession(session: StoredSession): StoredSession {
    return { ...session, state: this.seal(sessionCell(session), session.state) }
  }

  openSession(session: StoredSession): StoredSession {
    return { ...session, state: this.open(sessionCell(session), session.state) }
  }

  /**
   * Always the same bytes for the same secret, because they are what the row is found by: the nonce is made from the
   * secret, as in RFC 5297, so that two secrets never share one.
   */
  sealInvite(secret: Uint8Array): Uint8Array {
    const nonce = this.primitives.hmacSha256(this.keys.inviteNonces, secret).subarray(0, NONCE_BYTES)
    return packed(nonce, this.primitives.aeadSeal(this.keys.invites, nonce, secret, text.encode(LABEL)))
  }

  openInvite(sealed: Uint8Array): Uint8Array {
    return this.unpack(this.keys.invites, sealed, text.encode(LABEL)) ?? unopened('invites')
  }

  /** An invite of somebody else's that is still to be proven is as secret as one of our own. */
  sealContact<C extends { readonly account: string; readonly pendingInvite: string }>(contact: C): C {
    if (contact.pendingInvite === '') return contact
    return { ...contact, pendingInvite: toHex(this.seal(contactCell(contact), text.encode(contact.pendingInvite))) }
  }

  openContact<C extends { readonly account: string; readonly pendingInvite: string }>(contact: C): C {
    if (contact.pendingInvite === '') return contact
    return { ...contact, pendingInvite: new TextDecoder().decode(this.open(contactCell(contact), fromHex(contact.pendingInvite))) }
  }

  /** The manifest holds the key of a file. */
  sealTransfer(transfer: StoredTransfer): StoredTransfer {
    return { ...transfer, manifest: this.seal(transferCell(transfer), transfer.manifest) }
  }

  openTransfer(transfer: StoredTransfer): StoredTransfer {
    return { ...transfer, manifest: this.open(transferCell(transfer), transfer.manifest) }
  }

  /** A value by which a later opening knows that it has the right key. */
  makeCheck(): string {
    return toHex(this.seal(CHECK, text.encode(LABEL)))
  }

  fitsCheck(check: string): boolean {
    return this.unpack(this.keys.rows, fromHex(check), associated(CHECK)) !== null
  }

  private seal(cell: Cell, value: Uint8Array): Uint8Array {
    const nonce = this.random.bytes(NONCE_BYTES)
    return packed(nonce, this.primitives.aeadSeal(this.keys.rows, nonce, value, associated(cell)))
  }

  private open(cell: Cell, sealed: Uint8Array): Uint8Array {
    return this.unpack(this.keys.rows, sealed, associated(cell)) ?? unopened(cell.table)
  }

  private unpack(key: Uint8Array, sealed: Uint8Array, data: Uint8Array): Uint8Array | null {
    if (sealed.length < SEAL_OVERHEAD || sealed[0] !== FORM) return null
    return this.primitives.aeadOpen(key, sealed.subarray(1, 1 + NONCE_BYTES), sealed.subarray(1 + NONCE_BYTES), data)
  }
}

const CHECK: Cell = { table: 'settings', column: 'value', row: 'storage.check' }

function sessionCell({ device, version }: StoredSession): Cell {
  return { table: 'sessions', column: 'state', row: device, version }
}

function oneTimeCell({ id }: StoredOneTimePrekey): Cell {
  return { table: 'one_time_prekeys', column: 'secret', row: id }
}

function transferCell({ id, direction }: StoredTransfer): Cell {
  return { table: 'transfers', column: 'manifest', row: `${id} ${direction}` }
}

function contactCell({ account }: { readonly account: string }): Cell {
  return { table: 'contacts', column: 'pending_invite', row: account }
}

function packed(nonce: Uint8Array, box: Uint8Array): Uint8Array {
  const all = new Uint8Array(1 + nonce.length + box.length)
  all[0] = FORM
  all.set(nonce, 1)
  all.set(box, 1 + nonce.length)
  return all
}

function unopened(table: string): never {
  throw new SkeinError(
    'STORE_CORRUPT',
    `The database holds keys that do not open (table ${table}): it was changed from outside; restore it.`,
  )
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Of something that is no such text: bytes that do not open. */
function fromHex(digits: string): Uint8Array {
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}
