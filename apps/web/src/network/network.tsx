import { Network as NetworkIcon } from 'lucide-react'
import { useClient, useStrings } from '../client/context.tsx'
import { Empty } from '../ui/empty.tsx'
import { Page, Section } from '../ui/page.tsx'
import { Name } from '../ui/person.tsx'

export function Network() {
  const strings = useStrings()
  const { status, peers } = useClient()
  const words = strings.network
  const relays = status?.relays ?? []
  return (
    <Page title={words.title}>
      <Empty icon={NetworkIcon} title={words.empty} hint={words.hint} />
      <Section title={words.relays}>
        {relays.length === 0 ? <p className="text-quiet">{words.none}</p> : null}
        <ul className="grid gap-2">
          {relays.map(({ url, reserved, connected }) => (
            <li key={url} className="foreign">
              {reserved ? strings.status.joined(url) : connected ? strings.status.joining(url) : strings.status.away(url)}
            </li>
          ))}
        </ul>
      </Section>
      <Section title={words.devices}>
        {peers.length === 0 ? <p className="text-quiet">{words.none}</p> : null}
        <ul className="grid gap-2">
          {peers.map(({ device, name, path, online }) => (
            <li key={device} className="flex flex-wrap justify-between gap-2">
              <Name name={name} />
              <span className="text-quiet">{online || path !== 'none' ? strings.status.path[path] : strings.people.offline}</span>
            </li>
          ))}
        </ul>
      </Section>
    </Page>
  )
}
