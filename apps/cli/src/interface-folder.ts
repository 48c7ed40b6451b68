/** Where the exported interface is: beside the bundle in a package, with the other apps in a checkout. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PLACES = ['../ui', '../../web/out'].map((folder) => fileURLToPath(new URL(folder, import.meta.url)))

/** Nothing where it has not been built. */
export function interfaceFolder(): string | undefined {
  return PLACES.find((folder) => existsSync(join(folder, 'content-security-policy.txt')))
}
