/** That the clock of this device is wrong. */
import { useLook } from '../client/context.tsx'
import { Note } from '../ui/note.tsx'
import { useRareStrings } from '../ui/use-rare-strings.ts'

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const

export function WrongClock({ aheadMs }: { readonly aheadMs: number }) {
  const { language } = useLook()
  const { clock } = useRareStrings()
  const by = Math.abs(aheadMs)
  // Two of a unit at least: an hour and a half is no hour.
  const [unit, length] = UNITS.find(([, each]) => by >= 2 * each) ?? UNITS[2]
  const words = new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'long', maximumFractionDigits: 0 })
  const say = aheadMs > 0 ? clock.ahead : clock.behind
  return (
    <Note look="warn">
      {say(words.format(by / length))} {clock.hint}
    </Note>
  )
}
