/** The version of this program, from the manifest beside its bundle. */
import { readFileSync } from 'node:fs'
import * as z from 'zod'

const MANIFEST = new URL('../package.json', import.meta.url)

export function programVersion(): string {
  return z.looseObject({ version: z.string() }).parse(JSON.parse(readFileSync(MANIFEST, 'utf8'))).version
}
