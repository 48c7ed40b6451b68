// `npm run bench -- SUITE [--json]`: one suite, one document. Everything is measured side by side in one run.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const SUITES = { message: 'message.mjs', e2ee: 'e2ee.mjs' }
const args = process.argv.slice(2)
const suite = args.find((arg) => !arg.startsWith('-')) ?? ''
const file = SUITES[suite]
if (file === undefined) {
  process.stderr.write(`bench: no suite «${suite}»; there are: ${Object.keys(SUITES).join(', ')}\n`)
  process.exit(2)
}
const child = spawn(process.execPath, ['--expose-gc', join(fileURLToPath(new URL('.', import.meta.url)), 'suites', file), ...args], {
  stdio: 'inherit',
})
child.on('exit', (code) => process.exit(code ?? 1))
