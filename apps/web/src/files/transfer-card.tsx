/** One transfer: what it is, how far it is, and what can be done with it. */
import type { ApiClient, TransferView } from '@skein/node/browser'
import { useState } from 'react'
import { useDuration } from '../chats/message-body.tsx'
import { useClient, useModel } from '../client/context.tsx'
import { useObservable } from '../client/observable.ts'
import { useFileStrings, useProblem } from './use-file-strings.ts'
import { Button } from '../ui/button.tsx'
import { TextField } from '../ui/field.tsx'
import { Note } from '../ui/note.tsx'
import { useAmount } from './amounts.ts'
import { canAsk, download, saveAs } from './exchange.ts'
import { FileButton } from './file-button.tsx'
import { isOnDisk } from './places.ts'
import { reasonText } from './reason-text.ts'
import { receivingFolderOf, requireFolder } from './receiving-folder.ts'
import { useFileTarget } from './use-file-target.ts'

export interface TransferCardProps {
  readonly transfer: TransferView
  /** Name and contact are said elsewhere. */
  readonly brief?: boolean
}

export function TransferCard({ transfer, brief = false }: TransferCardProps) {
  const words = useFileStrings()
  const amount = useAmount()
  const { name, contact_name, direction, entries, total, bytes, state, growing } = transfer
  const isMoving = state === 'running' || state === 'paused' || (state === 'waiting' && bytes > 0)
  return (
    <div className="grid min-w-0 gap-2" data-transfer={transfer.transfer} data-transfer-state={state}>
      <p className="foreign font-medium">{name}</p>
      <p className="text-sm text-quiet">
        {brief ? null : <bdi>{direction === 'in' ? words.from(contact_name) : words.toWhom(contact_name)} · </bdi>}
        {entries > 0 ? `${words.entries(entries)} · ` : ''}
        {growing ? words.soFar(amount(isMoving ? bytes : total)) : isMoving ? words.of(amount(bytes), amount(total)) : amount(total)}
      </p>
      {isMoving ? (
        <progress
          aria-label={words.progress(name)}
          value={growing ? undefined : bytes}
          max={Math.max(1, total)}
          className="h-2 w-full accent-accent"
        />
      ) : null}
      <StateLine transfer={transfer} />
      <Buttons transfer={transfer} />
    </div>
  )
}

function StateLine({ transfer }: { readonly transfer: TransferView }) {
  const { state, direction, reason, rate, left_ms, path, bytes, moved, queue, offered_anew } = transfer
  const words = useFileStrings()
  const amount = useAmount()
  const duration = useDuration()
  if (offered_anew) return <p className="text-sm text-quiet">{words.offeredAnew}</p>
  if (queue !== null) return <p className="text-sm text-quiet">{words.queued(queue)}</p>
  if (reason !== null) return <p className={`text-sm ${state === 'failed' ? 'text-danger' : 'text-quiet'}`}>{reasonText(words, reason)}</p>
  if (state === 'done' && direction === 'in' && path === null) return <p className="text-sm text-quiet">{words.removed}</p>
  if (state === 'done')
    return direction === 'in' && path !== null && isOnDisk(path) ? <p className="foreign text-sm">{words.savedAt(path)}</p> : null
  if (state === 'running' && rate > 0)
    return (
      <p className="text-sm text-quiet">
        {words.perSecond(amount(rate))}
        {left_ms === null ? '' : ` · ${words.left(duration(Math.max(1_000, left_ms)))}`}
      </p>
    )
  const isOurs = state === 'waiting' && direction === 'out'
  const notYet = bytes === 0 && moved === 0 ? words.notYet : words.untilBoth
  return <p className="text-sm text-quiet">{isOurs ? notYet : words.states[state]}</p>
}

type Wish = 'accept' | 'pause' | 'resume' | 'end'

function wishesOf({ state, direction }: TransferView): readonly Wish[] {
  if (state === 'offered') return direction === 'in' ? ['accept', 'end'] : ['end']
  if (state === 'waiting' || state === 'running') return ['pause', 'end']
  return state === 'paused' ? ['resume', 'end'] : []
}

