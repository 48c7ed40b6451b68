import { describe, expect, it } from 'vitest'
import { partsOf } from './text-parts.ts'

const links = (text: string): readonly string[] => partsOf(text).flatMap(({ href }) => (href === undefined ? [] : [href]))

describe('links in a text', () => {
  it('[UI16] web addresses are links, and nothing else is', () => {
    expect(links('see https://example.org/a?b=c#d, and HTTP://example.com.')).toEqual(['https://example.org/a?b=c#d', 'HTTP://example.com'])
    for (const none of [
      'javascript:alert(1)',
      'data:text/html,x',
      'file:///etc/passwd',
      'example.org',
      'a@example.org',
      'javascript://https',
    ])
      expect(links(none)).toEqual([])
  })

  it('[UI16] the text stays what it was', () => {
    for (const text of ['', 'no link', 'https://a.example https://b.example/', '\u202ehttps://evil.example\u202c <script>'])
      expect(
        partsOf(text)
          .map((each) => each.text)
          .join(''),
      ).toBe(text)
  })
})
