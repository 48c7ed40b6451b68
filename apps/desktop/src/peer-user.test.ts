import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { policyOf } from './host.ts'
import { isOtherUser, ownerOf } from './peer-user.ts'

const HERE = '127.0.0.1'

/** Two users, connected to a server on port 8080; as Linux writes it. */
const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 11111 1 0 100 0 0 10 0
   1: 0100007F:C350 0100007F:1F90 01 00000000:00000000 02:00000A1B 00000000  1000        0 22222 2 0 20 4 30 10 -1
   2: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 33333 1 0 20 4 30 10 -1
   3: 0100007F:C351 0100007F:1F90 01 00000000:00000000 02:00000A1B 00000000  1001        0 44444 2 0 20 4 30 10 -1
`

it('[DW17] tells whose program is at the other end of a connection', () => {
  const owner = (port: number, to = 8_080, host = HERE): number | undefined => ownerOf(TABLE, { host, port }, { host: HERE, port: to })
  expect([50_000, 50_001, 50_002].map((port) => owner(port))).toEqual([1_000, 1_001, undefined])
  expect(owner(50_000, 8_081)).toBeUndefined()
  // Whoever comes from another address with the port of a window is not the window.
  expect(owner(50_000, 8_080, '127.0.0.2')).toBeUndefined()
})

it.runIf(process.getuid !== undefined)('[DW17] takes for another user whoever is not known to be this one', () => {
  const own = TABLE.replaceAll(' 1000 ', ` ${process.getuid?.()} `).replaceAll(' 1001 ', ' 4294967 ')
  const isOther = (remotePort: number): boolean =>
    isOtherUser({ remoteAddress: `::ffff:${HERE}`, remotePort, localAddress: HERE, localPort: 8_080 }, own)
  expect([50_000, 50_001, 50_002].map(isOther)).toEqual([false, true, true])
})

it('[DW18] the page of a window may ask its own server alone', () => {
  const ui = mkdtempSync(join(tmpdir(), 'skein-ui-'))
  writeFileSync(join(ui, 'content-security-policy.txt'), "default-src 'none'; connect-src 'self' http: https: ws: wss:; base-uri 'none'\n")
  expect(policyOf(ui)).toBe("default-src 'none'; connect-src 'self'; base-uri 'none'")
  rmSync(ui, { recursive: true })
})