function Buttons({ transfer }: { readonly transfer: TransferView }) {
  const words = useFileStrings()
  const { api } = useClient()
  const act = useFileAction()
  const labels: Readonly<Record<Wish, string>> = {
    accept: words.accept,
    pause: words.pause,
    resume: words.resume,
    end: transfer.state === 'offered' ? words.decline : words.cancel,
  }
  const usual = useObservable(receivingFolderOf(useModel()))
  const [folder, setFolder] = useState<string>()
  const isAsked = usual !== '' && wishesOf(transfer).includes('accept')
  const where = folder === undefined || folder === usual ? undefined : folder
  const ask = (wish: Wish) => (): void => act.run(() => askFor(api, wish, { ...transfer, where }))
  return (
    <div className="flex flex-wrap items-end gap-2 empty:hidden">
      {isAsked ? (
        <div className="min-w-0 basis-full">
          <TextField label={words.intoWhich} value={folder ?? usual} onChange={({ target }) => setFolder(target.value)} />
        </div>
      ) : null}
      {wishesOf(transfer).map((wish) => (
        <Button key={wish} look={wish === 'accept' ? 'main' : 'plain'} disabled={act.busy} onClick={ask(wish)}>
          {labels[wish]}
        </Button>
      ))}
      {isHere(transfer) ? <Keeping transfer={transfer} /> : null}
      {transfer.state === 'failed' && transfer.direction === 'out' && !transfer.offered_anew ? <Again contact={transfer.contact} /> : null}
      {act.problem === undefined ? null : <Note look="danger">{act.problem}</Note>}
    </div>
  )
}

interface Asked extends Pick<TransferView, 'transfer'> {
  /** Where it is to go, if not to the usual folder. */
  readonly where: string | undefined
}

async function askFor(api: ApiClient | undefined, wish: Wish, { transfer, where }: Asked): Promise<void> {
  if (wish === 'accept' && where !== undefined) await api?.accept({ transfer, folder: requireFolder(where) })
  else await api?.[wish]({ transfer })
}

/** Whole, and kept by this browser. */
const isHere = ({ state, direction, path }: TransferView): boolean =>
  state === 'done' && direction === 'in' && path !== null && !isOnDisk(path)

/** Names that are told at once. */
const MAX_TOLD = 10

function Keeping({ transfer }: { readonly transfer: TransferView }) {
  const words = useFileStrings()
  const act = useFileAction()
  const [renamed, setRenamed] = useState<readonly string[]>([])
  const { api } = useClient()
  return (
    <>
      <Button look="main" disabled={act.busy} onClick={() => act.run(() => download(transfer))}>
        {transfer.entries > 0 ? words.saveArchive : words.save}
      </Button>
      {canAsk(transfer) ? (
        <Button disabled={act.busy} onClick={() => act.run(async () => setRenamed(await saveAs(transfer)))}>
          {words.saveAs}
        </Button>
      ) : null}
      <Button look="bare" disabled={act.busy} onClick={() => act.run(async () => api?.removeReceived({ transfer: transfer.transfer }))}>
        {words.remove}
      </Button>
      {renamed.length === 0 ? null : (
        <Note look="good">{words.renamed([...renamed.slice(0, MAX_TOLD), ...(renamed.length > MAX_TOLD ? ['…'] : [])].join(', '))}</Note>
      )}
      {act.problem === undefined ? null : <Note look="danger">{act.problem}</Note>}
    </>
  )
}

function Again({ contact }: { readonly contact: string }) {
  const words = useFileStrings()
  const { busy, problem, send } = useFileTarget([contact])
  return (
    <>
      <FileButton label={words.again} isDisabled={busy} onFiles={send} className="min-h-11 rounded-lg border border-line px-4">
        {words.again}
      </FileButton>
      {problem === undefined ? null : <Note look="danger">{problem}</Note>}
    </>
  )
}

interface FileAction {
  readonly busy: boolean
  readonly problem: string | undefined
  run(work: () => Promise<unknown>): void
}

function useFileAction(): FileAction {
  const say = useProblem()
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<string>()
  const run = (work: () => Promise<unknown>): void => {
    setBusy(true)
    setProblem(undefined)
    work()
      .catch((error: unknown) => setProblem(say(error)))
      .finally(() => setBusy(false))
  }
  return { busy, problem, run }
}
