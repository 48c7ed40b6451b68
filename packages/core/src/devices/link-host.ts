/** The old device's side of linking (DV5 to DV7). */
import { base64 } from '@scure/base'
import { isSkeinError, SkeinError } from '../errors/index.ts'
import { type DeviceId, deviceKey } from '../ids.ts'
import type { Identity } from '../identity/index.ts'
import type { Clock } from '../ports/clock.ts'
import type { Logger } from '../ports/logger.ts'
import type { Primitives } from '../ports/primitives.ts'
import type { Random } from '../ports/random.ts'
import type { Store, StoreWrite } from '../ports/store.ts'
import type { Channel } from '../ports/swarm.ts'
import { sameBytes } from '../wire/codec.ts'
import type { DeviceEntryFields } from '../wire/contact.ts'
import type { LinkGrantFields, LinkHelloFields, LinkShare } from '../wire/devices.ts'
import { isSignedBy } from '../wire/signed.ts'
import { commitmentTo, type LinkKeys, linkKeys, linkProof } from './handshake.ts'
import { type DeviceLink, formatLink, linkExpiry } from './link.ts'
import { linkEnded, LinkTalk } from './link-talk.ts'

/** What the user of the old device is shown. */
export type LinkEvent =
  | { readonly state: 'waiting'; readonly link: string; readonly expiresAt: number }
  /** The other screen shows the same code, or somebody stands between them. */
  | { readonly state: 'compare'; readonly code: string; readonly device: DeviceId; readonly name: string }
  | { readonly state: 'linked'; readonly device: DeviceId }
  | { readonly state: 'failed'; readonly error: SkeinError }

export interface LinkHostDeps {
  readonly identity: Identity
  readonly store: Pick<Store, 'setting' | 'commit'>
  readonly clock: Clock
  readonly random: Random
  readonly primitives: Primitives
  readonly logger: Logger
  penalise(device: DeviceId, code: string): void
  /** What is handed over beside keys and list. */
  grant(): Pick<LinkGrantFields, 'name' | 'relays' | 'deviceName'>
  /** Puts a device into the account's list, with `beside` in the same commit. @throws SkeinError USAGE, DEVICE_REVOKED */
  admit(entry: DeviceEntryFields, name: string, beside: StoreWrite): Promise<void>
}

/** At most one at a time; durable, so that a new device whose link was confirmed can come back for its keys. */
interface OpenLink {
  readonly secret: Uint8Array
  readonly expiresAt: number
  /** The one device that has used it. */
  readonly device: DeviceId | null
  readonly confirmed: boolean
}

const SETTING = 'open-link'

interface Decision {
  readonly accept: boolean
  /** What the user has read on the other screen. */
  readonly code: string | undefined
}

export class LinkHost {
  private readonly deps: LinkHostDeps
  private readonly listeners = new Set<(event: LinkEvent) => void>()
  private open: OpenLink | undefined
  private decide: ((decision: Decision) => void) | undefined

  constructor(deps: LinkHostDeps) {
    this.deps = deps
  }

  /** Takes up a link whose device was confirmed before this process began. */
  async start(): Promise<void> {
    const kept = await this.deps.store.setting(SETTING)
    if (kept === null || kept === '') return
    const { secret, expiresAt, device, confirmed } = JSON.parse(kept) as { secret: string } & Omit<OpenLink, 'secret'>
    if (confirmed && expiresAt > this.deps.clock.now()) this.open = { secret: base64.decode(secret), expiresAt, device, confirmed }
  }

