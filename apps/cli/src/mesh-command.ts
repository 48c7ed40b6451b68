/** `skein mesh`: who is near, what leads where, and what is carried. */
import { SkeinError } from '@skein/core'
import type { MeshView } from '@skein/node/api'
import { type Session, withApi } from './commands.ts'
import { oneLine } from './terminal-text.ts'

const PARTS: Readonly<Record<string, (mesh: MeshView) => string>> = {
  status: ({ enabled, neighbours, bundles, routes, used_bytes: used, capacity_bytes: room }) =>
    enabled
      ? [
          `  neighbours  ${neighbours.length}`,
          ...neighbours.map((each) => `    ${each.device}  ${oneLine(each.name) || 'somebody near'}`),
          `  routes      ${routes.length}`,
          `  carried     ${bundles.length} (${kilobytes(used)} of ${kilobytes(room)})`,
        ].join('\n')
      : 'This node is part of no mesh (--no-mesh).',
  routes: ({ routes }) =>
    routes
      .flatMap(({ address, name, ways }) =>
        ways.map(({ device, hops, quality }) => `${address}  ${oneLine(name)}  ${hops} hops over ${device}  quality ${quality.toFixed(2)}`),
      )
      .join('\n') || 'No route is known; the first message finds one.',
  bundles: ({ bundles }) =>
    bundles
      .map(
        ({ id, address, bytes, own, hops, copies }) =>
          `${id}  to ${address}  ${bytes} bytes  ${own ? 'ours' : `${hops} hops`}  ${copies} copies`,
      )
      .join('\n') || 'Nothing is carried.',
}

export const mesh = (session: Session, what: string): Promise<number> =>
  withApi(session, async (api) => {
    const part = PARTS[what]
    if (part === undefined)
      throw new SkeinError('USAGE', `«${what}» is not a part of the mesh; there are ${Object.keys(PARTS).join(', ')}.`)
    const view = await api.mesh()
    session.output.result(view, part(view))
  })

const kilobytes = (bytes: number): string => `${Math.round(bytes / 1_024)} KiB`
