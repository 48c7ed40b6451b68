/** A button that lets the user choose files, or a folder. */
import { type ReactNode, useRef } from 'react'

export interface FileButtonProps {
  readonly label: string
  readonly children: ReactNode
  readonly className: string
  readonly folder?: boolean
  readonly isDisabled?: boolean
  onFiles(files: FileList): void
}

export function FileButton({ label, children, className, folder = false, isDisabled = false, onFiles }: FileButtonProps) {
  const field = useRef<HTMLInputElement>(null)
  return (
    <>
      <button
        type="button"
        aria-label={label}
        title={label}
        disabled={isDisabled}
        className={className}
        onClick={() => field.current?.click()}
      >
        {children}
      </button>
      <input
        ref={field}
        type="file"
        multiple
        hidden
        aria-label={label}
        {...(folder ? { webkitdirectory: '' } : {})}
        onChange={({ target }) => {
          if (target.files !== null && target.files.length > 0) onFiles(target.files)
        }}
        // The same file may be chosen again.
        onClick={({ currentTarget }) => {
          currentTarget.value = ''
        }}
      />
    </>
  )
}
