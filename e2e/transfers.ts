/** Files on their way between clients of a laboratory. */
import { createHash, randomBytes } from 'node:crypto'
import { closeSync, createReadStream, openSync, readdirSync, writeSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { join } from 'node:path'
import { befriend, eventually, type Lab, type LabClient, type LabRelay } from './processes.ts'

/** One line of `skein send-file`, `receive` or `transfers`. */
export interface TransferLine {
  readonly transfer: string
  readonly contact: string
  readonly direction: 'in' | 'out'
  readonly state: string
  readonly reason?: string | null
  readonly bytes: number
  readonly total: number
  readonly moved: number
  readonly sha256?: string
  readonly path?: string
}

export interface Two {
  readonly relay: LabRelay
  readonly ana: LabClient
  readonly bo: LabClient
}

/** Two contacts and their relay. */
export async function two(lab: Lab): Promise<Two> {
  const relay = await lab.relay()
  const [ana, bo] = [await lab.client('ana', [relay.url]), await lab.client('bo', [relay.url])]
  await befriend(ana, bo)
  return { relay, ana, bo }
}

const PIECE_BYTES = 4_194_304

/** @returns its SHA-256, in hex */
export function randomFile(path: string, bytes: number): string {
  const hash = createHash('sha256')
  const fd = openSync(path, 'w')
  for (let left = bytes; left > 0; left -= PIECE_BYTES) {
    const piece = randomBytes(Math.min(PIECE_BYTES, left))
    hash.update(piece)
    writeSync(fd, piece)
  }
  closeSync(fd)
  return hash.digest('hex')
}

export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path, { highWaterMark: 1_048_576 }), hash)
  return hash.digest('hex')
}

export function linesOf(out: string): TransferLine[] {
  return out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as TransferLine)
}

/** Offers files; the first transfer. */
export async function send(from: LabClient, to: LabClient, ...paths: readonly string[]): Promise<TransferLine> {
  const { out, code } = await from.run('send-file', to.name, ...paths)
  const [line] = linesOf(out)
  if (code !== 0 || line === undefined) throw new Error(`it was not sent: ${out}`)
  return line
}

export async function transferOf(client: LabClient, { transfer }: Pick<TransferLine, 'transfer'>): Promise<TransferLine | undefined> {
  const { json } = await client.run('transfers')
  return (json.transfers as TransferLine[]).find((each) => each.transfer === transfer)
}

export async function untilState(client: LabClient, transfer: TransferLine, state: string): Promise<TransferLine> {
  let now: TransferLine | undefined
  await eventually(
    `the transfer is ${state} at ${client.name}`,
    async () => {
      now = await transferOf(client, transfer)
      return now?.state === state
    },
    { within: 90_000 },
  )
  if (now === undefined) throw new Error('there is no such transfer')
  return now
}

/** From now on, `from` may send without asking; into `folder`. */
export async function acceptAll(client: LabClient, from: Pick<LabClient, 'name'>, folder: string): Promise<void> {
  const { code, out } = await client.run('receive', '--from', from.name, '--always', '1TB', '--dir', folder)
  if (code !== 0) throw new Error(out)
}

/** What is left of unfinished transfers, in a folder and beside a client's database. */
export function leftovers(folder: string, client: LabClient): string[] {
  const kept = list(join(client.dir, 'files')).filter((name) => name !== 'spool')
  return [...list(folder).filter((name) => name.startsWith('.skein')), ...kept, ...list(join(client.dir, 'files/spool'))]
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