  /** The returned function ends it. */
  listen(listener: (event: LinkEvent) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  /** Whether the user has confirmed the device that uses the link. */
  get isConfirmed(): boolean {
    return this.open?.confirmed ?? false
  }

  /** A new link; an earlier one is over. */
  async offer(relay: string | null): Promise<{ readonly link: string; readonly expiresAt: number }> {
    const { identity, clock, random, primitives } = this.deps
    this.decide?.({ accept: false, code: undefined })
    const expiresAt = linkExpiry(clock.now())
    await this.keep({ secret: random.bytes(16), expiresAt, device: null, confirmed: false })
    const link: DeviceLink = { host: identity.device, secret: this.open?.secret ?? new Uint8Array(), expiresAt, relay }
    const text = formatLink(primitives, link)
    this.tell({ state: 'waiting', link: text, expiresAt })
    return { link: text, expiresAt }
  }

  /** Takes the link back, if one is open. */
  async withdraw(): Promise<void> {
    this.decide?.({ accept: false, code: undefined })
    await this.keep(undefined)
  }

  /** What the user says after comparing. @param code as the other screen shows it, if it was typed @throws SkeinError LINK_REFUSED when nothing waits */
  answer(accept: boolean, code?: string): void {
    if (this.decide === undefined) throw new SkeinError('LINK_REFUSED', 'No new device waits to be confirmed.')
    this.decide({ accept, code: code?.replace(/\s/g, '') })
  }

  /** Serves one stream. */
  async serve(channel: Channel): Promise<void> {
    const talk = new LinkTalk(channel)
    const link = this.open
    try {
      const { hello } = await talk.hear('hello')
      await this.receive(talk, { link, hello })
    } catch (error) {
      await this.fail(talk, error)
    } finally {
      channel.close()
    }
  }

  private async receive(talk: LinkTalk, { link, hello }: { link: OpenLink | undefined; hello: LinkHelloFields }): Promise<void> {
    const { primitives, identity, clock } = this.deps
    const guest = talk.channel.peer
    if (link === undefined || link !== this.open || link.expiresAt <= clock.now()) return talk.end('expired')
    const wanted = linkProof(primitives, link.secret, { guest: deviceKey(guest), host: identity.deviceKey })
    if (!sameBytes(wanted, hello.proof)) throw new SkeinError('BAD_SIGNATURE', 'A device does not know the secret of the link.')
    // One try for each link, counted when the other side has settled its key: whoever could try again could look for a code.
    if (link.device !== null && !(link.confirmed && link.device === guest)) return talk.end('used')
    const bound = { ...link, device: guest }
    await this.keep(bound)
    const keys = await this.agree(talk, { link: bound, hello })
    if (!bound.confirmed) await this.confirm(talk, { link: bound, hello, keys })
    await this.handOver(talk, keys)
  }

  private async agree(talk: LinkTalk, { link, hello }: { link: OpenLink; hello: LinkHelloFields }): Promise<LinkKeys> {
    const { primitives, random, identity } = this.deps
    const own = random.bytes(32)
    const hostShare: LinkShare = { key: primitives.x25519PublicKey(own), nonce: random.bytes(32) }
    await talk.say({ kind: 'key', share: hostShare })
    const { share: guestShare } = await talk.hear('reveal')
    if (!sameBytes(commitmentTo(primitives, guestShare), hello.commitment)) throw linkEnded('wrong')
    const ends = { guest: deviceKey(talk.channel.peer), host: identity.deviceKey }
    const handshake = { ends, secret: link.secret, dhKey: hello.dhKey, guestShare, hostShare }
    return linkKeys(primitives, handshake, { own, other: guestShare })
  }

  private async confirm(
    talk: LinkTalk,
    { link, hello, keys }: { readonly link: OpenLink; readonly hello: LinkHelloFields; readonly keys: LinkKeys },
  ): Promise<void> {
    const guest = talk.channel.peer
    const entry = this.entryOf(guest, hello)
    const decision = await this.decision(link, () => this.tell({ state: 'compare', code: keys.code, device: guest, name: hello.name }))
    if (!decision.accept) throw linkEnded('refused')
    if (decision.code !== undefined && decision.code !== keys.code) throw linkEnded('wrong')
    const confirmed = { ...link, confirmed: true }
    await this.deps.admit(entry, hello.name, settingOf(confirmed))
    this.open = confirmed
  }

  private async decision({ expiresAt }: OpenLink, ask: () => void): Promise<Decision> {
    const { clock } = this.deps
    const decided = new AbortController()
    const late = clock.sleep(Math.max(0, expiresAt - clock.now()), { signal: decided.signal }).then((): Decision => {
      if (!decided.signal.aborted) throw linkEnded('expired')
      return { accept: false, code: undefined }
    })
    const answered = new Promise<Decision>((resolve) => (this.decide = resolve))
    ask()
    try {
      return await Promise.race([answered, late])
    } finally {
      this.decide = undefined
      decided.abort()
    }
  }

  private entryOf(guest: DeviceId, { dhKey, dhCertificate }: LinkHelloFields): DeviceEntryFields {
    const key = deviceKey(guest)
    const signed = { statement: dhKey, signature: dhCertificate }
    if (!isSignedBy(this.deps.primitives, 'skein device dh key v1', { signed, key }))
      throw new SkeinError('BAD_SIGNATURE', 'A device did not certify its own key.')
    return { deviceKey: key, dhKey, dhCertificate }
  }

  private async handOver(talk: LinkTalk, keys: LinkKeys): Promise<void> {
    const { identity, grant } = this.deps
    const handed = { accountSeed: identity.accountSeed, deviceList: identity.signedList, ...grant() }
    await talk.say({ kind: 'grant', sealed: keys.seal(handed) })
    await talk.hear('done')
    await this.keep(undefined)
    this.tell({ state: 'linked', device: talk.channel.peer })
  }

  private async fail(talk: LinkTalk, error: unknown): Promise<void> {
    const { logger, penalise } = this.deps
    const failure = isSkeinError(error) ? error : new SkeinError('BAD_FRAME', 'A word of linking cannot be read.', { cause: error })
    logger.warn('linking-failed', { code: failure.code })
    const why = failure.data['why']
    if (why === undefined && failure.code !== 'TIMED_OUT') penalise(talk.channel.peer, failure.code)
    await talk.end(why === 'wrong' || why === 'refused' || why === 'expired' ? why : 'bad-frame')
    // Whoever does not know the secret ends nothing; a link whose one try has failed is over, unless it was confirmed.
    if (this.open?.device !== talk.channel.peer) return
    if (!this.open.confirmed) await this.keep(undefined)
    this.tell({ state: 'failed', error: failure })
  }

  private async keep(link: OpenLink | undefined): Promise<void> {
    this.open = link
    await this.deps.store.commit([settingOf(link)])
  }

  private tell(event: LinkEvent): void {
    for (const listener of [...this.listeners]) listener(event)
  }
}

function settingOf(link: OpenLink | undefined): StoreWrite {
  const value = link === undefined ? '' : JSON.stringify({ ...link, secret: base64.encode(link.secret) })
  return { kind: 'setting.put', key: SETTING, value }
}
