// `npm run natlab`: the laboratory of networks. Checks what it needs, then runs inside.mjs in a sandbox (README.md).
import { fileURLToPath } from 'node:url'
import { ensureNetworkTools } from '../../tools/system-packages.mjs'
import { fail } from './failure.mjs'
import { help, parseOptions, UsageError } from './options.mjs'
import { missing, runInSandbox } from './sandbox.mjs'
import { SCENARIOS } from './scenarios.mjs'

const names = Object.keys(SCENARIOS)
const json = process.argv.includes('--json')

function understood() {
  try {
    return parseOptions(args, names)
  } catch (error) {
    if (error instanceof UsageError) return error
    throw error
  }
}

async function main() {
  const options = understood()
  if (options instanceof UsageError) return fail({ code: 'USAGE', message: options.message, json })
  if (options.help) {
    process.stdout.write(help(names))
    return 0
  }
  ensureNetworkTools()
  const problem = missing(options.delay)
  if (problem !== undefined) return fail({ code: 'UNAVAILABLE', message: problem, json })
  return runInSandbox(fileURLToPath(new URL('inside.mjs', import.meta.url)), args)
}

const args = process.argv.slice(2)
process.exitCode = await main()
