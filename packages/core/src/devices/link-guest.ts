/** The new device's side of linking (DV5 to DV7). */
import { base64 } from '@scure/base'
import { SkeinError } from '../errors/index.ts'
import { deviceKey } from '../ids.ts'
import { accountIdOf, type Identity, LIST_SETTING, LIST_VERSION_SETTING, openDeviceList } from '../identity/index.ts'
import type { AccountId } from '../ids.ts'
import type { Clock } from '../ports/clock.ts'
import type { Primitives } from '../ports/primitives.ts'
import type { Random } from '../ports/random.ts'
import type { Store } from '../ports/store.ts'
import type { Swarm } from '../ports/swarm.ts'
import type { LinkGrantFields, LinkShare } from '../wire/devices.ts'
import { encodeSigned } from '../wire/signed.ts'
import { commitmentTo, type LinkKeys, linkKeys, linkProof } from './handshake.ts'
import { type DeviceLink, parseLink } from './link.ts'
import { LINK_PROTOCOL } from './link-protocol.ts'
import { LinkTalk } from './link-talk.ts'
import { NAMES_SETTING } from './names.ts'

/** Between two tries to reach the old device, milliseconds, as long as the link lasts. */
const AGAIN_MS = 1_000
/** Tries to reach it: who holds a dead link is told within a minute. */
const MAX_TRIES = 40

export interface LinkGuestDeps {
  readonly identity: Identity
  readonly store: Store
  readonly swarm: Swarm
  readonly clock: Clock
  readonly random: Random
  readonly primitives: Primitives
  readonly deviceName: string
}

/** What the new device has become. */
export interface Joined {
  readonly account: AccountId
  /** What the account calls itself, and its relays. */
  readonly name: string
  readonly relays: readonly string[]
}

/**
 * Joins the account of the device that shows the link. This device's own keys stay; the account it had is gone, so it must have
 * no contacts. What was cut short can be done again with the same link, as long as that lasts. The messenger has to be started anew.
 * @param onCode told what both screens show
 * @throws SkeinError LINK_NOT_ONE, LINK_EXPIRED, LINK_REFUSED, ACCOUNT_IN_USE, RELAY_UNREACHABLE, TIMED_OUT, SEAL_BROKEN
 */
export async function joinByLink(
  deps: LinkGuestDeps,
  text: string,
  { onCode, signal }: { readonly onCode: (code: string) => void; readonly signal?: AbortSignal },
): Promise<Joined> {
  const link = parseLink(deps.primitives, text, deps.clock.now())
  if (link.host === deps.identity.device) throw new SkeinError('LINK_NOT_ONE', 'This link is from this device; open it on the other one.')
  const others = (await deps.store.contacts()).some(({ account }) => account !== deps.identity.account)
  if (others || deps.identity.list.devices.length > 1)
    throw new SkeinError('ACCOUNT_IN_USE', 'This device has an account with contacts; a new device joins with a data directory of its own.')
  const talk = await reach(deps, link, signal)
  const leave = (): void => talk.channel.close()
  signal?.addEventListener('abort', leave, { once: true })
  try {
    return await join(deps, { link, talk, onCode })
  } finally {
    signal?.removeEventListener('abort', leave)
    talk.channel.close()
  }
}

async function reach({ swarm, clock }: LinkGuestDeps, { host, relay }: DeviceLink, signal?: AbortSignal): Promise<LinkTalk> {
  const options = { relays: relay === null ? [] : [relay], ...(signal === undefined ? {} : { signal }) }
  for (let tries = 0; tries < MAX_TRIES && !signal?.aborted; tries += 1) {
    const opened = await swarm.open(host, LINK_PROTOCOL, options)
    if (opened.kind === 'open') return new LinkTalk(opened.channel)
    await clock.sleep(AGAIN_MS, signal === undefined ? {} : { signal })
  }
  throw new SkeinError('RELAY_UNREACHABLE', 'The other device was not reached; is it running, and in the same network or at the relay?')
}

interface Joining {
  readonly link: DeviceLink
  readonly talk: LinkTalk
  onCode(code: string): void
}

async function join(deps: LinkGuestDeps, { link, talk, onCode }: Joining): Promise<Joined> {
  const keys = await agree(deps, { link, talk })
  onCode(keys.code)
  const { sealed } = await talk.hear('grant')
  const grant = keys.open(sealed)
  const account = await takeOver(deps, { link, grant })
  await talk.say({ kind: 'done' })
  return { account, name: grant.name, relays: grant.relays }
}

async function agree(
  { primitives, random, identity, deviceName }: LinkGuestDeps,
  { link, talk }: Omit<Joining, 'onCode'>,
): Promise<LinkKeys> {
  const own = random.bytes(32)
  const guestShare: LinkShare = { key: primitives.x25519PublicKey(own), nonce: random.bytes(32) }
  const ends = { guest: identity.deviceKey, host: deviceKey(link.host) }
  const { dhKey, dhCertificate } = identity.entry
  const proof = linkProof(primitives, link.secret, ends)
  const hello = { proof, commitment: commitmentTo(primitives, guestShare), name: deviceName, dhKey, dhCertificate }
  await talk.say({ kind: 'hello', hello })
  const { share: hostShare } = await talk.hear('key')
  await talk.say({ kind: 'reveal', share: guestShare })
  return linkKeys(primitives, { ends, secret: link.secret, dhKey, guestShare, hostShare }, { own, other: hostShare })
}

/** All of it in one commit: a device that dies before has its own account still, and can try again. */
async function takeOver(
  { primitives, store, identity, clock }: LinkGuestDeps,
  { link, grant }: { readonly link: DeviceLink; readonly grant: LinkGrantFields },
): Promise<AccountId> {
  const account = accountIdOf(primitives, primitives.ed25519PublicKey(grant.accountSeed))
  const list = openDeviceList(primitives, grant.deviceList)
  const devices = list.devices.map(({ device }) => device)
  if (list.account !== account || !devices.includes(identity.device) || !devices.includes(link.host))
    throw new SkeinError('CARD_FORGED', 'The account that was handed over is not that of both devices.')
  const { accountSeed, deviceName } = grant
  const keys = { accountSeed, deviceSeed: identity.deviceSeed, dhSecret: identity.dhSecret, createdAt: clock.now() }
  await store.commit([
    { kind: 'identity.put', identity: keys },
    { kind: 'setting.put', key: LIST_SETTING, value: base64.encode(encodeSigned(grant.deviceList)) },
    { kind: 'setting.put', key: LIST_VERSION_SETTING, value: String(list.version) },
    { kind: 'setting.put', key: NAMES_SETTING, value: JSON.stringify({ [link.host]: deviceName }) },
  ])
  return account
}
