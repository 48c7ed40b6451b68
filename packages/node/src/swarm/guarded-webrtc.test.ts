import type { Connection, StreamHandler, Transport } from '@libp2p/interface'
import { streamPair } from '@libp2p/utils'
import { type DeviceId, parseDeviceId } from '@skein/core'
import { expect, it, vi } from 'vitest'
import { peerOf } from './connections.ts'
import { guardedWebRTC } from './guarded-webrtc.ts'
import { muteLogger } from './mute-logger.ts'

const DEVICE = parseDeviceId('12D3KooWBg9Fk4u8hWv2yL5S5s6hrPWvqo8c3dKoCQidZDDoNH3r')

/** The door as the library's transport puts it up. */
async function door(mayOffer: boolean, status = 'open') {
  const failed: DeviceId[] = []
  let handler: StreamHandler | undefined
  const components = {
    registrar: { handle: async (_protocol: string, given: StreamHandler) => void (handler = given), unhandle: async () => undefined },
    upgrader: { createInboundAbortSignal: (signal: AbortSignal) => Object.assign(AbortSignal.any([signal]), { clear: () => undefined }) },
    ...muteLogger(),
  }
  const rules = { mayOffer: () => mayOffer, onFailed: (device: DeviceId) => void failed.push(device) }
  const transport = guardedWebRTC({}, rules)(components as never) as Transport & { start(): Promise<void>; stop(): Promise<void> }
  await transport.start()
  const [near, far] = await streamPair()
  void handler?.(far, { remotePeer: peerOf(DEVICE), status } as Connection)
  return { near, far, failed, stop: () => transport.stop() }
}

it('[PT2] an offer of WebRTC that comes to nothing is told: who waits for it learns why there is no such connection', async () => {
  const { near, failed, stop } = await door(true)
  near.abort(new Error('no candidate pair'))
  await vi.waitFor(() => expect(failed).toEqual([DEVICE]), { timeout: 10_000 })
  await stop()
})

it('[PT2] one that ends with the circuit beneath was not tried to its end', async () => {
  const { near, far, failed, stop } = await door(true, 'closing')
  near.abort(new Error('the relay has gone'))
  await vi.waitFor(() => expect(far.status).not.toBe('open'), { timeout: 10_000 })
  expect(failed).toEqual([])
  await stop()
})

it('[PT5] one of somebody who may not make any is refused, and is nothing to tell of', async () => {
  const { far, failed, stop } = await door(false)
  await vi.waitFor(() => expect(far.status).toBe('aborted'), { timeout: 10_000 })
  expect(failed).toEqual([])
  await stop()
})
