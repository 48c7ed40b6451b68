/** Says why there is no client, in a window: whoever has clicked on an icon sees no terminal. */
import { openWindow } from './chromium.ts'

/** Resolves when it has been closed. @param profile as of `openWindow` */
export async function sayInWindow(chromium: string, { text, profile }: { readonly text: string; readonly profile: string }): Promise<void> {
  await openWindow(chromium, { url: pageWith(text), profile }).exited
}

/** A page that holds nothing but a text. */
function pageWith(text: string): string {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  const style = 'font: 1.1em sans-serif; margin: 2em; white-space: pre-wrap'
  const html = `<!doctype html><meta charset="utf-8"><title>Skein</title><p style="${style}">${escaped}</p>`
  return `data:text/html;charset=utf-8,${encodeURIComponent(html)}`
}
