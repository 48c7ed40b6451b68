/** A client's stream to one mailbox: any number of requests under way, each with its reply. */
import type { DeviceId } from '../ids.ts'
import type { Clock } from '../ports/clock.ts'
import type { Channel, Swarm } from '../ports/swarm.ts'
import { decodeMailboxReply, encodeMailboxRequest, type MailboxReplyFields, type MailboxRequestFields } from '../wire/mailbox.ts'
import { MAILBOX_PROTOCOL } from './protocol.ts'

/** A relay that takes and answers nothing for so long, beyond what it was asked to wait, is taken for gone; milliseconds. */
const REPLY_WITHIN_MS = 20_000
/** … and one that does not answer a request so long after it has taken it, whatever else it says. */
const ANSWER_WITHIN_MS = 120_000

export interface LinkDeps {
  readonly swarm: Swarm
  readonly clock: Clock
}

export interface LinkWish {
  readonly url: string
  /** Name of a throw-away key; without one the relay is told who we are. */
  readonly disguise?: string
  readonly signal: AbortSignal
}

interface Asked {
  /** What the request itself may take, milliseconds. */
  readonly waitMs: number
  /** Aborts with the reply. */
  readonly answered: AbortSignal
  /** When the reply is there at the latest, monotonic milliseconds; Infinity until the request has gone. */
  until: number
}

export class MailboxLink {
  private readonly channel: Channel
  private readonly clock: Clock
  private readonly waiting = new Map<number, (reply: MailboxReplyFields | undefined) => void>()
  private last = 0
  /** When the relay has last taken or answered something, monotonic milliseconds. */
  private aliveAt = 0
  private release = (): void => undefined
  /** The stream has ended: nothing is answered any more. */
  closed = false
  /** 32 bytes; rights to fetch are signatures over it. */
  challenge = new Uint8Array()
  tokenKey = new Uint8Array()

  private constructor(channel: Channel, clock: Clock) {
    this.channel = channel
    this.clock = clock
  }

  /** `undefined` when the relay is away, or keeps no mail. */
  static async open({ swarm, clock }: LinkDeps, { url, disguise, signal }: LinkWish): Promise<MailboxLink | undefined> {
    const options = { signal, ...(disguise === undefined ? {} : { disguise }) }
    const opened = await swarm.openRelay(url, MAILBOX_PROTOCOL, options)
    if (opened.kind === 'absent') return undefined
    const link = new MailboxLink(opened.channel, clock)
    void link.read()
    link.closeWith(signal)
    const welcome = await link.ask({ kind: 'hello' })
    if (welcome?.kind !== 'welcome') {
      link.close()
      return undefined
    }
    link.challenge = new Uint8Array(welcome.challenge)
    link.tokenKey = new Uint8Array(welcome.tokenKey)
    return link
  }

  /** The relay's own key, as the connection has proven it. */
  get relay(): DeviceId {
    return this.channel.peer
  }

  /** The reply, or `undefined` when the stream ends without it. @param waitMs what the request itself may take */
  async ask(body: MailboxRequestFields, waitMs = 0): Promise<MailboxReplyFields | undefined> {
    if (this.closed) return undefined
    this.last += 1
    const number = this.last
    const answered = new AbortController()
    const reply = new Promise<MailboxReplyFields | undefined>((resolve) => this.waiting.set(number, resolve))
    const asked = { waitMs, answered: answered.signal, until: Number.POSITIVE_INFINITY }
    void this.closeIfGone(asked)
    void this.send(encodeMailboxRequest(number, body), asked).catch(() => this.close())
    try {
      return await reply
    } finally {
      answered.abort()
    }
  }

  private async send(bytes: Uint8Array, asked: Asked): Promise<void> {
    if (!(await this.channel.send(bytes))) return this.close()
    this.aliveAt = this.clock.monotonic()
    asked.until = this.aliveAt + asked.waitMs + ANSWER_WITHIN_MS
  }

  /** Over a slow line requests wait for those before them: while these get on, the relay is there. */
  private async closeIfGone(asked: Asked): Promise<void> {
    for (let wait = REPLY_WITHIN_MS + asked.waitMs; wait > 0; ) {
      if (!(await this.clock.sleep(wait, { signal: asked.answered }))) return
      wait = Math.min(this.aliveAt + REPLY_WITHIN_MS, asked.until) - this.clock.monotonic()
    }
    this.close()
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    this.release()
    this.channel.close()
    for (const resolve of this.waiting.values()) resolve(undefined)
    this.waiting.clear()
  }

  /** The signal lives longer than the link: its listener goes with it. */
  private closeWith(signal: AbortSignal): void {
    const onAbort = (): void => this.close()
    signal.addEventListener('abort', onAbort, { once: true })
    this.release = () => signal.removeEventListener('abort', onAbort)
  }

  private async read(): Promise<void> {
    try {
      for await (const bytes of this.channel.frames()) {
        const { number, body } = decodeMailboxReply(bytes)
        const resolve = this.waiting.get(number)
        // What nobody has asked for is no sign of life.
        if (resolve === undefined) continue
        this.aliveAt = this.clock.monotonic()
        this.waiting.delete(number)
        resolve(body)
      }
    } catch {
      // What a relay says and nobody understands ends the stream; the mail lies elsewhere, or with its sender.
    } finally {
      this.close()
    }
  }
}
