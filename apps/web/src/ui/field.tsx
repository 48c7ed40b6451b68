import { useId, type InputHTMLAttributes, type ReactNode, type SelectHTMLAttributes, type TextareaHTMLAttributes } from 'react'

const BOX = 'min-h-11 w-full rounded-lg border border-quiet bg-surface px-3 py-2 text-ink'

interface Labelled {
  readonly label: string
  readonly hint?: string
}

interface FirstField {
  /** What its dialog is about. */
  readonly 'data-first'?: boolean
}

interface FrameProps extends Labelled {
  readonly id: string
  readonly children: ReactNode
}

function Frame({ id, label, hint, children }: FrameProps) {
  return (
    <div className="grid grid-cols-1 gap-1">
      <label htmlFor={id} className="text-sm font-medium">
        {label}
      </label>
      {children}
      {hint === undefined ? null : (
        <p id={`${id}-hint`} className="text-sm text-quiet">
          {hint}
        </p>
      )}
    </div>
  )
}

const described = (id: string, hint: string | undefined) => (hint === undefined ? {} : { 'aria-describedby': `${id}-hint` })

export function TextField({ label, hint, ...rest }: Labelled & FirstField & InputHTMLAttributes<HTMLInputElement>) {
  const id = useId()
  return (
    <Frame id={id} label={label} {...(hint === undefined ? {} : { hint })}>
      <input id={id} className={BOX} dir="auto" {...described(id, hint)} {...rest} />
    </Frame>
  )
}

export function TextArea({ label, hint, ...rest }: Labelled & TextareaHTMLAttributes<HTMLTextAreaElement>) {
  const id = useId()
  return (
    <Frame id={id} label={label} {...(hint === undefined ? {} : { hint })}>
      <textarea id={id} className={BOX} rows={3} {...described(id, hint)} {...rest} />
    </Frame>
  )
}

export function SelectField({ label, hint, ...rest }: Labelled & SelectHTMLAttributes<HTMLSelectElement>) {
  const id = useId()
  return (
    <Frame id={id} label={label} {...(hint === undefined ? {} : { hint })}>
      <select id={id} className={BOX} {...described(id, hint)} {...rest} />
    </Frame>
  )
}
