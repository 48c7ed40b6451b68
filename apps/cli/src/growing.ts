/** Tells the client that runs how much has come through a pipe, while it still comes. */
import { setTimeout as sleep } from 'node:timers/promises'
import { isSkeinError, SkeinError } from '@skein/core'
import { sizeSoFar } from '@skein/core/files'
import { type ApiClient, fromApiError, type TransferView } from '@skein/node/api'
import type { Growing } from './spool.ts'

/** Between two words about how much there is, ms: each is kept, and told to who receives. */
const TELL_EVERY_MS = 100

type Api = Pick<ApiClient, 'sendStream' | 'grown'>

/** Offers what has come; the client breaks the transfers off when it hears no more of this command before the end. @throws SkeinError as `sendFiles` */
export async function sendGrowing(
  api: Api,
  { contacts, path }: { readonly contacts: readonly string[]; readonly path: string },
): Promise<Growing<void> & { readonly transfers: readonly TransferView[] }> {
  const answers = (await api.sendStream({ contacts: [...contacts], path }))[Symbol.asyncIterator]()
  const first = await answers.next()
  const transfers = first.done ? [] : first.value.transfers
  const over = new AbortController()
  answers.next().then(
    () => over.abort(new SkeinError('PIPE_BROKEN', 'Nobody is to get what comes through the pipe any more.')),
    (error: unknown) => over.abort(error),
  )
  const telling = new Telling(
    api,
    transfers.map(({ transfer }) => transfer),
    over,
  )
  return { transfers, signal: over.signal, grown: (bytes) => telling.grown(bytes), ended: (bytes) => telling.ended(bytes) }
}

class Telling {
  private readonly api: Api
  private readonly transfers: string[]
  private readonly over: AbortController
  private bytes = 0
  private told = 0
  private isOver = false
  private underWay: Promise<void> | undefined

  constructor(api: Api, transfers: string[], over: AbortController) {
    this.api = api
    this.transfers = transfers
    this.over = over
  }

  /** One word at a time: what comes meanwhile goes into the next. */
  grown(bytes: number): void {
    this.bytes = bytes
    if (sizeSoFar(bytes) > this.told) this.underWay ??= this.tell().finally(() => (this.underWay = undefined))
  }

  async ended(bytes: number): Promise<void> {
    this.isOver = true
    await this.underWay
    await this.api.grown({ transfers: this.transfers, bytes, ended: true })
  }

  /** Who cannot hear it any more has closed the answers too; who could not keep it just now hears it again. */
  private async tell(): Promise<void> {
    while (!this.isOver && !this.over.signal.aborted && sizeSoFar(this.bytes) > this.told) {
      const { bytes } = this
      await this.api.grown({ transfers: this.transfers, bytes, ended: false }).then(
        () => (this.told = sizeSoFar(bytes)),
        (error: unknown) => this.onUntold(error),
      )
      await sleep(TELL_EVERY_MS)
    }
  }

  private onUntold(error: unknown): void {
    const cause = fromApiError(error)
    if (isSkeinError(cause, 'FILE_TOO_LARGE')) this.over.abort(cause)
  }
}
