/** A text in parts: what is a web address, and what is not. Only what says `http` or `https` itself is one. */
import { find } from 'linkifyjs'

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
