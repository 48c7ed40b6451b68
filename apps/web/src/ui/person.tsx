/** A person's picture and name, wherever they appear. */
import { useStrings } from '../client/context.tsx'

/** The first character that one sees, which may be several code units; what only turns the order of others is none. */
const initialOf = (name: string): string => {
  for (const { segment } of new Intl.Segmenter().segment(name.slice(0, 80)))
    if (/[^\p{C}\p{Z}\p{M}]/u.test(segment)) return segment.toLocaleUpperCase()
  return '?'
}

export function Avatar({ name, online = false }: { readonly name: string; readonly online?: boolean }) {
  const { people } = useStrings()
  return (
    <span className="relative shrink-0">
      <span
        aria-hidden="true"
        className="grid size-11 place-items-center overflow-hidden rounded-full bg-accent text-lg font-semibold text-on-accent"
      >
        {initialOf(name)}
      </span>
      {online ? (
        <span
          role="img"
          aria-label={people.online}
          title={people.online}
          className="absolute end-0 bottom-0 size-3 rounded-full border-2 border-surface bg-good"
        />
      ) : null}
    </span>
  )
}

/** One line of a name that somebody else chose. */
export function Name({ name, className = '' }: { readonly name: string; readonly className?: string }) {
  const { general } = useStrings()
  return (
    <bdi dir="auto" className={`foreign block min-w-0 truncate ${className}`}>
      {name.trim() === '' ? general.noName : name}
    </bdi>
  )
}
