// Runs the laboratory from tests, as a user does.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const SANDBOX = fileURLToPath(new URL('in-sandbox.mjs', import.meta.url))
const NATLAB = fileURLToPath(new URL('natlab.mjs', import.meta.url))

export const start = (...args) => spawn(process.execPath, [NATLAB, ...args, '--json'], { stdio: ['ignore', 'pipe', 'inherit'] })

/** The document, or the error as the laboratory says it. */
export const natlab = (...args) => output(start(...args))

/** What a script says that runs in a sandbox of its own. */
export const inSandbox = (script) =>
  output(spawn(process.execPath, [SANDBOX, fileURLToPath(new URL(script, import.meta.url))], { stdio: ['ignore', 'pipe', 'inherit'] }))

async function output(child) {
  let out = ''
  child.stdout.on('data', (part) => (out += part))
  await once(child, 'close')
  return JSON.parse(out)
}

/** Why the laboratory cannot run on this machine, if so. @throws Error when it could, and fails */
export async function whyNot({ delay }) {
  const { error } = await natlab('--behaviour', 'pub', '--delay', String(delay))
  const reason = reasonToSkip(error, Boolean(process.env.CI))
  if (reason !== undefined) console.warn(`\n*** The network laboratory is SKIPPED: ${reason}. ***\n`)
  return reason
}

/** Continuous integration has to be able to run it. */
export function reasonToSkip(error, isCI) {
  if (error === undefined) return undefined
  if (isCI || error.code !== 'UNAVAILABLE') throw new Error(error.message)
  return error.message
}
