/**
 * One direction of a circuit. The library's splice reads as fast as the sender sends, into a queue without bound
 * (utils 7.4.1, `messageStreamToDuplex`): a fast sender fills the relay's memory. Here the sender's stream is paused as
 * soon as the receiver's holds more than a little, so the sender's own window closes.
 */
import type { Stream } from '@libp2p/interface'
import type { TrafficClass } from './rules.ts'
import { SHARE_BYTES, type Turns } from './turns.ts'

/** Bytes that wait for the receiver before the sender is paused: two reads of a socket. */
const HOLD_AT_BYTES = 131_072
/** For which a rate may make it wait at a time. */
const PIECE_BYTES = 65_536
/** More than this beyond `CHAT_BYTES_PER_SECOND` is bulk: a long text and its receipts stay far below. */
const CHAT_BURST_BYTES = 262_144
const CHAT_BYTES_PER_SECOND = 65_536
/** For the end of a stream to be taken, ms. */
const CLOSE_TIMEOUT_MS = 30_000

export interface FlowDeps {
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** Bytes are about to pass. @returns ms to wait after them, or `undefined` when the circuit has ended by it */
  readonly onBytes: (bytes: number, kind: TrafficClass) => number | undefined
  /** The sender was held up for so long, whatever for. */
  readonly onWaited: (ms: number) => void
  /** Whether its sender may send so much more as chat; asked for what would be chat by itself. */
  readonly mayChat: (bytes: number) => boolean
  readonly turns: Turns
  /** Peer id of who sends. */
  readonly sender: string
  /** The flow cannot go on. */
  readonly onBroken: (error: Error) => void
}

type Data = Parameters<Stream['send']>[0]
interface Piece {
  readonly data: Data
  /** By what came with it: what has waited for a rate would look like chat. */
  readonly kind: TrafficClass
}

type Hold = 'backlog' | 'pace' | 'turn'

export class Flow {
  readonly #src: Stream
  readonly #dst: Stream
  readonly #deps: FlowDeps
  readonly #holds = new Set<Hold>()
  /** What has come and has to wait for a rate: a stream that is read again hands over all at once that has gathered in it. */
  readonly #gathered: Piece[] = []
  #recent = 0
  #inTurn = 0
  #isStopped = false
  #isResuming = false
  #hasEnded = false
  #recentAt: number
  #endHold: (() => number) | undefined
  #endRest: (() => void) | undefined

  constructor({ src, dst }: { readonly src: Stream; readonly dst: Stream }, deps: FlowDeps) {
    this.#src = src
    this.#dst = dst
    this.#deps = deps
    this.#recentAt = deps.now()
  }

  /** Nothing has been read before, and nothing is lost that was: the stream keeps it until somebody listens. */
  start(): void {
    this.#dst.addEventListener('idle', this.#onIdle)
    this.#src.addEventListener('end', this.#onEnd)
    this.#src.addEventListener('message', this.#onMessage)
    if (this.#src.readableEnded) this.#onEnd()
  }

  stop(): void {
    this.#isStopped = true
    this.#endRest?.()
    this.#endHold?.()
    this.#dst.removeEventListener('idle', this.#onIdle)
    this.#src.removeEventListener('end', this.#onEnd)
    this.#src.removeEventListener('message', this.#onMessage)
  }

  /** Whether something waits here for a rate. */
  get isWaiting(): boolean {
    return this.#gathered.length > 0
  }

  readonly #onMessage = ({ data }: { readonly data: Data }): void => {
    const kind = this.#classify(data.byteLength)
    for (const piece of piecesOf(data)) this.#gathered.push({ data: piece, kind })
    this.#passGathered()
  }

  #pass({ data, kind }: Piece): void {
    const wait = this.#deps.onBytes(data.byteLength, kind)
    if (wait === undefined) return
    try {
      this.#dst.send(data)
      if (this.#dst.writeBufferLength > HOLD_AT_BYTES) this.#hold('backlog')
      if (wait > 0) this.#pace(wait)
      if (kind === 'bulk') this.#takeTurn(data.byteLength)
      else this.#deps.turns.noteChat()
    } catch (error) {
      this.#deps.onBroken(asError(error))
    }
  }

