/** People of whom several can be chosen. */
import type { ConversationView } from '@skein/node/browser'
import { useId } from 'react'
import { Name } from './person.tsx'

export interface RecipientsProps {
  readonly label: string
  readonly people: readonly ConversationView[]
  /** Accounts. */
  readonly chosen: ReadonlySet<string>
  onChange(chosen: ReadonlySet<string>): void
}

export function Recipients({ label, people, chosen, onChange }: RecipientsProps) {
  const group = useId()
  const toggle = (contact: string): void => {
    const next = new Set(chosen)
    if (!next.delete(contact)) next.add(contact)
    onChange(next)
  }
  return (
    <fieldset className="grid grid-cols-1 gap-1">
      <legend className="text-sm font-medium">{label}</legend>
      <div className="max-h-48 overflow-y-auto rounded-lg border border-line">
        {people.map(({ contact, name }) => (
          <label key={contact} htmlFor={`${group}-${contact}`} className="flex min-h-11 min-w-0 items-center gap-3 px-3 hover:bg-page">
            <input
              id={`${group}-${contact}`}
              type="checkbox"
              checked={chosen.has(contact)}
              onChange={() => toggle(contact)}
              className="size-5 shrink-0 accent-accent"
            />
            <Name name={name} />
          </label>
        ))}
      </div>
    </fieldset>
  )
}
