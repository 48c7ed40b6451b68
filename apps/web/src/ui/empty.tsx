import type { LucideIcon } from 'lucide-react'
import type { ReactNode } from 'react'

export interface EmptyProps {
  readonly icon: LucideIcon
  readonly title: string
  readonly hint?: string
  readonly children?: ReactNode
}

export function Empty({ icon: Icon, title, hint, children }: EmptyProps) {
  return (
    <div className="grid justify-items-center gap-3 p-8 text-center">
      <Icon aria-hidden="true" size={40} className="text-quiet" />
      <p className="font-medium">{title}</p>
      {hint === undefined ? null : <p className="max-w-sm text-quiet">{hint}</p>}
      {children}
    </div>
  )
}
