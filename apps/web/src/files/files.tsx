/** All files that are sent and received, and a place to send some from. */
import type { TransferView } from '@skein/node/browser'
import { FolderOpen } from 'lucide-react'
import { useEffect, useState } from 'react'
import { useClient, useModel, useStrings } from '../client/context.tsx'
import { useObservable } from '../client/observable.ts'
import { useFileStrings } from './use-file-strings.ts'
import { buttonClass } from '../ui/button.tsx'
import { Empty } from '../ui/empty.tsx'
import { SelectField } from '../ui/field.tsx'
import { Note } from '../ui/note.tsx'
import { Page, Section } from '../ui/page.tsx'
import { Recipients } from '../ui/recipients.tsx'
import { useAmount } from './amounts.ts'
import { AutoAcceptance } from './auto-acceptance.tsx'
import { FolderChoice } from './folder-choice.tsx'
import { Copying } from './copying.tsx'
import { FileButton } from './file-button.tsx'
import { TransferCard } from './transfer-card.tsx'
import { transfersOf } from './transfers.ts'
import { useFileTarget } from './use-file-target.ts'

export function Files() {
  const { files, general } = useStrings()
  const words = useFileStrings()
  const transfers = useObservable(transfersOf(useModel()))
  return (
    <Page title={files.title}>
      <Sending />
      {transfers === undefined ? <p className="text-quiet">{general.loading}</p> : null}
      {transfers?.length === 0 ? <Empty icon={FolderOpen} title={words.none} hint={words.noneHint} /> : null}
      {transfers === undefined ? null : <Groups transfers={transfers} />}
      <FolderChoice />
      <AutoAcceptance />
      <SpeedCap />
    </Page>
  )
}

function Groups({ transfers }: { readonly transfers: readonly TransferView[] }) {
  const words = useFileStrings()
  const groups = [
    { title: words.offers, states: ['offered'] },
    { title: words.running, states: ['running', 'waiting', 'paused'] },
    { title: words.done, states: ['done'] },
    { title: words.ended, states: ['failed', 'cancelled'] },
  ]
  return groups.map(({ title, states }) => {
    const own = transfers.filter(({ state }) => states.includes(state))
    if (own.length === 0) return null
    return (
      <Section key={title} title={title}>
        <ul className="grid grid-cols-1 gap-4">
          {own.map((each) => (
            <li key={`${each.transfer} ${each.direction}`} className="min-w-0">
              <TransferCard transfer={each} />
            </li>
          ))}
        </ul>
      </Section>
    )
  })
}

function Sending() {
  const words = useFileStrings()
  const { conversations = [] } = useClient()
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const possible = conversations.filter(({ state, blocked }) => state === 'accepted' && !blocked)
  const contacts = possible.map(({ contact }) => contact).filter((contact) => chosen.has(contact))
  const { busy, problem, isOver, handlers, send } = useFileTarget(contacts)
  const { onPaste, ...dropping } = handlers
  usePasted(onPaste)
  const isDisabled = busy || contacts.length === 0
  if (possible.length === 0) return null
  return (
    <div {...dropping} className={`rounded-2xl ${isOver ? 'outline-2 outline-accent' : ''}`}>
      <Section title={words.send}>
        <Recipients label={words.to} people={possible} chosen={chosen} onChange={setChosen} />
        <div className="flex flex-wrap gap-2">
          <FileButton label={words.send} className={buttonClass('main')} isDisabled={isDisabled} onFiles={send}>
            {words.send}
          </FileButton>
          <FileButton label={words.sendFolder} className={buttonClass()} folder isDisabled={isDisabled} onFiles={send}>
            {words.sendFolder}
          </FileButton>
        </div>
        <p className="text-sm text-quiet">{words.drop}</p>
        <Copying />
        {problem === undefined ? null : <Note look="danger">{problem}</Note>}
      </Section>
    </div>
  )
}

/** Where nothing has the focus, or a button, the page itself is pasted to. A dialog over it has what is pasted there. */
function usePasted(take: ((event: ClipboardEvent) => void) | undefined): void {
  useEffect(() => {
    const onPaste = (event: ClipboardEvent): void => {
      if (document.querySelector('[role=dialog]') === null) take?.(event)
    }
    document.addEventListener('paste', onPaste)
    return () => document.removeEventListener('paste', onPaste)
  }, [take])
}

/** Bytes a second; 0 for none. */
const CAPS = [0, 250_000, 1_000_000, 5_000_000, 20_000_000]

function SpeedCap() {
  const words = useFileStrings()
  const amount = useAmount()
  const { api } = useClient()
  const [rate, setRate] = useState<number>()
  useEffect(() => {
    api
      ?.transferRate({})
      .then((now) => setRate(now.rate))
      .catch(() => undefined)
  }, [api])
  if (api === undefined || rate === undefined) return null
  const choose = (next: number): void => {
    setRate(next)
    api.transferRate({ rate: next }).catch(() => setRate(rate))
  }
  const caps = CAPS.includes(rate) ? CAPS : [...CAPS, rate]
  return (
    <SelectField label={words.cap} value={rate} onChange={({ target }) => choose(Number(target.value))}>
      {caps.map((each) => (
        <option key={each} value={each}>
          {each === 0 ? words.noCap : words.perSecond(amount(each))}
        </option>
      ))}
    </SelectField>
  )
}
