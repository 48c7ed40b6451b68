import { Check, Copy } from 'lucide-react'
import { useState } from 'react'
import { useStrings } from '../client/context.tsx'
import { copyText } from './clipboard.ts'
import { Button } from './button.tsx'

export function CopyButton({ text }: { readonly text: string }) {
  const { general } = useStrings()
  const [copied, setCopied] = useState<string>()
  const copy = (): void =>
    void copyText(text).then(
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
