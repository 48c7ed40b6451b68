/** The card we show: reissued with a later date whenever what it says has changed. */
import { base64 } from '@scure/base'
import type { Identity } from '../identity/index.ts'
import type { Clock } from '../ports/clock.ts'
import type { Store } from '../ports/store.ts'
import type { SignedBytes } from '../wire/signed.ts'

export interface OwnCard {
  readonly signed: SignedBytes
  readonly issuedAt: number
  readonly name: string
  readonly relays: readonly string[]
  readonly mailboxes: readonly string[]
  readonly bundle: SignedBytes
  /** Of other devices of the account. */
  readonly bundles: readonly SignedBytes[]
}

const SETTING = 'own-card'

export async function openOwnCard(
  { identity, store, clock }: { readonly identity: Identity; readonly store: Store; readonly clock: Clock },
  said: Omit<OwnCard, 'signed' | 'issuedAt'>,
): Promise<OwnCard> {
  const bundles = [said.bundle, ...said.bundles].map(({ signature }) => base64.encode(signature))
  const saying = JSON.stringify([said.name, said.relays, said.mailboxes, bundles, identity.listVersion])
  const [issued, before] = ((await store.setting(SETTING)) ?? '0\n').split('\n')
  const last = Number(issued)
  // Strictly rising even when the clock went back: the newer of two cards wins everywhere.
  const issuedAt = before === saying ? last : Math.max(clock.now(), last + 1)
  if (issuedAt !== last) await store.commit([{ kind: 'setting.put', key: SETTING, value: `${issuedAt}\n${saying}` }])
  return { ...said, issuedAt, signed: identity.signCard({ ...said, issuedAt }) }
}
