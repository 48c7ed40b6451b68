/** The sender's side of one request: chunks in order, made ahead, sent within credit and pace. */
import { encodeFileFrame, type FilePart } from '../wire/files.ts'
import type { Credit } from './credit.ts'
import type { BulkLink, FileLink } from './file-ports.ts'
import { MADE_AHEAD } from './limits.ts'
import type { Pace } from './pace.ts'

export interface Streaming {
  readonly link: Pick<FileLink, 'send' | 'maxFrame'>
  /** Where chunks go, if not on the link. */
  readonly bulk: Pick<BulkLink, 'send'> | undefined
  readonly credit: Credit
  readonly pace: Pace
  readonly part: FilePart
  /** 32 bytes. */
  readonly salt: Uint8Array
  /** Chunks that are asked for, in order. */
  readonly indices: Iterator<number>
  chunk(index: number): Promise<Uint8Array>
  /** So many sealed bytes have been handed to the link. */
  onSent(bytes: number): void
}

/** @returns whether everything was sent; not when the link has closed @throws what `chunk` throws */
export async function streamChunks(streaming: Streaming): Promise<boolean> {
  const { link, salt } = streaming
  if (!(await link.send(encodeFileFrame({ kind: 'stream', salt })))) return false
  const ahead: { readonly index: number; readonly made: Promise<Uint8Array> }[] = []
  for (;;) {
    while (ahead.length < MADE_AHEAD && pushNext(streaming, ahead));
    const next = ahead.shift()
    if (next === undefined) return true
    const sealed = await next.made
    const sent = streaming.bulk === undefined ? sendChunk(streaming, next.index, sealed) : sendWhole(streaming, streaming.bulk, sealed)
    if (!(await sent)) return false
  }
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
async function sendWhole({ credit, pace, onSent }: Streaming, bulk: Pick<BulkLink, 'send'>, sealed: Uint8Array): Promise<boolean> {
  for (let taken = 0; taken < sealed.length; ) {
    const room = await credit.take(sealed.length - taken)
    if (room === 0) return false
    taken += room
  }
  await pace.pass(sealed.length)
  if (!(await bulk.send(sealed))) return false
  onSent(sealed.length)
  return true
}

async function sendChunk({ link, credit, pace, onSent }: Streaming, index: number, sealed: Uint8Array): Promise<boolean> {
  if (!(await link.send(encodeFileFrame({ kind: 'chunk', index, bytes: sealed.length })))) return false
  for (let at = 0; at < sealed.length; ) {
    const room = await credit.take(Math.min(link.maxFrame, sealed.length - at))
    if (room === 0) return false
    await pace.pass(room)
    if (!(await link.send(sealed.subarray(at, at + room)))) return false
    onSent(room)
    at += room
  }
  return true
}
