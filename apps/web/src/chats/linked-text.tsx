/** A text of somebody else, whose web addresses can be followed. Only what says `http` or `https` itself is one. */
import { find } from 'linkifyjs'
import { useMemo } from 'react'

export interface TextPart {
  readonly text: string
  /** `undefined` for what is no link. */
  readonly href?: string
}

/** The text in parts, in order; nothing is lost or added. */
export function partsOf(text: string): readonly TextPart[] {
  const parts: TextPart[] = []
  let at = 0
  for (const { value, start, end } of find(text, 'url')) {
    if (!/^https?:\/\//i.test(value) || !URL.canParse(value)) continue
    if (start > at) parts.push({ text: text.slice(at, start) })
    parts.push({ text: text.slice(start, end), href: value })
    at = end
  }
  if (at < text.length) parts.push({ text: text.slice(at) })
  return parts
}

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
