/** What was chosen, in slices whose names fit a request of the API each. */
import type { ChosenFile } from '@skein/node/browser/files'

/** Letters of JSON, of at most four bytes each in a request of at most 256 KiB. */
const MAX_LETTERS = 60_000
/** Beside the path: a time, and what the form itself takes. */
const FORM_LETTERS = 60

export function slicesOf(files: readonly ChosenFile[]): readonly (readonly ChosenFile[])[] {
  const slices: ChosenFile[][] = []
  let letters = MAX_LETTERS
  for (const each of files) {
    const more = JSON.stringify(each.path).length + FORM_LETTERS
    if (letters + more > MAX_LETTERS) slices.push([])
    letters = letters + more > MAX_LETTERS ? more : letters + more
    slices.at(-1)?.push(each)
  }
  return slices
}
