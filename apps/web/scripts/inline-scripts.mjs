// Scripts that Next.js writes into pages become files beside them: the policy of the pages forbids all that stand in one.
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Blocks of data are no scripts. */
const INLINE = /<script(?![^>]*\ssrc=)(?![^>]*type="application\/json")[^>]*>([\s\S]*?)<\/script>/g

export const hasInline = (html) => html.search(INLINE) >= 0

/** They run in the order of the page, as those beside them do. @param keep gets each new file: its path in the export, and its code */
export function moveInline(html, keep) {
  return html.replaceAll(INLINE, (_, code) => {
    const path = `_next/static/inline-${createHash('sha256').update(code).digest('hex').slice(0, 16)}.js`
    keep(path, code)
    return `<script src="/${path}" defer=""></script>`
  })
}

/** @param pages names of the pages in the folder of the export */
export function moveInlineScripts(out, pages) {
  for (const name of pages) {
    const file = join(out, name)
    writeFileSync(
      file,
      moveInline(readFileSync(file, 'utf8'), (path, code) => writeFileSync(join(out, path), code)),
    )
  }
}
