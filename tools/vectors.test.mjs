// The command must be able to fail: right, wrong, unknown and broken files, one after the other.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const own = (name) => fileURLToPath(new URL(`vectors/${name}.json`, import.meta.url))

function run(...args) {
  const { status, stdout } = spawnSync(process.execPath, [fileURLToPath(new URL('vectors.mjs', import.meta.url)), ...args], {
    encoding: 'utf8',
  })
  return { status, stdout }
}

function report(...files) {
  const { status, stdout } = run(...files, '--json')
  return { status, ...JSON.parse(stdout) }
}

describe('npm run vectors', () => {
  it('runs every case on both backends, and counts what it skips with the reason', () => {
    const { reasons, ...counts } = report(own('rfc7748'), own('rfc8032'), own('rfc9180'))
    expect(counts).toEqual({ status: 0, files: 3, run: 18, passed: 18, failed: 0, skipped: 3, failures: [] })
    expect(Object.values(reasons)).toEqual([1, 1, 1])
  })

  it('reports a wrong vector on each backend, and exits with 1', () => {
    const { status, run: ran, failed, failures } = report(own('wrong'))
    expect({ status, ran, failed }).toEqual({ status: 1, ran: 4, failed: 2 })
    expect(failures.map(({ case: id, backend }) => [id, backend])).toEqual([
      [2, 'native'],
      [2, 'portable'],
    ])
  })

  it('skips a file of an unknown kind', () => {
    expect(report(own('unknown'))).toMatchObject({ status: 0, run: 0, skipped: 1, reasons: { 'unknown kind of file': 1 } })
  })

  it('fails for a broken and for a missing file', () => {
    const folder = mkdtempSync(join(tmpdir(), 'skein-vectors-'))
    try {
      writeFileSync(join(folder, 'broken.json'), '{"testGroups":[')
      expect(report(join(folder, 'broken.json'), join(folder, 'missing.json'))).toMatchObject({ status: 1, files: 2, run: 0, failed: 2 })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('wants at least one file, and no option that it does not know', () => {
    expect(run()).toEqual({ status: 2, stdout: '' })
    expect(run(own('rfc7748'), '--fast')).toEqual({ status: 2, stdout: '' })
  })
})
