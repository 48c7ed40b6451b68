// How the laboratory fails: with one sentence, and with --json the same for machines (CLI.md).
const EXIT = { failed: 1, usage: 2 }

/** Says it; returns the exit code. */
export function fail({ code, message, json }) {
  process.stderr.write(`natlab: ${message}\n`)
  if (json) process.stdout.write(`${JSON.stringify({ error: { code, message } })}\n`)
  return code === 'USAGE' ? EXIT.usage : EXIT.failed
}
