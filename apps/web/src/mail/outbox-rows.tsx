/** Where one message is, for each device that does not have it yet, and why; it can be given up. */
import type { OutboxView } from '@skein/node/browser'
import { useClient } from '../client/context.tsx'
import type { RareStrings } from '../strings/rare-en.ts'
import { Note } from '../ui/note.tsx'
import { useTimes } from '../ui/times.ts'
import { useAction } from '../ui/use-action.ts'
import { useRareStrings } from '../ui/use-rare-strings.ts'

/** Of a device's id: enough to tell one from another. */
export const SHOWN_OF_ID = 6

export function OutboxRows({ rows }: { readonly rows: readonly [OutboxView, ...OutboxView[]] }) {
  const { delivery: words } = useRareStrings()
  const { api } = useClient()
  const times = useTimes()
  const { busy, problem, run } = useAction()
  const [{ id, expires_at: until }] = rows
  return (
    <div className="grid grid-cols-1 gap-1 text-sm text-quiet">
      <ul className="grid grid-cols-1 gap-1">
        {rows.map((row) => (
          <li key={row.device} className="foreign">
            {words.device(row.device.slice(-SHOWN_OF_ID))}: {whereIs(words, row)}
            {row.state === 'queued' && row.next_at > Date.now() ? `; ${words.next(times.time(row.next_at))}` : ''}
          </li>
        ))}
      </ul>
      <p className="flex flex-wrap items-center justify-between gap-2">
        <span>{words.until(times.whole(until))}</span>
        <button
          type="button"
          disabled={busy}
          className="min-h-9 text-danger underline"
          onClick={() => void run(async () => api?.cancel({ id }))}
        >
          {words.giveUp}
        </button>
      </p>
      {problem === undefined ? null : <Note look="danger">{problem}</Note>}
    </div>
  )
}

function whereIs(words: RareStrings['delivery'], { carriers, hold, attempts }: OutboxView): string {
  const relays = carriers.filter((each) => each !== 'mesh').map((each) => words.atRelay(each))
  const held = [...relays, ...(carriers.includes('mesh') ? [words.withOthers] : [])]
  if (held.length > 0) return held.join(', ')
  if (hold !== null) return words.holds[hold]
  return attempts === 0 ? words.onItsWay : words.unreached
}
