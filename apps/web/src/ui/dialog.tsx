/** A dialog over the page. No overlay of the library's: that one writes a style into the page, which our policy forbids. */
import * as Radix from '@radix-ui/react-dialog'
import { X } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { useStrings } from '../client/context.tsx'

export interface DialogProps {
  readonly title: string
  readonly children: ReactNode
  onClose(): void
}

/** The field that the dialog is about, or the dialog itself, whose title is read then: not the button that closes it. */
function focusFirst(event: Event): void {
  event.preventDefault()
  if (!(event.currentTarget instanceof HTMLElement)) return
  const first = event.currentTarget.querySelector('[data-first]')
  ;(first instanceof HTMLElement ? first : event.currentTarget).focus()
}

export function Dialog({ title, children, onClose }: DialogProps) {
  const { general } = useStrings()
  const [opener] = useState(() => document.activeElement)
  return (
    <Radix.Root open onOpenChange={(open) => (open ? undefined : onClose())}>
      <Radix.Portal>
        <div className="fixed inset-0 z-10 bg-black/50" aria-hidden="true" />
        <Radix.Content
          aria-describedby={undefined}
          onOpenAutoFocus={focusFirst}
          onCloseAutoFocus={(event) => {
            // Without a trigger of its own the library would give the focus to nobody; whoever has taken it keeps it.
            event.preventDefault()
            if (document.activeElement === document.body && opener instanceof HTMLElement) opener.focus()
          }}
          className="fixed inset-x-0 bottom-0 z-20 mx-auto grid max-h-dvh w-full grid-cols-1 max-w-lg gap-4 overflow-y-auto rounded-t-2xl border border-line bg-surface p-5 text-ink sm:inset-y-0 sm:my-auto sm:h-fit sm:rounded-2xl"
        >
          <div className="flex items-start justify-between gap-2">
            <Radix.Title className="foreign text-lg font-semibold">{title}</Radix.Title>
            <Radix.Close aria-label={general.close} className="rounded-lg p-2 hover:bg-page">
              <X aria-hidden="true" size={20} />
            </Radix.Close>
          </div>
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  )
}
