import type { MeshView } from '@skein/node/browser'
import dynamic from 'next/dynamic'
import { NotLoaded } from '../ui/not-loaded.tsx'
import { useMemo } from 'react'
import { useClient, useStrings } from '../client/context.tsx'
import { Page, Section } from '../ui/page.tsx'
import { Name } from '../ui/person.tsx'
import { Diagnosis } from './diagnosis.tsx'
import { useTimes } from '../ui/times.ts'
import { carriedRows } from './carried-rows.ts'
import { networkGraph } from './graph.ts'
import { useMesh } from './use-mesh.ts'
import { useRareStrings } from '../ui/use-rare-strings.ts'

const NetworkMap = dynamic(() => import('./network-map.tsx').then((module) => module.NetworkMap), { ssr: false, loading: NotLoaded })

export function Network() {
  const strings = useStrings()
  const { status, peers } = useClient()
  const mesh = useMesh()
  const { network: words } = useRareStrings()
  const relays = status?.relays ?? []
  const graph = useMemo(() => (status === undefined ? undefined : networkGraph({ status, peers, mesh })), [status, peers, mesh])
  return (
    <Page title={words.title}>
      <Section title={words.map}>
        {graph === undefined ? null : <NetworkMap graph={graph} you={words.you} somebody={words.somebody} />}
        <p className="text-sm text-quiet">{words.hint}</p>
      </Section>
      <Mesh mesh={mesh} />
      <Section title={words.relays}>
        {relays.length === 0 ? <p className="text-quiet">{words.none}</p> : null}
        <ul className="grid grid-cols-1 gap-2">
          {relays.map(({ url, reserved, connected, gives_places }) => (
            <li key={url} className="foreign">
              {reserved || (connected && !gives_places)
                ? strings.status.joined(url)
                : connected
                  ? strings.status.joining(url)
                  : strings.status.away(url)}
            </li>
          ))}
        </ul>
      </Section>
      <Section title={words.devices}>
        {peers.length === 0 ? <p className="text-quiet">{words.none}</p> : null}
        <ul className="grid grid-cols-1 gap-2">
          {peers.map(({ device, name, path, online }) => (
            <li key={device} className="flex flex-wrap justify-between gap-2">
              <Name name={name} />
              <span className="text-quiet">{online || path !== 'none' ? strings.status.path[path] : strings.people.offline}</span>
            </li>
          ))}
        </ul>
      </Section>
      <Diagnosis />
    </Page>
  )
}

/** What the map shows of the mesh, and what it carries, as tables. */
function Mesh({ mesh }: { readonly mesh: MeshView | undefined }) {
  const { network: words } = useRareStrings()
  const times = useTimes()
  if (mesh === undefined) return null
  if (!mesh.enabled)
    return (
      <Section title={words.mesh}>
        <p className="text-quiet">{words.noMesh[mesh.off ?? 'option']}</p>
      </Section>
    )
  const who = (name: string, device: string): string => (name === '' ? `${words.somebody} ${device.slice(-6)}` : name)
  const named = new Map(mesh.neighbours.map(({ device, name }) => [device, who(name, device)]))
  return (
    <Section title={words.mesh}>
      {mesh.clock_differs && <p role="alert">{words.clock}</p>}
      <Table
        caption={words.neighbours}
        heads={[words.who, words.since, words.routes]}
        rows={mesh.neighbours.map(({ device, name, since, routes }) => [who(name, device), times.time(since), `${routes}`])}
        none={words.none}
      />
      <Table
        caption={words.routes}
        heads={[words.who, words.over, words.hops]}
        rows={mesh.routes.flatMap(({ address, name, ways }) =>
          ways.slice(0, 1).map(({ device, hops }) => [name === '' ? address : name, named.get(device) ?? device.slice(-6), `${hops}`]),
        )}
        none={words.none}
      />
      <Table
        caption={words.bundles}
        heads={[words.who, words.count, words.size, words.whose]}
        rows={carriedRows(mesh).map(({ name, address, count, bytes, own }) => [
          name === '' ? address : name,
          `${count}`,
          `${Math.ceil(bytes / 1_024)} KiB`,
          own ? words.yours : words.others,
        ])}
        none={words.none}
      />
      <p className="text-quiet">{words.carried(mesh.carried_count, Math.ceil(mesh.used_bytes / 1_024))}</p>
    </Section>
  )
}

interface TableProps {
  readonly caption: string
  readonly heads: readonly string[]
  readonly rows: readonly (readonly string[])[]
  readonly none: string
}

function Table({ caption, heads, rows, none }: TableProps) {
  if (rows.length === 0)
    return (
      <p className="text-quiet">
        {caption}: {none}
      </p>
    )
  return (
    <div className="overflow-x-auto">
      <table className="w-full text-left">
        <caption className="pb-1 text-left text-sm text-quiet">{caption}</caption>
        <thead>
          <tr>
            {heads.map((head) => (
              <th key={head} scope="col" className="pr-3 font-medium">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.join(' ')}>
              {row.map((cell, at) => (
                <td key={heads[at]} className="foreign pr-3">
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
