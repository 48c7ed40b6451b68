/** Browsers begin to read a file after the click that saves it, some much later, ms. */
const READ_WITHIN_MS = 60_000

/** Hands a file to the user, as a download; whether it has been kept, nobody tells. */
export function saveFile(file: Blob, name: string): void {
  const url = URL.createObjectURL(file)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.hidden = true
  // Some follow only links of the page.
  document.body.append(link)
  link.click()
  link.remove()
  setTimeout(() => URL.revokeObjectURL(url), READ_WITHIN_MS)
}
