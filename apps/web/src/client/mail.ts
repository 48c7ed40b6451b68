/** What is on its way, and the user's own mailboxes: asked for when something may have changed, as few events tell of them. */
import type { ApiClient, ClientEvent, OutboxView } from '@skein/node/browser'
import type { ClientModel } from './model.ts'
import { Observable } from './observable.ts'

export type MailboxView = Awaited<ReturnType<ApiClient['mailbox']>>['mailboxes'][number]

export interface MailSnapshot {
  /** By device of the recipient. */
  readonly outbox: readonly OutboxView[]
  /** `undefined` before they are known. */
  readonly mailboxes: readonly MailboxView[] | undefined
}

const NOTHING: MailSnapshot = { outbox: [], mailboxes: undefined }

/** After an event, ms: what comes in a burst is asked for once. */
const SETTLE_MS = 300
/** Between two questions where nothing is heard of, ms; with many rows, which cost, it is longer. */
const ASK_EVERY_MS = 5_000
const ASK_MANY_EVERY_MS = 60_000
const MANY_ROWS = 200

export class MailWatch extends Observable<MailSnapshot> {
  private readonly model: ClientModel
  private api: ApiClient | undefined
  private asking: Promise<void> | undefined
  private timer: ReturnType<typeof setTimeout> | undefined

  constructor(model: ClientModel) {
    super(NOTHING)
    this.model = model
  }

  /** The returned function ends it. */
  follow(): () => void {
    const look = (): void => {
      if (this.api === this.model.get().api) return
      this.api = this.model.get().api
      this.askIn(0)
    }
    const hear = (events: readonly ClientEvent[]): void => {
      if (events.some(isAboutMail)) this.askIn(SETTLE_MS)
    }
    const stops = [this.model.subscribe(look), this.model.onEvents(hear)]
    look()
    return () => {
      for (const stop of stops) stop()
      clearTimeout(this.timer)
    }
  }

  /** Everything that waits is tried now. @throws what the API throws */
  async tryNow(): Promise<void> {
    await this.api?.tryNow()
    this.askIn(SETTLE_MS)
  }

  private askIn(ms: number): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => {
      this.asking ??= this.ask().finally(() => {
        this.asking = undefined
        this.askIn(this.get().outbox.length > MANY_ROWS ? ASK_MANY_EVERY_MS : ASK_EVERY_MS)
      })
    }, ms)
  }

  private async ask(): Promise<void> {
    const { api } = this
    if (document.visibilityState === 'hidden' && this.get().mailboxes !== undefined) return
    const answers = api === undefined ? undefined : await Promise.all([api.outbox(), api.mailbox()]).catch(() => undefined)
    if (this.api !== api) return
    if (answers === undefined) this.set(NOTHING)
    else this.set({ outbox: answers[0].outbox, mailboxes: answers[1].mailboxes })
  }
}

const watches = new WeakMap<ClientModel, MailWatch>()

/** The one of a window, which follows its client from the first call on. */
export function mailOf(model: ClientModel): MailWatch {
  const known = watches.get(model)
  if (known !== undefined) return known
  const watch = new MailWatch(model)
  watches.set(model, watch)
  watch.follow()
  return watch
}

const isAboutMail = (event: ClientEvent): boolean =>
  event.event === 'state' || event.event === 'contact' || (event.event === 'message' && event.message.direction === 'out')

export interface MailCount {
  /** Messages that nobody but this device has. */
  readonly waiting: number
  /** Messages that lie at a relay for somebody. */
  readonly atRelay: number
  /** Messages that devices around carry. */
  readonly carried: number
}

/** Messages by what holds them: each counts once, by the best that is known of it. */
export function countMail(outbox: readonly OutboxView[]): MailCount {
  const carriers = new Map<string, readonly string[]>()
  for (const row of outbox) carriers.set(row.id, [...(carriers.get(row.id) ?? []), ...row.carriers])
  const all = [...carriers.values()]
  const atRelay = all.filter((each) => each.some((carrier) => carrier !== 'mesh')).length
  const waiting = all.filter((each) => each.length === 0).length
  return { waiting, atRelay, carried: all.length - atRelay - waiting }
}

/** What is on its way to a contact who is not in touch: `here` while this device alone has any of it, `none` when there is nothing. */
export function mailFor(outbox: readonly OutboxView[], contact: string): 'here' | 'mailbox' | 'mesh' | 'none' {
  const { waiting, atRelay, carried } = countMail(outbox.filter((row) => row.contact === contact))
  if (waiting > 0) return 'here'
  if (atRelay > 0) return 'mailbox'
  return carried > 0 ? 'mesh' : 'none'
}

/** `away`: there is one, and it is not reached now. */
export type MailboxState = 'ready' | 'away' | 'none'

export function mailboxState(mailboxes: readonly MailboxView[]): MailboxState {
  if (mailboxes.length === 0) return 'none'
  return mailboxes.some(({ watching }) => watching) ? 'ready' : 'away'
}
