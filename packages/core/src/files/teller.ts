/** Tells the other side how a transfer stands here, until it has confirmed. */
import type { ContactBook } from '../contacts/index.ts'
import type { DeviceId } from '../ids.ts'
import type { Logger } from '../ports/logger.ts'
import type { StoredTransfer } from '../ports/store.ts'
import type { Swarm } from '../ports/swarm.ts'
import { encodeFileFrame, type OutcomeState } from '../wire/files.ts'
import { FILE_PROTOCOL, linkOn } from './file-link.ts'
import type { FileLink } from './file-ports.ts'
import { bytesOf } from './hex.ts'
import { LinkReader } from './link-reader.ts'
import { isFinal, type Live, type TransferBook } from './transfer-book.ts'

export interface TellerDeps {
  readonly swarm: Swarm
  readonly book: ContactBook
  readonly logger: Logger
  readonly transfers: TransferBook
}

export class Teller {
  private readonly deps: TellerDeps
  private readonly telling = new Set<Live>()

  constructor(deps: TellerDeps) {
    this.deps = deps
  }

  /** Tells how it has ended, if it has and nobody has confirmed; tried again when the other side appears. */
  wake(live: Live): void {
    if (!isFinal(live.stored) || live.stored.told || this.telling.has(live)) return
    this.telling.add(live)
    void this.tellEnd(live)
      .catch((error: unknown) => this.deps.logger.debug('outcome-not-told', { reason: String(error) }))
      .finally(() => this.telling.delete(live))
  }

  /** Says it once; whoever does not hear it finds out by asking. */
  mention(live: Live, state: OutcomeState): void {
    this.say(live, state).catch((error: unknown) => this.deps.logger.debug('outcome-not-told', { reason: String(error) }))
  }

  private async tellEnd(live: Live): Promise<void> {
    if (await this.say(live, live.stored.state as OutcomeState)) await this.deps.transfers.change(live, { told: true })
  }

  /** Says it to whichever device answers. @returns whether one has confirmed */
  private async say(live: Live, state: OutcomeState): Promise<boolean> {
    for (const device of listenersFor(this.deps.book, live.stored)) {
      const relays = this.deps.book.get(live.stored.contact)?.relays ?? []
      const opened = await this.deps.swarm.open(device, FILE_PROTOCOL, { relays })
      if (opened.kind === 'absent') continue
      const link = linkOn(opened.channel)
      try {
        if (await sayOn(link, new LinkReader(link), { stored: live.stored, state })) return true
      } finally {
        link.close()
      }
    }
    return false
  }
}

/** Says it on a link that is there. @returns whether it was confirmed */
export async function sayOn(
  link: Pick<FileLink, 'send'>,
  reader: LinkReader,
  { stored, state }: { readonly stored: StoredTransfer; readonly state: OutcomeState },
): Promise<boolean> {
  const digest = bytesOf(stored.sha256 ?? '')
  const code = state === 'failed' ? (stored.reason ?? '') : ''
  if (!(await link.send(encodeFileFrame({ kind: 'outcome', id: stored.id, state, code, digest })))) return false
  const answer = await reader.next()
  return answer?.kind === 'receipt' && answer.id === stored.id
}

/** What has become of an offer concerns the device that made it; its account's others know nothing of it. */
function listenersFor(book: ContactBook, stored: StoredTransfer): readonly DeviceId[] {
  const [first, ...others] = devicesFor(book, stored)
  if (first === undefined) return []
  return stored.direction === 'in' && first === stored.device ? [first] : [first, ...others]
}

/** The device that offered it before the others of the contact. */
export function devicesFor(book: ContactBook, { contact, device, direction }: StoredTransfer): readonly DeviceId[] {
  const all = book.devicesOf(contact).map((each) => each.device)
  return direction === 'in' && all.includes(device) ? [device, ...all.filter((each) => each !== device)] : all
}
