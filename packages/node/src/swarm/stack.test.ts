import type * as WebRTC from '@libp2p/webrtc'
import { describe, expect, it, vi } from 'vitest'
import type { WebRTCTransportInit } from '@libp2p/webrtc'
import { RecordingLogger } from '@skein/core/testing'
import { StreamAbortEvent, StreamCloseEvent } from '@libp2p/interface'
import { isStrayStreamEvent } from './rejection-guard.ts'
import { installRejectionGuard } from './rejection-guard.ts'
import { createStack } from './stack.ts'

const given: Record<string, WebRTCTransportInit | undefined> = {}
vi.mock('@libp2p/webrtc', async (load) => {
  const real = await load<typeof WebRTC>()
  return {
    ...real,
    webRTC: (init?: WebRTCTransportInit) => ((given['webrtc'] = init), real.webRTC(init)),
    webRTCDirect: (init?: WebRTCTransportInit) => ((given['webrtc-direct'] = init), real.webRTCDirect(init)),
  }
})

const asFunction = (init: WebRTCTransportInit | undefined) => {
  if (typeof init?.rtcConfiguration !== 'function') throw new Error('the library would use its own STUN servers')
  return init.rtcConfiguration()
}

describe('stack', () => {
  it("asks no STUN server but those of the user's relays, which may change", async () => {
    const servers: string[] = []
    const judge = { verify: () => true, isNewer: () => false }
    const listen = { host: '127.0.0.1', port: 0 }
    await createStack({ privateKeySeed: new Uint8Array(32), listen, stunServers: () => servers, gater: {}, judge })
    for (const kind of ['webrtc', 'webrtc-direct']) {
      servers.length = 0
      expect(await asFunction(given[kind])).toEqual({ iceServers: [] })
      servers.push('stun:192.0.2.1:3478')
      expect(await asFunction(given[kind])).toEqual({ iceServers: [{ urls: 'stun:192.0.2.1:3478' }] })
    }
  })
})

describe('rejection guard', () => {
  it('knows stray stream events from failures', () => {
    expect(isStrayStreamEvent(new StreamCloseEvent())).toBe(true)
    expect(isStrayStreamEvent(new StreamAbortEvent(new Error('x')))).toBe(true)
    expect(isStrayStreamEvent(new Event('close'))).toBe(false)
    expect(isStrayStreamEvent(new Error('close'))).toBe(false)
  })

  it('swallows the former, lets the latter through, and can be taken away', () => {
    const logger = new RecordingLogger()
    const before = process.listeners('unhandledRejection')
    const remove = installRejectionGuard(logger)
    const guard = process.listeners('unhandledRejection').find((each) => !before.includes(each))
    const failure = new Error('a real one')
    expect(() => guard?.(new StreamCloseEvent(), Promise.resolve())).not.toThrow()
    expect(logger.lines.map(({ event }) => event)).toEqual(['stray-stream-event'])
    expect(() => guard?.(failure, Promise.resolve())).toThrow(failure)
    remove()
    expect(process.listeners('unhandledRejection')).toEqual(before)
  })
})
