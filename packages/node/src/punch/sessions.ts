/** Punches that are under way, one for each device. */
import type { DeviceId } from '@skein/core'
import { asError } from '../swarm/framing.ts'
import { NotNow } from './not-now.ts'

/** The client speaks first on what opens. */
export type Role = 'client' | 'server'

export interface Session {
  readonly device: DeviceId
  readonly role: Role
  /** Ends it. */
  readonly given: AbortController
}

/** Why a punch has ended: what was ended says less than what has ended it. */
export function endOf({ given }: Session, error: unknown): Error {
  return given.signal.reason instanceof NotNow ? given.signal.reason : asError(error)
}

export class Sessions {
  private readonly self: DeviceId
  private readonly running = new Map<DeviceId, Session>()

  constructor(self: DeviceId) {
    this.self = self
  }

  get size(): number {
    return this.running.size
  }

  count(role: Role): number {
    return [...this.running.values()].filter((each) => each.role === role).length
  }

  /** For a punch that this side begins. @throws NotNow when one is under way */
  begin(device: DeviceId, role: Role): Session {
    if (this.running.has(device)) throw new NotNow('a punch is under way')
    return this.add({ device, role, given: new AbortController() })
  }

  /** For one that the other side begins; `undefined` when it has to wait. When both began, the one of the smaller device goes on. */
  answer(device: DeviceId, role: Role): Session | undefined {
    const running = this.running.get(device)
    if (running !== undefined && (running.role === role || this.self < device)) return undefined
    running?.given.abort(new NotNow('the other side begins'))
    return this.add({ device, role, given: new AbortController() })
  }

  end(session: Session): void {
    session.given.abort(new Error('it is over'))
    if (this.running.get(session.device) === session) this.running.delete(session.device)
  }

  settle(device: DeviceId): void {
    this.running.get(device)?.given.abort(new NotNow('another was faster'))
  }

  /** All of them: what they have found out is of another network. */
  abandon(): void {
    for (const { given } of this.running.values()) given.abort(new NotNow('this machine has moved'))
    this.running.clear()
  }

  private add(session: Session): Session {
    this.running.set(session.device, session)
    return session
  }
}
