// `npm run natlab`: the laboratory of networks. Checks what it needs, then runs inside.mjs in a sandbox (README.md).
import { fileURLToPath } from 'node:url'
import { ensureNetworkTools } from '../../tools/system-packages.mjs'
import { help, parseOptions, UsageError } from './options.mjs'
import { missing, runInSandbox } from './sandbox.mjs'
import { SCENARIOS } from './scenarios.mjs'

const EXIT = { failed: 1, usage: 2 }
const names = Object.keys(SCENARIOS)

/** One sentence, and with --json the same for machines (CLI.md). */
function fail(code, message) {
  process.stderr.write(`natlab: ${message}\n`)
  if (args.includes('--json')) process.stdout.write(`${JSON.stringify({ error: { code, message } })}\n`)
  return code === 'USAGE' ? EXIT.usage : EXIT.failed
}

async function main() {
  try {
    if (parseOptions(args, names).help) {
      process.stdout.write(help(names))
      return 0
    }
  } catch (error) {
    if (error instanceof UsageError) return fail('USAGE', error.message)
    throw error
  }
  ensureNetworkTools()
  const problem = missing()
  if (problem !== undefined) return fail('UNAVAILABLE', problem)
  return runInSandbox(fileURLToPath(new URL('inside.mjs', import.meta.url)), args)
}

const args = process.argv.slice(2)
process.exitCode = await main()
