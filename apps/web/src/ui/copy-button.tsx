import { Check, Copy } from 'lucide-react'
import { useState } from 'react'
import { useStrings } from '../client/context.tsx'
import { Button } from './button.tsx'

/** Absent where the page may not write to the clipboard: the text beside it can be selected. */
export function CopyButton({ text }: { readonly text: string }) {
  const { general } = useStrings()
  const [copied, setCopied] = useState<string>()
  const clipboard = (navigator as Partial<Navigator>).clipboard
  if (clipboard === undefined) return null
  const copy = (): void =>
    void clipboard.writeText(text).then(
      () => setCopied(text),
      () => undefined,
    )
  const Icon = copied === text ? Check : Copy
  return (
    <Button onClick={copy}>
      <Icon aria-hidden="true" size={18} />
      <span aria-live="polite">{copied === text ? general.copied : general.copy}</span>
    </Button>
  )
}
