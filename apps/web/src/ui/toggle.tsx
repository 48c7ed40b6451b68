import * as Radix from '@radix-ui/react-switch'
import { useId } from 'react'

export interface ToggleProps {
  readonly label: string
  readonly checked: boolean
  onChange(checked: boolean): void
}

export function Toggle({ label, checked, onChange }: ToggleProps) {
  const id = useId()
  return (
    <div className="flex min-h-11 items-center justify-between gap-4">
      <label htmlFor={id}>{label}</label>
      <Radix.Root
        id={id}
        checked={checked}
        onCheckedChange={onChange}
        className="h-7 w-12 shrink-0 rounded-full border border-quiet bg-page px-0.5 data-[state=checked]:bg-accent"
      >
        <Radix.Thumb className="block size-5 rounded-full bg-quiet transition-transform data-[state=checked]:translate-x-5 data-[state=checked]:bg-on-accent" />
      </Radix.Root>
    </div>
  )
}
