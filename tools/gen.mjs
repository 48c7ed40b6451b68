// Regenerates the protobuf codecs from packages/core/src/wire/proto; the result is committed.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const core = fileURLToPath(new URL('../packages/core', import.meta.url))
const done = spawnSync(join(core, '../../node_modules/.bin/buf'), ['generate'], { cwd: core, stdio: 'inherit', shell: process.platform === 'win32' })
process.exit(done.status ?? 1)
