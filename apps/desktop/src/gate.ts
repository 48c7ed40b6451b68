/**
 * Who may talk to the loopback server. Any program and any web page on this machine can reach it, and a name of an
 * attacker can be made to point to it; so each request must name our own host, come from our own page, and carry a
 * session that only the window we opened has.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/** Bytes of tokens and sessions: nobody guesses 192 bits, so that wrong guesses need no counting. */
const TOKEN_BYTES = 24
/** A link that opens a window is good for one use and this long, ms: a browser may take a while to start. */
const LINK_LIFETIME_MS = 120_000

export interface Asked {
  readonly host: string | undefined
  readonly origin: string | undefined
  /** What the window got in exchange for its link. */
  readonly session: string | undefined
  /** Another user of this machine asks. */
  readonly isOther: boolean
}

export type Refusal = { readonly status: 401 | 403 | 421; readonly reason: string }

export class Gate {
  private readonly now: () => number
  /** Until when each is good. */
  private readonly links = new Map<string, number>()
  private readonly sessions: string[] = []
  /** For a second start of the program, which reads it from a file that only this user can read. */
  readonly secret = randomBytes(TOKEN_BYTES).toString('base64url')
  /** Set when the server listens. */
  port = 0

  constructor(now: () => number) {
    this.now = now
  }

  /** Links that are remembered. */
  get linkCount(): number {
    return this.links.size
  }

  /** A token for one window. */
  makeLink(): string {
    // Each notification and each second start makes one, and few are used.
    for (const [each, until] of this.links) if (until < this.now()) this.links.delete(each)
    const token = randomBytes(TOKEN_BYTES).toString('base64url')
    this.links.set(token, this.now() + LINK_LIFETIME_MS)
    return token
  }

  /** Exchanges a link's token for a session; `undefined` when it is unknown, used or too old. */
  enter(token: string): string | undefined {
    const known = [...this.links].find(([each]) => isSame(each, token))
    if (known === undefined || known[1] < this.now()) return undefined
    this.links.delete(known[0])
    const session = randomBytes(TOKEN_BYTES).toString('base64url')
    this.sessions.push(session)
    return session
  }

  /** @param proof what `prove` makes of the secret for this question */
  knows(question: string, proof: string): boolean {
    return isSame(prove(this.secret, question), proof)
  }

  /** Host and origin: for every request, also one that has no session yet. */
  refuseStranger({ host, origin, isOther }: Omit<Asked, 'session'>): Refusal | undefined {
    const own = [`127.0.0.1:${this.port}`, `localhost:${this.port}`]
    if (host === undefined || !own.includes(host)) return { status: 421, reason: 'another host was meant' }
    if (origin !== undefined && origin !== `http://${host}`) return { status: 403, reason: 'another page asks' }
    return isOther ? { status: 403, reason: 'another user asks' } : undefined
  }

  refuse(asked: Asked): Refusal | undefined {
    const { session } = asked
    const stranger = this.refuseStranger(asked)
    if (stranger !== undefined) return stranger
    if (session !== undefined && this.sessions.some((each) => isSame(each, session))) return undefined
    return { status: 401, reason: 'open Skein anew to get a window' }
  }
}

/**
 * That somebody has the secret, without telling it: whoever listens on the port of a program that is gone learns nothing, and cannot
 * answer in its name.
 */
export function prove(secret: string, about: string): string {
  return createHmac('sha256', secret).update(about).digest('base64url')
}

/** Without an early exit: how long it takes does not tell how much was right. */
function isSame(a: string, b: string): boolean {
  const [first, second] = [Buffer.from(a), Buffer.from(b)]
  return first.length === second.length && timingSafeEqual(first, second)
}
