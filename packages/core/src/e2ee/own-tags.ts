/** Our own delivery tags, looked at from behind: for whom does one stand? (ET3) */
import { hex } from '@scure/base'
import type { Primitives } from '../ports/primitives.ts'
import { deliveryTag } from './delivery-tags.ts'

/** Mail lives 30 days and may be left by a clock that is a day behind. */
const DAYS_BACK = 31
/** A sender's clock may be ahead. */
const DAYS_AHEAD = 1

/** Somebody who was given tags. */
export interface TagSender {
  /** Never of two senders the same. */
  readonly name: string
  /** Of the account, or of an invite's secret; 32 bytes. */
  digest(): Uint8Array
}

interface Month {
  readonly today: number
  readonly tags: ReadonlyMap<number, string>
}

/** Tags of all senders around today, each computed once: 4 KB for each sender. */
export class OwnTags {
  private readonly primitives: Primitives
  private readonly fetchSecret: Uint8Array
  private readonly months = new Map<string, Month>()
  private readonly owners = new Map<string, string>()
  private near: ReadonlyMap<string, Uint8Array> = new Map()

  /** @param fetchSecret 32 bytes, known to this device alone */
  constructor(primitives: Primitives, fetchSecret: Uint8Array) {
    this.primitives = primitives
    this.fetchSecret = fetchSecret
  }

  /** Whose tag this is, among `senders`, on the days around `today` (UTC, since 1970); `undefined` for nobody's. */
  find<S extends TagSender>(tag: Uint8Array, senders: readonly S[], today: number): S | undefined {
    for (const sender of senders) if (this.months.get(sender.name)?.today !== today) this.compute(sender, today)
    const owner = this.owners.get(hex.encode(tag))
    return owner === undefined ? undefined : senders.find(({ name }) => name === owner)
  }

  /** Our tags of the days from `today - back` to tomorrow. Each is computed once. */
  around(senders: readonly TagSender[], today: number, back: number): readonly Uint8Array[] {
    const days = Array.from({ length: back + DAYS_AHEAD + 1 }, (_, at) => today - back + at)
    const wanted = senders.flatMap((sender) => days.map((day) => ({ sender, day, name: `${sender.name} ${day}` })))
    const kept = new Map(
      wanted.map(({ sender, day, name }) => {
        const scope = (): { sender: Uint8Array; day: number } => ({ sender: sender.digest(), day })
        return [name, this.near.get(name) ?? deliveryTag(this.primitives, this.fetchSecret, scope())]
      }),
    )
    this.near = kept
    return [...kept.values()]
  }

  private compute({ name, digest }: TagSender, today: number): void {
    const before = this.months.get(name)?.tags ?? new Map<number, string>()
    const sender = digest()
    const days = Array.from({ length: DAYS_BACK + DAYS_AHEAD + 1 }, (_, at) => today - DAYS_BACK + at)
    const tags = new Map(
      days.map((day) => [day, before.get(day) ?? hex.encode(deliveryTag(this.primitives, this.fetchSecret, { sender, day }))]),
    )
    for (const tag of before.values()) this.owners.delete(tag)
    for (const tag of tags.values()) this.owners.set(tag, name)
    this.months.set(name, { today, tags })
  }
}
