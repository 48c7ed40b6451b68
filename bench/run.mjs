// `npm run bench -- SUITE [--json]`: one suite, one document. Everything is measured side by side in one run. The suite of
// the web client drives browsers, and so lies with what does that in the tests.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const SUITES = {
  message: 'suites/message.mjs',
  e2ee: 'suites/e2ee.mjs',
  web: '../e2e/bench/web.mjs',
  relay: 'suites/relay.mjs',
  delivery: 'suites/delivery.mjs',
  files: 'suites/files.mjs',
}
const args = process.argv.slice(2)
const suite = args.find((arg) => !arg.startsWith('-')) ?? ''
const file = SUITES[suite]
if (file === undefined) {
  process.stderr.write(`bench: no suite «${suite}»; there are: ${Object.keys(SUITES).join(', ')}\n`)
  process.exit(2)
}
const child = spawn(process.execPath, ['--expose-gc', join(fileURLToPath(new URL('.', import.meta.url)), file), ...args], {
  stdio: 'inherit',
})
child.on('exit', (code) => process.exit(code ?? 1))
