import { mkdtempSync, writeFileSync } from 'node:fs'
import { endianness, tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { SendQueues } from './send-queues.ts'

const HEAD = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n'
const TABLE = `${HEAD}   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1
   1: 0100007F:1F90 017100CB:C350 01 0002A069:00000000 00:00000000 00000000     0        0 2 1
   2: 0100007F:1F90 027100CB:C350 04 00000001:00000000 00:00000000 00000000     0        0 3 1
`
const TABLE_6 = `${HEAD}   0: 00000000000000000000000001000000:1F90 0000000000000000FFFF0000017100CB:C351 01 00000010:00000000 00:00000000 00000000 0 0 4 1
   1: 00000000000000000000000001000000:1F90 B80D0120000000000000000001000000:C350 01 00000020:00000000 00:00000000 00000000 0 0 5 1
`

it.skipIf(endianness() !== 'LE')('[RL21] what nobody has taken is known by both ends, and looked at four times a second at most', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'skein-tcp-')), 'tcp')
  writeFileSync(file, TABLE)
  writeFileSync(`${file}6`, TABLE_6)
  let now = 0
  const queues = new SendQueues(() => now, [file, `${file}6`])
  const of = (remoteAddress: string | undefined, remotePort = 50_000, localPort = 8_080): number =>
    queues.of({ remoteAddress, remotePort, localPort })
  expect([of('203.0.113.1'), of('203.0.113.2'), of('203.0.113.3'), of('203.0.113.1', 50_001)]).toEqual([0x2a069, 0, 0, 0])
  expect([of('::ffff:203.0.113.1', 50_001), of('2001:db8::1'), of('203.0.113.1', 50_000, 443), of(undefined)]).toEqual([16, 32, 0, 0])
  writeFileSync(file, HEAD)
  expect(of('203.0.113.1')).toBe(0x2a069)
  now = 251
  expect([of('203.0.113.1'), of('2001:db8::1')]).toEqual([0, 32])
  expect(new SendQueues(() => now, ['/nowhere']).of({ remoteAddress: '203.0.113.1', remotePort: 1, localPort: 1 })).toBe(0)
})

it.skipIf(endianness() !== 'LE')('[RL21] tables that take long to read are read the more seldom', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'skein-tcp-')), 'tcp')
  writeFileSync(file, TABLE)
  let now = 0
  // Each look at the clock is 50 ms after the one before, and so reading takes 50.
  const queues = new SendQueues(() => (now += 50), [file])
  const isHeld = (): boolean => queues.of({ remoteAddress: '203.0.113.1', remotePort: 50_000, localPort: 8_080 }) > 0
  expect(isHeld()).toBe(true)
  writeFileSync(file, HEAD)
  while (now < 1_000) expect(isHeld()).toBe(true)
  while (now < 1_200) isHeld()
  expect(isHeld()).toBe(false)
})
