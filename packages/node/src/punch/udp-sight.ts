/** Where the user's own relays see a socket over UDP, and how its NAT chooses ports: asked of those that answer. */
import { askStun, ATTRIBUTE, attributeOf, resolveStun, type StunAttribute, type StunReply } from '../stun/index.ts'
import { CannotPunch } from './broken-off.ts'
import { ELSEWHERE_WITHIN_MS, MOST_SERVERS_ASKED, USELESS_FOR_MS } from './constants.ts'
import type { PunchDeps } from './host.ts'
import { mappingOf } from './nat-mapping.ts'
import { isPublic } from './targets.ts'
import type { Offer } from './udp-coordination.ts'
import type { PunchSocket } from './udx.ts'

export type SightDeps = Pick<PunchDeps, 'clock' | 'random' | 'stunServers' | 'mayDial'>

interface Question {
  readonly stun: string
  readonly attributes: readonly StunAttribute[]
  readonly signal: AbortSignal
  /** For an answer; without it as long as questions are repeated. */
  readonly withinMs?: number | undefined
}

export interface SampleQuestion {
  /** STUN servers that both sides have; one that helps is asked. */
  readonly stun: readonly string[]
  readonly theirNonce: Uint8Array
  readonly signal: AbortSignal
}

const IN_COMMON = 'no relay in common'
const SILENT = `${IN_COMMON} that answers over UDP`

export class UdpSight {
  private readonly deps: SightDeps
  /** Servers that did not help, and until when others are asked before them, by the monotonic clock. */
  private readonly useless = new Map<string, number>()

  constructor(deps: SightDeps) {
    this.deps = deps
  }

  /** This machine has moved: who did not help may do so here. */
  move(): void {
    this.useless.clear()
  }

  /** First STUN server of each of one's own relays; those that did not help come last. */
  servers(): readonly string[] {
    return this.groups().flatMap(([first]) => first ?? [])
  }

  /**
   * What one's own NAT does, with proof of one's address for the other side's nonce, from the first server that helps.
   * @throws CannotPunch when none does
   */
  async sample(socket: PunchSocket, { stun, theirNonce, signal }: SampleQuestion): Promise<Omit<Offer, 'nonce'>> {
    const asked = this.uselessLast(stun.map((each) => [each]))
      .flat()
      .slice(0, MOST_SERVERS_ASKED)
    const reasons: string[] = []
    for (const each of asked) {
      const withinMs = each === asked.at(-1) ? undefined : ELSEWHERE_WITHIN_MS
      const first = await this.ask(socket, { stun: each, attributes: [seenNonce(theirNonce)], signal, withinMs })
      const found = typeof first === 'string' ? first : await this.sampleFrom(socket, first, { stun: each, signal })
      if (typeof found !== 'string') return found
      this.note(each, false)
      reasons.push(found)
    }
    throw await this.refusal(socket, { asked, reasons, signal })
  }

  /** Whether the relay confirms that the other side is where it says. @throws CannotPunch when it says nothing */
  async isProven(socket: PunchSocket, { stun, host, token }: Offer, { nonce, signal }: { nonce: Uint8Array; signal: AbortSignal }) {
    if (!this.mayDial(host)) return false
    const attributes = [
      seenNonce(nonce),
      { type: ATTRIBUTE.seenHost, value: Buffer.from(host, 'latin1') },
      { type: ATTRIBUTE.seenToken, value: Buffer.from(token) },
    ]
    const reply = await this.ask(socket, { stun, attributes, signal })
    if (typeof reply === 'string') throw new CannotPunch('no-relay', reply)
    return attributeOf(reply, ATTRIBUTE.seenVerdict)?.[0] === 1
  }

