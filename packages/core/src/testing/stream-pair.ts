/** Streams between two messengers in memory. */
import type { Transfer } from '../files/index.ts'
import { content, filesOf, type Pair, type Side } from './file-pair.ts'

/** Bytes of a large chunk. */
export const MIB = 1_048_576

/** What comes through a pipe at ana; a piece of `content(7)`. */
export class Pipe {
  bytes = 0
  readonly all: Uint8Array
  private readonly side: Side
  private readonly ids: () => readonly Transfer['id'][]

  constructor(side: Side, size: number, ids: () => readonly Transfer['id'][]) {
    this.side = side
    this.all = content(7, size)
    this.ids = ids
  }

  /** So many bytes have come. */
  keep(bytes: number): void {
    this.bytes = Math.min(bytes, this.all.length)
    this.side.disk.files.set('pipe', this.all.slice(0, this.bytes))
  }

  /** As `keep`, and the messenger is told. */
  async grow(bytes: number, ended = false): Promise<void> {
    this.keep(bytes)
    await filesOf(this.side).streams.grow(this.ids(), { bytes: this.bytes, ended })
  }
}

/** ana offers to bo, and to others, what comes through a pipe; `first` bytes have come. */
export async function piped(
  { world, ana, bo }: Pair,
  { first = 1.5 * MIB, size = 5.3 * MIB, others = [] as readonly Side[] } = {},
): Promise<{ readonly pipe: Pipe; readonly transfer: Transfer }> {
  const sent: Transfer[] = []
  const pipe = new Pipe(ana, Math.round(size), () => sent.map(({ id }) => id))
  pipe.keep(Math.round(first))
  const contacts = [bo, ...others].map(({ node }) => world.contactOf(ana.node, node))
  sent.push(...(await filesOf(ana).streams.offer(contacts, 'pipe')))
  await world.run(1_000)
  const [transfer] = sent
  if (transfer === undefined) throw new Error('nothing was offered')
  return { pipe, transfer }
}