  /** Until it has to wait for a rate. */
  #passGathered(): void {
    while (!this.#isStopped && !this.#holds.has('pace')) {
      const piece = this.#gathered.shift()
      if (piece === undefined) return
      this.#pass(piece)
      if (this.#hasEnded) this.#close()
    }
  }

  /** Later: what is sent while the stream says that it is idle stays in its buffer (utils 7.4.1, `processSendQueue`). */
  readonly #onIdle = (): void => {
    if (this.#holds.has('backlog')) queueMicrotask(this.#onRoom)
  }

  readonly #onRoom = (): void => {
    if (!this.#holds.has('backlog') || this.#dst.writeBufferLength > 0) return
    this.#release('backlog')
  }

  /** Everything has been delivered here: a paused stream ends only when it has been read. */
  readonly #onEnd = (): void => {
    this.#hasEnded = true
    this.#close()
  }

  #close(): void {
    if (this.#gathered.length > 0) return
    this.#dst.close({ signal: AbortSignal.timeout(CLOSE_TIMEOUT_MS) }).catch((error: unknown) => this.#deps.onBroken(asError(error)))
  }

  /** By what has passed lately, as the relay can see nothing else. */
  #classify(bytes: number): TrafficClass {
    const now = this.#deps.now()
    const forgotten = ((now - this.#recentAt) / 1_000) * CHAT_BYTES_PER_SECOND
    this.#recent = Math.max(0, this.#recent - forgotten) + bytes
    this.#recentAt = now
    return this.#recent <= CHAT_BURST_BYTES && this.#deps.mayChat(bytes) ? 'chat' : 'bulk'
  }

  #takeTurn(bytes: number): void {
    this.#inTurn += bytes
    if (this.#inTurn < SHARE_BYTES || this.#holds.has('turn')) return
    this.#hold('turn')
    this.#deps.turns.wait(this.#deps.sender, SHARE_BYTES, () => {
      this.#inTurn = 0
      this.#release('turn')
    })
  }

  #pace(ms: number): void {
    this.#hold('pace')
    this.#endRest?.()
    this.#endRest = this.#deps.turns.rest(ms, () => this.#release('pace'))
  }

  #hold(why: Hold): void {
    if (this.#holds.size === 0) this.#endHold = this.#deps.turns.hold()
    this.#holds.add(why)
    this.#pause()
  }

  #pause(): void {
    if (!this.#isResuming && this.#src.readStatus === 'readable') this.#src.pause()
  }

  /**
   * Resuming hands over what has gathered before it opens the window, so a pause in between would be undone: the stream
   * would count as paused and yet go on asking for more, until its buffer breaks (utils 7.4.1, `resume`). It comes after.
   */
  #release(why: Hold): void {
    if (this.#holds.delete(why) && this.#holds.size === 0) this.#deps.onWaited(this.#endHold?.() ?? 0)
    if (this.#isStopped || this.#isResuming || this.#holds.size > 0) return
    this.#passGathered()
    if (this.#holds.size > 0 || this.#src.readStatus !== 'paused') return
    this.#isResuming = true
    try {
      this.#src.resume()
      this.#isResuming = false
      if (this.#holds.size > 0) this.#pause()
    } catch (error) {
      this.#deps.onBroken(asError(error))
    } finally {
      this.#isResuming = false
    }
  }
}

function piecesOf(data: Data): Data[] {
  if (data.byteLength <= PIECE_BYTES) return [data]
  const bounds = Array.from({ length: Math.ceil(data.byteLength / PIECE_BYTES) }, (_, n) => n * PIECE_BYTES)
  return bounds.map((from) => {
    const to = Math.min(data.byteLength, from + PIECE_BYTES)
    return data instanceof Uint8Array ? data.subarray(from, to) : data.sublist(from, to)
  })
}

export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