  /** A text where what the server says is of no use. */
  private async sampleFrom(
    socket: PunchSocket,
    first: StunReply,
    { stun, signal }: Pick<Question, 'stun' | 'signal'>,
  ): Promise<Omit<Offer, 'nonce'> | string> {
    const { host, port } = first.seen
    const token = attributeOf(first, ATTRIBUTE.seenToken)
    if (token === undefined) return `${IN_COMMON} that gives proof of addresses`
    if (!this.mayDial(host)) return `${IN_COMMON} that sees a public address of this machine`
    const last = (await this.elsewhere(socket, host, { stun, signal })) ?? first
    return { stun, host, port: last.seen.port, ...mappingOf(port, last.seen.port), token }
  }

  /**
   * At another address than `stun` where one is known and answers, else at its other port: a NAT may look at either. What sees this machine
   * elsewhere lies on another way out, and says nothing of this one's ports.
   */
  private async elsewhere(
    socket: PunchSocket,
    host: string,
    { stun, signal }: Pick<Question, 'stun' | 'signal'>,
  ): Promise<StunReply | undefined> {
    const groups = this.groups()
    const [other] = groups.find(([first]) => first !== stun) ?? []
    const second = groups.find(([first]) => first === stun)?.[1]
    for (const each of [other, second]) {
      if (each === undefined || this.isUseless(each)) continue
      const withinMs = each === other ? ELSEWHERE_WITHIN_MS : undefined
      const reply = await this.ask(socket, { stun: each, attributes: [], signal, withinMs })
      if (typeof reply !== 'string' && reply.seen.host === host) return reply
    }
    return undefined
  }

  /** That nobody answers is the network's fault only where no other relay does either. */
  private async refusal(
    socket: PunchSocket,
    { asked, reasons, signal }: { readonly asked: readonly string[]; readonly reasons: readonly string[]; readonly signal: AbortSignal },
  ): Promise<CannotPunch> {
    const reason = reasons.find((each) => each !== SILENT)
    if (reason !== undefined) return new CannotPunch('no-relay', reason)
    const others = this.servers().filter((each) => !asked.includes(each))
    const question = { attributes: [], signal, withinMs: ELSEWHERE_WITHIN_MS }
    const replies = await Promise.all(others.map((each) => this.ask(socket, { ...question, stun: each })))
    if (replies.some((each) => typeof each !== 'string')) return new CannotPunch('no-relay', SILENT)
    return new CannotPunch('no-udp', 'no STUN server answers: UDP does not get through')
  }

  /** A text where there is no answer. @throws the reason of `signal` when it aborts */
  private async ask(socket: PunchSocket, { stun, attributes, signal, withinMs }: Question): Promise<StunReply | string> {
    const { clock, random } = this.deps
    const limited = withinMs === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(withinMs)])
    const server = await resolveStun(stun, { clock, signal: limited })
    const reply = server && (await askStun(socket, { server, clock, random, signal: limited, attributes }))
    // What was given up says nothing of the server.
    signal.throwIfAborted()
    this.note(stun, reply !== undefined)
    return reply ?? (server === undefined ? `${IN_COMMON} whose IPv4 address is known` : SILENT)
  }

  private note(stun: string, helps: boolean): void {
    if (helps) this.useless.delete(stun)
    else this.useless.set(stun, this.deps.clock.monotonic() + USELESS_FOR_MS)
  }

  private groups(): readonly (readonly string[])[] {
    return this.uselessLast(this.deps.stunServers().map((group) => group.filter((each) => each.startsWith('stun:'))))
  }

  /** By the first of each group. */
  private uselessLast(groups: readonly (readonly string[])[]): readonly (readonly string[])[] {
    const isLater = ([first = '']: readonly string[]): number => Number(this.isUseless(first))
    return groups.toSorted((a, b) => isLater(a) - isLater(b))
  }

  private isUseless(stun: string): boolean {
    return (this.useless.get(stun) ?? 0) > this.deps.clock.monotonic()
  }

  private mayDial(host: string): boolean {
    return (this.deps.mayDial ?? isPublic)(host)
  }
}

const seenNonce = (value: Uint8Array): StunAttribute => ({ type: ATTRIBUTE.seenNonce, value: Buffer.from(value) })
