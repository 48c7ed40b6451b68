/** Announcements over mDNS on every link: told when an interface comes and when somebody asks, taken back at the end. */
import type { Clock, LanSource } from '@skein/core'
import type { Carrier, CarrierOptions } from './beacon.ts'
import { MDNS_ANSWER_EVERY_MS, MDNS_ASK_AT_MS, MDNS_GROUP4, MDNS_GROUP6, MDNS_HOPS } from './constants.ts'
import { Datagrams } from './datagrams.ts'
import { type Link, linkKey } from './interfaces.ts'
import { MdnsBudget } from './mdns-budget.ts'
import { answer, parseMdns, peerAnswer, question } from './mdns-message.ts'

export interface MdnsOptions extends CarrierOptions {
  readonly clock: Clock
}

export class Mdns implements Carrier {
  private readonly options: MdnsOptions
  private readonly datagrams: Datagrams
  private readonly stopping = new AbortController()
  /** What was said last on each link, to be taken back. */
  private readonly said = new Map<string, readonly Uint8Array[]>()
  private answeredAt = Number.NEGATIVE_INFINITY
  private namedAt = Number.NEGATIVE_INFINITY
  private readonly budget = new MdnsBudget()

  constructor(options: MdnsOptions) {
    this.options = options
    const group = (family: 4 | 6): string => (family === 4 ? MDNS_GROUP4 : MDNS_GROUP6)
    this.datagrams = new Datagrams({
      port: options.port,
      from: options.port,
      destination: ({ family }) => group(family),
      group,
      hops: MDNS_HOPS,
      logger: options.logger,
      received: (bytes, from) => this.received(bytes, from),
      refused: () => options.refused('lan-off-link'),
    })
  }

  async use(links: readonly Link[]): Promise<void> {
    const added = await this.datagrams.use(links)
    const keys = new Set(links.map(linkKey))
    for (const key of [...this.said.keys()]) if (!keys.has(key)) this.said.delete(key)
    if (added.length > 0) void this.introduce(added)
  }

  announce(): void {
    const now = this.options.clock.monotonic()
    if (now - this.answeredAt < MDNS_ANSWER_EVERY_MS) return
    this.answeredAt = now
    for (const link of this.datagrams.links()) this.sayOn(link)
  }

  /** mDNS does not repeat itself: who comes asks. */
  beat(): void {}

  async close(): Promise<void> {
    this.stopping.abort()
    await Promise.all(this.datagrams.links().map((link) => this.takeBack(link)))
    await this.datagrams.close()
  }

  /** Asks who is there and says that we are, thrice. */
  private async introduce(links: readonly Link[]): Promise<void> {
    let elapsed = 0
    for (const at of MDNS_ASK_AT_MS) {
      if (at > elapsed && !(await this.options.clock.sleep(at - elapsed, { signal: this.stopping.signal }))) return
      elapsed = at
      for (const link of links) {
        void this.datagrams.send(link, question())
        this.sayOn(link)
      }
    }
  }

  private sayOn(link: Link): void {
    const announcements = this.options.announcements(link.address)
    for (const bytes of announcements) void this.datagrams.send(link, answer(bytes, link))
    this.said.set(linkKey(link), announcements)
  }

  /** Programs of others find us where their user has chosen to be seen by everybody (LD11). */
  private name(): void {
    const now = this.options.clock.monotonic()
    if (now - this.namedAt < MDNS_ANSWER_EVERY_MS) return
    this.namedAt = now
    for (const link of this.datagrams.links()) {
      const place = this.options.named?.(link.address) ?? null
      if (place !== null) void this.datagrams.send(link, peerAnswer(place))
    }
  }

  private async takeBack(link: Link): Promise<void> {
    const said = this.said.get(linkKey(link)) ?? []
    await Promise.all(said.map((bytes) => this.datagrams.send(link, answer(bytes, link, 0))))
  }

  private received(bytes: Uint8Array, from: LanSource): void {
    const { clock, refused, heard } = this.options
    const began = clock.monotonic()
    if (!this.budget.admits(from.address, began)) {
      refused('mdns-flood')
      return
    }
    const message = parseMdns(bytes)
    this.budget.spend(from.address, clock.monotonic() - began)
    if (message.kind === 'absurd') refused('mdns-absurd')
    if (message.kind === 'other') refused('mdns-other')
    if (message.kind === 'question') this.announce()
    if (message.kind === 'peers') this.name()
    if (message.kind === 'announcements') for (const each of message.announcements) heard(each, from)
  }
}
