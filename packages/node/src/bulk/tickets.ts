/** Keys that wait for their raw connection, by the ticket that names them. Each is used once, and none waits for ever. */
import type { Socket } from 'node:net'
import type { BulkSecret } from '@skein/core'
import { MAX_TICKETS, MAX_TICKETS_PER_DEVICE, MAX_TRIES_PER_TICKET, TICKET_AGE_MS } from './constants.ts'
import { demandProof } from './opening.ts'
import { SocketReader } from './socket-reader.ts'

/** One that was accepted: it can be left to somebody else. */
export interface OpenedSocket {
  readonly socket: Socket
  readonly reader: SocketReader
}

export interface Expected extends BulkSecret {
  /** Whose ticket it is. */
  readonly device: string
  /** The raw connection has been opened; it is the receiver's from now on. */
  onOpened(raw: OpenedSocket): void
  /** Nobody came. */
  onExpired(): void
}

interface Waiting {
  readonly expected: Expected
  readonly key: Uint8Array
  readonly timer: NodeJS.Timeout
  tries: number
}

export class Tickets {
  readonly #waiting = new Map<string, Waiting>()
  readonly #perDevice = new Map<string, number>()

  get size(): number {
    return this.#waiting.size
  }

  /** Waits for a raw connection. @returns whether there was room, for this device and in all */
  expect(expected: Expected): boolean {
    const { ticket, device, key } = expected
    const held = this.#perDevice.get(device) ?? 0
    if (this.#waiting.size >= MAX_TICKETS || held >= MAX_TICKETS_PER_DEVICE || this.#waiting.has(nameOf(ticket))) return false
    const timer = setTimeout(() => this.#expire(expected), TICKET_AGE_MS)
    this.#perDevice.set(device, held + 1)
    this.#waiting.set(nameOf(ticket), { expected, key, timer, tries: 0 })
    return true
  }

  /** No longer waits; the expectation is not told. */
  forget(ticket: Uint8Array): void {
    this.#remove(nameOf(ticket))
  }

  /**
   * Takes a socket on which somebody wants to open a raw connection, and ends it unless that comes about.
   * @returns whether it did
   */
  async admit(socket: Socket, signal: AbortSignal): Promise<boolean> {
    socket.on('error', () => undefined)
    try {
      const raw = { socket, reader: new SocketReader(socket) }
      const opened = await demandProof<Waiting>(raw, {
        find: (ticket) => this.#waiting.get(nameOf(ticket)),
        onWrong: (waiting) => this.#onWrong(waiting),
        take: ({ expected }) => this.#remove(nameOf(expected.ticket)),
        signal,
      })
      opened.expected.onOpened(raw)
      return true
    } catch {
      socket.destroy()
      return false
    }
  }

  /** Those of one device are no longer waited for; they are told. */
  drop(device: string): void {
    for (const { expected } of [...this.#waiting.values()]) if (expected.device === device) this.#expire(expected)
  }

  clear(): void {
    for (const { expected } of [...this.#waiting.values()]) this.#expire(expected)
  }

  #onWrong(waiting: Waiting): void {
    waiting.tries += 1
    if (waiting.tries >= MAX_TRIES_PER_TICKET) this.#expire(waiting.expected)
  }

  #expire(expected: Expected): void {
    if (this.#remove(nameOf(expected.ticket))) expected.onExpired()
  }

  #remove(name: string): boolean {
    const waiting = this.#waiting.get(name)
    if (waiting === undefined) return false
    clearTimeout(waiting.timer)
    this.#waiting.delete(name)
    const { device } = waiting.expected
    const held = (this.#perDevice.get(device) ?? 1) - 1
    if (held > 0) this.#perDevice.set(device, held)
    else this.#perDevice.delete(device)
    return true
  }
}

function nameOf(ticket: Uint8Array): string {
  return Buffer.from(ticket).toString('hex')
}
