import type { ReactNode } from 'react'

const LOOKS = {
  warn: 'bg-warn text-on-warn',
  danger: 'border border-line bg-surface text-danger',
  good: 'border border-line bg-surface text-good',
} as const

export interface NoteProps {
  readonly look: keyof typeof LOOKS
  readonly children: ReactNode
}

/** Said at once to whoever cannot see it. */
export function Note({ look, children }: NoteProps) {
  return (
    <div role={look === 'danger' ? 'alert' : 'status'} className={`rounded-lg px-3 py-2 text-sm ${LOOKS[look]}`}>
      {children}
    </div>
  )
}
