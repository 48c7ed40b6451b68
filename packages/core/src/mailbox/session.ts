/** One stream at a mailbox: how much of it is under way at once, and that its replies are taken (MB14). */
import type { Clock } from '../ports/clock.ts'
import type { Channel } from '../ports/swarm.ts'
import { MAX_AT_ONCE, MAX_STREAM_BYTES, TAKEN_WITHIN_MS } from './bounds.ts'
import type { AwaitedShares, Origin } from './shares.ts'
import type { Watch } from './watches.ts'

/** Refused requests after which a stream is closed (MB9). */
const MAX_OFFENCES = 16

export interface SessionParts {
  readonly channel: Channel
  readonly origin: Origin
  /** 32 bytes; rights to fetch are signatures over it. */
  readonly challenge: Uint8Array
  readonly watch: Watch
  readonly clock: Clock
  /** Its replies are not taken. */
  onUnread(): void
  /** Shared by all streams. */
  readonly bytes: AwaitedShares
}

export class MailboxSession {
  readonly channel: Channel
  readonly origin: Origin
  readonly challenge: Uint8Array
  readonly watch: Watch
  offences = 0
  private readonly parts: SessionParts
  private readonly over = new AbortController()
  private running = 0
  private bytes = 0
  private roomWanted = (): void => undefined
  private lastTurn: Promise<unknown> = Promise.resolve()
  private turns = 0
  private sending = 0
  private sent = 0
  private isLookedAfter = false

  constructor(parts: SessionParts) {
    this.parts = parts
    this.channel = parts.channel
    this.origin = parts.origin
    this.challenge = parts.challenge
    this.watch = parts.watch
  }

  /** Hands over one request after the other as there is room for it, until the stream ends. @param answer its bytes are held until it resolves, or calls `release` */
  async run(answer: (bytes: Uint8Array, release: () => void) => Promise<void>): Promise<void> {
    try {
      for await (const bytes of this.channel.frames()) {
        if (!(await this.parts.bytes.take(this.origin, bytes.length))) break
        const release = this.begin(bytes.length)
        // Who is not there any more gets no answer; the stream ends by itself.
        void answer(bytes, release)
          .catch(() => this.channel.close())
          .finally(() => this.end(release))
        while (this.isFull()) await new Promise<void>((resolve) => (this.roomWanted = resolve))
        if (this.offences >= MAX_OFFENCES) break
      }
    } finally {
      this.channel.close()
      this.over.abort()
    }
  }

  /** One after the other: what they hold exists once for each stream. */
  async inTurn(work: () => Promise<void>): Promise<void> {
    this.turns += 1
    const done = this.lastTurn.then(work)
    this.lastTurn = done.catch(() => undefined)
    await done.finally(() => (this.turns -= 1))
  }

  /** Whether somebody waits for a turn. */
  get isAwaited(): boolean {
    return this.turns > 1
  }

  /** Resolves when there is room for the next reply. A stream whose replies are not taken is closed. */
  async send(reply: Uint8Array): Promise<void> {
    this.sending += 1
    if (!this.isLookedAfter) void this.lookAfter()
    try {
      await this.channel.send(reply)
    } finally {
      this.sending -= 1
      this.sent += 1
    }
  }

  private async lookAfter(): Promise<void> {
    this.isLookedAfter = true
    let before = this.sent
    let isTaken = true
    while (this.sending > 0 && isTaken) {
      await this.parts.clock.sleep(TAKEN_WITHIN_MS, { signal: this.over.signal })
      isTaken = this.sending === 0 || this.sent > before
      before = this.sent
    }
    this.isLookedAfter = false
    // Of a stream that has ended nobody takes anything.
    if (isTaken || this.over.signal.aborted) return
    this.parts.onUnread()
    this.channel.close()
  }

  private isFull(): boolean {
    return this.running >= MAX_AT_ONCE || this.bytes >= MAX_STREAM_BYTES
  }

  private begin(bytes: number): () => void {
    this.running += 1
    this.bytes += bytes
    let isHeld = true
    return () => {
      if (!isHeld) return
      isHeld = false
      this.bytes -= bytes
      this.parts.bytes.give(this.origin, bytes)
      this.roomWanted()
    }
  }

  private end(release: () => void): void {
    this.running -= 1
    release()
    this.roomWanted()
  }
}
