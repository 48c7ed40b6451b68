/** `skein mesh`: who is near, what leads where, and what is carried. */
import { readFileSync, statSync } from 'node:fs'
import { decodeCarryFile, encodeCarryFile, MAX_CARRY_FILE_BYTES, SkeinError } from '@skein/core'
import type { MeshView } from '@skein/node/api'
import { type Session, withApi } from './commands.ts'
import { oneLine } from './terminal-text.ts'
import { writeNew } from './write-new.ts'

const WHY_OFF = {
  option: '--no-mesh',
  'no-lan': '--no-lan, and no --bridge',
  browser: 'a browser has no way to its neighbours',
} as const

const PARTS: Readonly<Record<string, (mesh: MeshView) => string>> = {
  status: ({ enabled, off, clock_differs: isOtherTime, neighbours, bundles, routes, pieces, used_bytes: used, capacity_bytes: room }) =>
    enabled
      ? [
          ...(isOtherTime
            ? ['  clock       differs by days from those of the neighbours; nothing goes or comes until the date is set']
            : []),
          `  neighbours  ${neighbours.length}`,
          ...neighbours.map((each) => `    ${each.device}  ${oneLine(each.name) || 'somebody near'}`),
          `  routes      ${routes.length}`,
          `  carried     ${bundles.length} (${kilobytes(used)} of ${kilobytes(room)})`,
          `  large       ${largeOnes(pieces)}`,
        ].join('\n')
      : `This node is part of no mesh${off === null ? '' : ` (${WHY_OFF[off]})`}.`,
  routes: ({ routes }) =>
    routes
      .flatMap(({ address, name, ways }) =>
        ways.map(({ device, hops, quality }) => `${address}  ${oneLine(name)}  ${hops} hops over ${device}  quality ${quality.toFixed(2)}`),
      )
      .join('\n') || 'No route is known; the first message finds one.',
  bundles: ({ bundles }) =>
    bundles
      .map(
        ({ id, address, bytes, own, hops, copies, piece }) =>
          `${id}  to ${address}  ${bytes} bytes  ${own ? 'ours' : `${hops} hops`}  ${copies} copies${piece ? '  a piece' : ''}`,
      )
      .join('\n') || 'Nothing is carried.',
}

export const mesh = (session: Session, what: string): Promise<number> =>
  withApi(session, async (api) => {
    const part = Object.hasOwn(PARTS, what) ? PARTS[what] : undefined
    if (part === undefined)
      throw new SkeinError('USAGE', `«${what}» is not a part of the mesh; there are ${Object.keys(PARTS).join(', ')}.`)
    const view = await api.mesh()
    session.output.result(view, part(view))
  })

/** How large messages have gone since the start. */
const largeOnes = ({ over_ways: ways, over_carriers: carriers, as_copies: copies, over_one_way: one }: MeshView['pieces']): string =>
  [
    [ways, 'in pieces over separate ways'],
    [carriers, 'in pieces with separate carriers'],
    [copies, 'whole, since pieces would have been worse'],
    [one, 'whole, since there was one way only'],
  ]
    .filter(([count]) => count !== 0)
    .map(([count, how]) => `${count} ${how}`)
    .join(', ') || 'none yet'

const kilobytes = (bytes: number): string => `${Math.round(bytes / 1_024)} KiB`

/** Sent to the node at once; small enough for every API there is. */
const BATCH = 2

/** `skein carry export FILE` and `skein carry import FILE`: what is carried goes by hand, on a stick for example. */
export const carry = (session: Session, way: string, file: string): Promise<number> => {
  if (way === 'export') return carryOut(session, file)
  if (way === 'import') return carryIn(session, file)
  throw new SkeinError('USAGE', `«${way}» is not a way; there are export and import.`)
}

const carryOut = (session: Session, file: string): Promise<number> =>
  withApi(session, async (api) => {
    const bundles: Uint8Array[] = []
    for (let after: string | null | undefined; after !== null; ) {
      const page = await api.carried(after === undefined ? {} : { after })
      bundles.push(...page.bundles.map((text) => new Uint8Array(Buffer.from(text, 'base64'))))
      after = page.next
    }
    writeNew(file, encodeCarryFile(bundles))
    session.output.result({ file, bundles: bundles.length }, `${bundles.length} sealed messages are in ${file}.`)
  })

const carryIn = (session: Session, file: string): Promise<number> =>
  withApi(session, async (api) => {
    const bundles = parsed(read(file)).map((bytes) => Buffer.from(bytes).toString('base64'))
    const counts = { taken: 0, known: 0, refused: 0, no_room: 0, late: 0, later: 0 }
    for (let at = 0; at < bundles.length; at += BATCH) {
      const batch = await api.carry({ bundles: bundles.slice(at, at + BATCH) })
      for (const name of ['taken', 'known', 'refused', 'no_room', 'late', 'later'] as const) counts[name] += batch[name]
    }
    const why = `${counts.no_room} for lack of room, ${counts.late} too late, ${counts.later} on their way in or not to be opened yet`
    const keep = counts.later > 0 ? ' Keep the file, and try it again later.' : ''
    session.output.result(counts, `${counts.taken} taken, ${counts.known} known already, ${counts.refused} refused (${why}).${keep}`)
  })

function read(file: string): Uint8Array {
  try {
    if (statSync(file).size > MAX_CARRY_FILE_BYTES) throw new RangeError('too large')
    return new Uint8Array(readFileSync(file))
  } catch (cause) {
    throw new SkeinError('USAGE', `The file ${oneLine(file)} cannot be read, or is too large.`, { cause })
  }
}

function parsed(bytes: Uint8Array): readonly Uint8Array[] {
  try {
    return decodeCarryFile(bytes)
  } catch (cause) {
    throw new SkeinError('BAD_FRAME', 'This is no file of carried messages, or it is damaged.', { cause })
  }
}
