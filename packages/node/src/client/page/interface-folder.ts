/** Where the exported interface is: beside the bundle in a package, with the other apps in a checkout. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PLACES = ['../ui', '../../web/out']
/** An export is whole when its policy is there, which is written last. */
const POLICY = 'content-security-policy.txt'

/** @param from `import.meta.url` of the app's bundle @returns nothing where the interface has not been built */
export function findInterface(from: string): string | undefined {
  return PLACES.map((place) => fileURLToPath(new URL(place, from))).find((folder) => existsSync(join(folder, POLICY)))
}
