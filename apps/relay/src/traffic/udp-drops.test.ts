import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { udpDrops } from './udp-drops.ts'

const TABLE = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  200: 00000000:0D96 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 101 2 0000000000000000 4
  201: 00000000:0D97 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 102 2 0000000000000000 2
  202: 00000000:0FA1 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 103 2 0000000000000000 7
  203: 00000000:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 104 2 0000000000000000 9
`

it('[RL21] what the system has thrown away stands under what the port is for, and what is of others is left out', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'skein-udp-')), 'udp')
  writeFileSync(file, TABLE)
  const addresses = ['/ip4/192.0.2.1/udp/4001/quic-v1/p2p/x', '/ip4/192.0.2.1/udp/4003/webrtc-direct/p2p/x', '/ip4/192.0.2.1/tcp/53/p2p/x']
  expect(udpDrops({ stun: [3478, 3479], addresses }, [file, `${file}6`])).toEqual({ stun: 6, quic: 7, webrtc: 0 })
})

it.skipIf(process.platform !== 'linux')('[RL21] a flood that nobody takes in time is counted by the system', async () => {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4_096 })
  try {
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    const { port } = socket.address()
    const flood = (): void => {
      for (let n = 0; n < 1_000; n += 1) socket.send(Buffer.alloc(1_000), port, '127.0.0.1')
    }
    await vi.waitFor(
      () => {
        flood()
        expect(udpDrops({ stun: [port], addresses: [] })['stun']).toBeGreaterThan(0)
      },
      { timeout: 20_000 },
    )
  } finally {
    socket.close()
  }
})
