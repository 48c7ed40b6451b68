// Builds the interface: types, pages, then what a static export needs besides: worker, service worker, policy.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writeCompressed } from './compress.mjs'
import { moveInlineScripts } from './inline-scripts.mjs'
import { writePolicy } from './policy.mjs'
import { writeServiceWorker } from './service-worker.mjs'

const APP = fileURLToPath(new URL('..', import.meta.url))
const OUT = join(APP, 'out')
const require = createRequire(import.meta.url)

/** The script behind a package's command. */
function commandOf(name, command) {
  const manifest = require.resolve(`${name}/package.json`)
  return join(dirname(manifest), require(manifest).bin[command])
}

function run(script, args) {
  const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: 'production' }
  const { status } = spawnSync(process.execPath, [script, ...args], { cwd: APP, env, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}

run(commandOf('typescript', 'tsc'), ['-p', 'tsconfig.json', '--pretty', 'false'])
run(commandOf('next', 'next'), ['build'])
run(join(APP, '..', '..', 'tools', 'browser-bundle.mjs'), [OUT])
const pages = readdirSync(OUT, { recursive: true }).filter((name) => name.endsWith('.html'))
moveInlineScripts(OUT, pages)
await writeServiceWorker(APP, OUT)
writePolicy(OUT, pages)
writeCompressed(OUT)
