/** What a content shows in a history. */
import { fitLetters } from '../files/fit-letters.ts'
import type { StoredMessage, StoreWrite } from '../ports/store.ts'
import type { ContentFields } from '../wire/content.ts'
import { decodeManifest } from '../wire/manifest.ts'

/** What stands in a history. */
export type ShownBody = Extract<ContentFields['body'], { kind: 'text' | 'contact' | 'timer' | 'file' | 'unknown' }>

export function shownOf(body: ShownBody): Pick<StoredMessage, 'kind' | 'text' | 'replyTo' | 'shared' | 'disappearAfterMs'> {
  const nothing = { kind: body.kind, text: '', replyTo: null, shared: null, disappearAfterMs: null }
  if (body.kind === 'contact') return { ...nothing, text: body.name, shared: body.account }
  if (body.kind === 'timer') return { ...nothing, disappearAfterMs: msOf(body.after) }
  if (body.kind === 'file') return { ...nothing, text: fitLetters(decodeManifest(body.manifest).name) }
  if (body.kind === 'unknown') return nothing
  return { ...nothing, text: body.text, replyTo: body.replyTo ?? null, disappearAfterMs: msOf(body.disappearAfter ?? 0) }
}

/** Nothing is fetched before the user says so (FI20). */
export function offerOf({ id, contact, sender, createdAt }: StoredMessage, manifest: Uint8Array): StoreWrite {
  const fresh = { place: '', bytes: 0, moved: 0, sha256: null, path: null, told: false, askers: null, updatedAt: createdAt } as const
  const transfer = { ...fresh, id, direction: 'in', contact, device: sender, state: 'offered', reason: null, manifest, createdAt } as const
  return { kind: 'transfer.offer', transfer }
}

const msOf = (seconds: number): number | null => (seconds === 0 ? null : seconds * 1_000)
