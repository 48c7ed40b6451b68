/** A text of somebody else, whose web addresses can be followed. Loaded where there may be one. */
import { useMemo } from 'react'
import { partsOf } from './text-parts.ts'

export function LinkedText({ text }: { readonly text: string }) {
  const parts = useMemo(() => partsOf(text), [text])
  return parts.map(({ text: part, href }, at) =>
    href === undefined ? (
      part
    ) : (
      // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a text have no other identity
      <a key={at} href={href} target="_blank" rel="noopener noreferrer" className="underline">
        {part}
      </a>
    ),
  )
}
