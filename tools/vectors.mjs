// `npm run vectors -- FILES… [--json]`: published test vectors through both backends of the cryptographic primitives.
import { readFileSync } from 'node:fs'
import { noblePrimitives } from '../packages/core/dist/index.js'
import { nativePrimitives } from '../packages/node/dist/platform/primitives.js'
import { hpkeCases, isHpke } from './vectors-hpke.mjs'
import { isWycheproof, wycheproofCases } from './vectors-wycheproof.mjs'

const HELP = `npm run vectors -- FILES… [--json]

Runs files of test vectors through the primitives: Wycheproof (X25519, Ed25519, ChaCha20-Poly1305, AES-256-GCM,
HKDF-SHA-256, HMAC-SHA-256, ML-KEM-768) and RFC 9180 (base mode; X25519, HKDF-SHA-256, ChaCha20-Poly1305).
Every case runs on every backend, and each of these runs counts as one in «run», «passed» and «failed».
What the primitives do not offer is in «skipped», once per case, with its reason in «reasons».
A file that cannot be read is a failure. Exit code: 0 all passed, 1 something failed, 2 wrong arguments.
`

const BACKENDS = { native: nativePrimitives, portable: noblePrimitives }

/** A case: `id`, and either `skip` (the reason) or `check(primitives)`, which tells what is wrong or nothing. */
function casesOf(text) {
  const document = JSON.parse(text)
  if (isHpke(document)) return hpkeCases(document)
  if (isWycheproof(document)) return wycheproofCases(document)
  return [{ id: null, skip: 'unknown kind of file' }]
}

async function outcome(check, primitives) {
  try {
    return await check(primitives)
  } catch (error) {
    return `threw: ${error instanceof Error ? error.message : String(error)}`
  }
}

function skip(report, reason) {
  report.skipped += 1
  report.reasons[reason] = (report.reasons[reason] ?? 0) + 1
}

function fail(report, failure) {
  report.failed += 1
  report.failures.push(failure)
}

async function runCase(report, file, { id, check }) {
  for (const [backend, primitives] of Object.entries(BACKENDS)) {
    report.run += 1
    const what = await outcome(check, primitives)
    if (what === undefined) report.passed += 1
    else fail(report, { file, case: id, backend, what })
  }
}

async function runFile(report, file) {
  report.files += 1
  let cases
  try {
    cases = casesOf(readFileSync(file, 'utf8'))
  } catch (error) {
    fail(report, { file, case: null, backend: null, what: `unreadable: ${error.message}` })
    return
  }
  for (const one of cases) {
    if (one.skip === undefined) await runCase(report, file, one)
    else skip(report, one.skip)
  }
}

function print(report, json) {
  if (json) {
    process.stdout.write(`${JSON.stringify(report)}\n`)
    return
  }
  const { files, run, passed, failed, skipped, reasons, failures } = report
  const lines = [`${files} files: ${run} run, ${passed} passed, ${failed} failed, ${skipped} skipped`]
  for (const [reason, count] of Object.entries(reasons)) lines.push(`  skipped ${count}: ${reason}`)
  for (const { file, case: id, backend, what } of failures) lines.push(`  FAILED ${file} case ${id} (${backend}): ${what}`)
  process.stdout.write(`${lines.join('\n')}\n`)
}

async function main(args) {
  const files = args.filter((arg) => !arg.startsWith('-'))
  const flags = args.filter((arg) => arg.startsWith('-'))
  if (flags.includes('--help')) return process.stdout.write(HELP)
  if (files.length === 0 || flags.some((flag) => flag !== '--json')) {
    process.stderr.write(HELP)
    process.exitCode = 2
    return
  }
  const report = { files: 0, run: 0, passed: 0, failed: 0, skipped: 0, reasons: {}, failures: [] }
  for (const file of files) await runFile(report, file)
  print(report, flags.includes('--json'))
  if (report.failed > 0) process.exitCode = 1
}

await main(process.argv.slice(2))
