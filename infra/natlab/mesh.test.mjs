import { describe, expect, it } from 'vitest'
import { natlab, whyNot } from './natlab-process.mjs'

const unavailable = await whyNot({ delay: 0 })

describe.skipIf(unavailable)('mesh laboratory', () => {
  it('[ME12] [ME30] real clients in a line of nine, linked to their neighbours only, talk over eight hops and send a file over four', async () => {
    const line = await natlab('--scenario', 'mesh-line', '--tries', '1')
    expect(line).toMatchObject({ nodes: 9, hops: 8, lost: 0, doubled: 0, unsent: 0, path: 'mesh' })
    expect(line.file).toMatchObject({ megabytes: 5, hops: 4, whole: true })
    expect(line.delivered).toBe(line.sent)
    expect(line.sent).toBeGreaterThan(20)
  })
})
