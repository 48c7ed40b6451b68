// Runs the script that is named in a sandbox of its own.
import { runInSandbox } from './sandbox.mjs'

const [script, ...args] = process.argv.slice(2)
process.exitCode = await runInSandbox(script, args)
