/** By what way a contact is reached, and why not by a better one: what `skein why` says. */
import type { WhyView } from '@skein/node/browser'
import { useEffect, useState } from 'react'
import { useClient, useStrings } from '../client/context.tsx'
import { pathTo } from '../shell/status-bar.tsx'
import { useRareStrings } from '../ui/use-rare-strings.ts'
import { askAgain } from './ask-again.ts'
import { sayWay } from './way-sentences.ts'

export function PathDetails({ contact }: { readonly contact: string }) {
  const { peers } = useClient()
  // Asked anew at once when the way has changed.
  return <Why key={pathTo(peers, contact)} contact={contact} />
}

function Detail({ detail }: { readonly detail: string }) {
  const { doctor } = useRareStrings()
  // That it is in use has been said.
  if (detail === '' || detail === 'in use') return null
  const { sentence, quoted } = sayWay(doctor.ways, detail)
  return (
    <span className="foreign block text-quiet">
      {sentence} {quoted === undefined ? null : <q lang="en">{quoted}</q>}
    </span>
  )
}

function Why({ contact }: { readonly contact: string }) {
  const { path: words } = useRareStrings()
  const { api } = useClient()
  const [why, setWhy] = useState<WhyView>()
  useEffect(() => (api === undefined ? undefined : askAgain(() => api.why({ contact }), setWhy)), [api, contact])
  if (why === undefined) return null
  const others = why.devices.filter(({ device }) => device !== why.device)
  return (
    <>
      <Way way={why} />
      {others.map((each) => (
        <Way key={each.device} way={each} title={words.device(each.device.slice(-6))} />
      ))}
    </>
  )
}

type WayParts = Pick<WhyView, 'path' | 'rtt_ms' | 'reasons'>

function Way({ way, title }: { readonly way: WayParts; readonly title?: string }) {
  const { status } = useStrings()
  const { path: words } = useRareStrings()
  const known: Readonly<Record<string, string>> = words.rungs
  const outcomes: Readonly<Record<string, string>> = words.outcomes
  return (
    <details className="text-sm">
      <summary className="min-h-11 cursor-pointer content-center font-medium">
        {title === undefined ? null : `${title}: `}
        {status.path[way.path]}
        {way.rtt_ms === null ? null : ` · ${Math.round(way.rtt_ms)} ms`}
      </summary>
      <ul className="grid gap-2 pl-4">
        {way.reasons.map(({ rung, outcome, detail }) => (
          <li key={rung}>
            {known[rung] ?? rung}: {outcomes[outcome] ?? outcome}
            <Detail detail={detail} />
          </li>
        ))}
      </ul>
    </details>
  )
}
