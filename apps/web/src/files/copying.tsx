/** Says how far copies of what was chosen are, and breaks them off: nothing is offered before they are made. */
import { useObservable } from '../client/observable.ts'
import { Button } from '../ui/button.tsx'
import { useAmount } from './amounts.ts'
import { copies } from './copies.ts'
import { useFileStrings } from './use-file-strings.ts'

/** Smaller ones are made before anybody could read that, in bytes. */
const SHOWN_FROM_BYTES = 20_000_000

export function Copying() {
  const words = useFileStrings()
  const amount = useAmount()
  const all = useObservable(copies).filter(({ total }) => total >= SHOWN_FROM_BYTES)
  return all.map(({ id, done, total, cancel }) => (
    <div key={id} className="grid gap-2 p-2">
      <p className="text-sm text-quiet">{words.copying(amount(done), amount(total))}</p>
      <progress aria-label={words.copying(amount(done), amount(total))} value={done} max={total} className="h-2 w-full accent-accent" />
      <div>
        <Button onClick={cancel}>{words.cancel}</Button>
      </div>
    </div>
  ))
}
