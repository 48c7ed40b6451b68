/** Where what was received is. */

/** Put there by a program behind the page, on any system; what a browser keeps has no absolute path. */
export function isOnDisk(path: string): boolean {
  return path.startsWith('/') || path.startsWith('\\\\') || /^[A-Z]:[\\/]/i.test(path)
}
