/** Copies a text, also where the page has no clipboard of its own: on an origin that is not secure. Called from a click. */
export async function copyText(text: string): Promise<void> {
  const clipboard = (navigator as Partial<Navigator>).clipboard
  if (clipboard !== undefined) return clipboard.writeText(text)
  const field = document.createElement('textarea')
  field.value = text
  // Within the dialog, if one is open: it takes the focus back from anything outside.
  const place = document.querySelector('[role="dialog"]') ?? document.body
  place.append(field)
  field.select()
  const isCopied = document.execCommand('copy')
  field.remove()
  if (!isCopied) throw new Error('the browser does not copy')
}
