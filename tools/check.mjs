// `npm run check`: what can be known without running the program. `npm run fix` also mends format and simple lint.
import { fileURLToPath } from 'node:url'
import { runChecks } from './checks/index.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const { failed } = await runChecks(root, { fix: process.argv.includes('--fix') })
if (failed > 0) {
  console.log(`${failed} ${failed === 1 ? 'check' : 'checks'} failed`)
  process.exitCode = 1
}
