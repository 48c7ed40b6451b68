/** Files of Node.js in a folder of their own. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NodeFiles } from '../files/node-files.ts'

export function place() {
  const top = mkdtempSync(join(tmpdir(), 'skein-files-'))
  const make = (): NodeFiles => new NodeFiles({ stateFolder: join(top, 'state'), defaultFolder: join(top, 'received') })
  const running = [make()]
  return {
    top,
    make: () => {
      const next = make()
      running.push(next)
      return next
    },
    first: running[0] as NodeFiles,
    end: async () => {
      for (const each of running) await each.stop()
      rmSync(top, { recursive: true, force: true })
    },
  }
}
