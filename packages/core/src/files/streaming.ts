/** The sender's side of one request: chunks in order, made ahead, sent within credit and pace. */
import { encodeFileFrame, type FilePart } from '../wire/files.ts'
import type { Credit } from './credit.ts'
import type { BulkLink, ChunkSender, ChunkToSend, FileLink } from './file-ports.ts'
import { MADE_AHEAD, ORDERED_AHEAD } from './limits.ts'
import type { Pace } from './pace.ts'

/** How many of the chunks that were asked for are still wanted: fewer than at first when others send the rest (FI42). */
export interface Wanted {
  chunks: number
}

export interface Streaming {
  readonly link: Pick<FileLink, 'send' | 'maxFrame'>
  /** Where chunks go, if not on the link. */
  readonly bulk: Pick<BulkLink, 'send'> | undefined
  /** Who sends them there, if that is not done here. */
  readonly sender: Pick<ChunkSender, 'send'> | undefined
  readonly credit: Credit
  readonly pace: Pace
  /** The link has closed. */
  readonly signal: AbortSignal
  readonly part: FilePart
  /** 32 bytes. */
  readonly salt: Uint8Array
  /** Chunks that are asked for, in order. */
  readonly indices: Iterator<number>
  readonly wanted: Readonly<Wanted>
  chunk(index: number): Promise<Uint8Array>
  /** Bytes of a chunk when it is sealed. */
  sealedLength(index: number): number
  /** What `sender` is told of a chunk. */
  order(index: number): ChunkToSend
  /** So many sealed bytes have been handed to the link. */
  onSent(bytes: number): void
}

/** @returns whether everything was sent; not when the link has closed @throws what `chunk` throws */
export async function streamChunks(streaming: Streaming): Promise<boolean> {
  const { link, salt } = streaming
  if (!(await link.send(encodeFileFrame({ kind: 'stream', salt })))) return false
  if (streaming.sender !== undefined) return sendThrough(streaming, streaming.sender)
  const ahead: { readonly index: number; readonly made: Promise<Uint8Array> }[] = []
  for (let sent = 0; sent < streaming.wanted.chunks; sent += 1) {
    while (ahead.length < MADE_AHEAD && pushNext(streaming, ahead));
    const next = ahead.shift()
    if (next === undefined) return true
    const sealed = await next.made
    const whole = streaming.bulk === undefined ? sendChunk(streaming, next.index, sealed) : sendWhole(streaming, streaming.bulk, sealed)
    if (!(await whole)) return false
  }
  return true
}

function pushNext({ indices, chunk }: Streaming, ahead: { readonly index: number; readonly made: Promise<Uint8Array> }[]): boolean {
  const { value: index, done } = indices.next()
  if (done) return false
  const made = chunk(index)
  // Awaited in its turn, perhaps after the stream has ended.
  made.catch(() => undefined)
  ahead.push({ index, made })
  return true
}

/** Its place tells which one it is: the order is that of the request. */
async function sendWhole(streaming: Streaming, bulk: Pick<BulkLink, 'send'>, sealed: Uint8Array): Promise<boolean> {
  if (!(await mayGo(streaming, sealed.length)) || !(await bulk.send(sealed))) return false
  streaming.onSent(sealed.length)
  return true
}

/** A few orders are under way, so that no word between two threads is waited for. */
async function sendThrough(streaming: Streaming, sender: Pick<ChunkSender, 'send'>): Promise<boolean> {
  const underWay: Promise<boolean>[] = []
  let ordered = 0
  for (let next = streaming.indices.next(); !next.done && ordered < streaming.wanted.chunks; next = streaming.indices.next()) {
    ordered += 1
    const bytes = streaming.sealedLength(next.value)
    if (!(await mayGo(streaming, bytes))) return false
    const sent = sendOne(streaming, sender, next.value)
    // Awaited in its turn, perhaps after the stream has ended.
    sent.catch(() => undefined)
    underWay.push(sent)
    if (underWay.length >= ORDERED_AHEAD && !(await underWay.shift())) return false
  }
  return (await Promise.all(underWay)).every(Boolean)
}

async function sendOne({ order, sealedLength, onSent }: Streaming, sender: Pick<ChunkSender, 'send'>, index: number): Promise<boolean> {
  const sent = await sender.send(order(index))
  if (sent) onSent(sealedLength(index))
  return sent
}

/** @returns whether there is credit for all of it, and it is its turn; not when the link has closed */
async function mayGo({ credit, pace, signal }: Streaming, bytes: number): Promise<boolean> {
  for (let taken = 0; taken < bytes; ) {
    const room = await credit.take(bytes - taken)
    if (room === 0) return false
    taken += room
  }
  await pace.pass(bytes, signal)
  return !signal.aborted
}

async function sendChunk({ link, credit, pace, signal, onSent }: Streaming, index: number, sealed: Uint8Array): Promise<boolean> {
  if (!(await link.send(encodeFileFrame({ kind: 'chunk', index, bytes: sealed.length })))) return false
  for (let at = 0; at < sealed.length; ) {
    const room = await credit.take(Math.min(link.maxFrame, sealed.length - at))
    if (room === 0) return false
    await pace.pass(room, signal)
    if (!(await link.send(sealed.subarray(at, at + room)))) return false
    onSent(room)
    at += room
  }
  return true
}
