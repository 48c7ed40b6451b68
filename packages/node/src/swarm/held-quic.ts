/** A connection of QUIC's native code whose streams are read only while somebody wants to read them. */
import type { Stream } from '@libp2p/interface'

/** What the native code has; not in the library's types. */
interface NativeStream {
  id(): string
  read(most: number): Promise<Uint8Array | null>
  write(bytes: Uint8Array): Promise<void>
  finishWrite(): unknown
  resetWrite(): unknown
  stopRead(): unknown
}

export interface NativeConnection {
  id(): string
  remoteMultiaddr(): string
  closed(): Promise<void>
  abort(): void
  inboundStream(): Promise<NativeStream>
  outboundStream(): Promise<NativeStream>
}

/** What the library's stream does when it is paused and resumed, which is nothing; not in its types. */
interface Pausable extends Stream {
  sendPause(): void
  sendResume(): void
  sendCloseRead(options?: unknown): Promise<void>
}

type Direction = Stream['direction']

export class HeldConnection implements NativeConnection {
  readonly #native: NativeConnection
  /** Those of which the library has made none of its own yet. */
  readonly #made = new Map<string, HeldStream>()

  constructor(native: NativeConnection) {
    this.#native = native
  }

  id = (): string => this.#native.id()
  remoteMultiaddr = (): string => this.#native.remoteMultiaddr()
  closed = (): Promise<void> => this.#native.closed()
  abort = (): void => this.#native.abort()
  inboundStream = async (): Promise<HeldStream> => this.#hold('inbound', await this.#native.inboundStream())
  outboundStream = async (): Promise<HeldStream> => this.#hold('outbound', await this.#native.outboundStream())

  /** The library has made this one of a stream of ours. */
  onStream(stream: Stream): Stream {
    const key = keyOf(stream.direction, stream.id)
    const held = this.#made.get(key)
    this.#made.delete(key)
    if (held === undefined) return stream
    const pausable = stream as Pausable
    const closeRead = pausable.sendCloseRead.bind(stream)
    pausable.sendPause = () => held.pause()
    pausable.sendResume = () => held.resume()
    // From now on it is read for its end alone, and what comes is thrown away.
    pausable.sendCloseRead = (options) => {
      held.resume()
      return closeRead(options)
    }
    return stream
  }

  #hold(direction: Direction, native: NativeStream): HeldStream {
    const held = new HeldStream(native)
    this.#made.set(keyOf(direction, native.id()), held)
    return held
  }
}

/** Either side counts those that it has opened. */
const keyOf = (direction: Direction, id: string): string => `${direction} ${id}`

class HeldStream implements NativeStream {
  readonly #native: NativeStream
  #paused: PromiseWithResolvers<void> | undefined

  constructor(native: NativeStream) {
    this.#native = native
  }

  id = (): string => this.#native.id()
  write = (bytes: Uint8Array): Promise<void> => this.#native.write(bytes)
  finishWrite = (): unknown => this.#native.finishWrite()
  resetWrite = (): unknown => this.#native.resetWrite()

  async read(most: number): Promise<Uint8Array | null> {
    await this.#paused?.promise
    return this.#native.read(most)
  }

  stopRead(): unknown {
    this.resume()
    return this.#native.stopRead()
  }

  pause(): void {
    this.#paused ??= Promise.withResolvers()
  }

  resume(): void {
    this.#paused?.resolve()
    this.#paused = undefined
  }
}
