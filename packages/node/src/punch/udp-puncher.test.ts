import { createSocket } from 'node:dgram'
import type { Connection, Stream, StreamHandler } from '@libp2p/interface'
import { lpStream, streamPair } from '@libp2p/utils'
import { type DeviceId, deviceIdFromKey, decodeUdpPunch, encodeUdpPunch } from '@skein/core'
import { RecordingLogger, VirtualClock } from '@skein/core/testing'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { systemRandom } from '../platform/system.ts'
import { isBrokenOff } from './broken-off.ts'
import { BROKEN_PUNCH_PAUSE_MS, MOST_ANSWERED_UDP_PUNCHES, MOST_UDP_PUNCHES, SAY_NO_WITHIN_MS, UDP_PUNCH_PAUSE_MS } from './constants.ts'
import type { PunchDeps } from './host.ts'
import { NotNow } from './not-now.ts'
import { sayNo } from './udp-coordination.ts'
import { UdpPuncher } from './udp-puncher.ts'
import { UdxSockets } from './udx.ts'

const device = (byte: number): DeviceId => deviceIdFromKey(new Uint8Array(32).fill(byte))
const stopping = new AbortController()
const open: Stream[] = []
afterEach(() => {
  for (const each of open.splice(0)) each.abort(new Error('the test is over'))
})

/** A puncher that is asked by streams from `connection`s that name their device. */
async function world(mayPunch: (device: DeviceId) => boolean = () => true, stun: readonly string[] = []) {
  const clock = new VirtualClock()
  const logger = new RecordingLogger()
  let handler: StreamHandler | undefined
  const told: string[] = []
  const deps = {
    ...{ self: device(1), clock, random: systemRandom, logger, mayPunch, stopping: stopping.signal },
    host: { handle: async (_protocol: string, given: StreamHandler) => void (handler = given) },
    deviceOf: (connection: Connection) => connection as unknown as DeviceId,
    stunServers: () => [stun],
    onGarbage: () => void told.push('garbage'),
    reflectors: () => [],
    onPunched: () => undefined,
    onAnswered: (_device: DeviceId, _by: string, error?: Error) => void told.push(error?.message ?? 'open'),
  }
  const puncher = new UdpPuncher(deps as unknown as PunchDeps)
  await puncher.serve()
  /** Asks, and says nothing then. @returns the asking side's stream */
  const ask = async (from: DeviceId): Promise<Stream> => {
    const [near, far] = await streamPair()
    open.push(near, far)
    void handler?.(far, from as unknown as Connection)
    return near
  }
  return { clock, logger, ask, puncher, told }
}

const listens = ({ status, remoteWriteStatus }: Stream): boolean => status === 'open' && remoteWriteStatus === 'writable'
const isRefused = (stream: Stream): Promise<void> => vi.waitFor(() => expect(listens(stream)).toBe(false), { timeout: 10_000 })

describe('punches over UDP that others ask for', { timeout: 30_000 }, () => {
  it('[PT5] are for contacts', async () => {
    const { ask } = await world((each) => each === device(2))
    const contact = await ask(device(2))
    await isRefused(await ask(device(3)))
    expect(contact.status).toBe('open')
  })

  it('[PT7] are few at once, each of which may hold hundreds of sockets, and leave a place for one that is begun here', async () => {
    const { ask, puncher } = await world()
    const asked: Stream[] = []
    for (let n = 0; n < MOST_ANSWERED_UDP_PUNCHES; n += 1) asked.push(await ask(device(2 + n)))
    await isRefused(await ask(device(200)))
    expect(asked.map(({ status }) => status)).toEqual(asked.map(() => 'open'))
    const begun: Stream[] = []
    const relayed = {
      newStream: async () => {
        const [near, far] = await streamPair()
        open.push(near, far)
        begun.push(near)
        return near
      },
    } as unknown as Connection
    const { signal } = new AbortController()
    for (let n = asked.length; n < MOST_UDP_PUNCHES; n += 1) puncher.punch(relayed, device(100 + n), signal).catch(() => undefined)
    await vi.waitFor(() => expect(begun).toHaveLength(MOST_UDP_PUNCHES - asked.length), { timeout: 10_000 })
    await expect(puncher.punch(relayed, device(99), signal)).rejects.toThrow(NotNow)
  })

  it('[PT9] wait no longer, and are given up, when this machine has moved', async () => {
    const { ask, puncher, logger } = await world()
    const failed = (): number => logger.lines.filter(({ event }) => event === 'udp-punch-failed').length
    const [failing, running] = [await ask(device(2)), await ask(device(3))]
    failing.abort(new Error('gone'))
    await vi.waitFor(() => expect(failed()).toBe(1), { timeout: 10_000 })
    puncher.move()
    await isRefused(running)
    // Both places are free again.
    const again = [await ask(device(2)), await ask(device(3))]
    await isRefused(await ask(device(4)))
    expect(again.map(({ status }) => status)).toEqual(['open', 'open'])
  })

  it('[PT7] wait for a while after one of the same device has failed, twice as long for each', async () => {
    const { clock, logger, ask } = await world()
    const failed = (): number => logger.lines.filter(({ event }) => event === 'udp-punch-failed').length
    const fail = async (times: number): Promise<void> => {
      await askWithout(await ask(device(2)))
      await vi.waitFor(() => expect(failed()).toBe(times), { timeout: 10_000 })
    }
    await fail(1)
    await clock.advance(UDP_PUNCH_PAUSE_MS - 1)
    await isRefused(await ask(device(2)))
    // It was not even begun.
    expect(failed()).toBe(1)
    expect((await ask(device(3))).status).toBe('open')
    await clock.advance(2)
    await fail(2)
    await clock.advance(UDP_PUNCH_PAUSE_MS + 1)
    await isRefused(await ask(device(2)))
    await clock.advance(UDP_PUNCH_PAUSE_MS)
    expect((await ask(device(2))).status).toBe('open')
  })

  it('[PT7] wait for a moment after the same device has broken one off, twice as long for each: it holds no place for ever', async () => {
    const { clock, logger, ask } = await world()
    const failed = (): number => logger.lines.filter(({ event }) => event === 'udp-punch-failed').length
    const breakOff = async (times: number): Promise<void> => {
      const stream = await ask(device(2))
      stream.abort(new Error('gone'))
      await vi.waitFor(() => expect(failed()).toBe(times), { timeout: 10_000 })
    }
    await breakOff(1)
    await isRefused(await ask(device(2)))
    await clock.advance(BROKEN_PUNCH_PAUSE_MS + 1)
    await breakOff(2)
    await clock.advance(BROKEN_PUNCH_PAUSE_MS + 1)
    await isRefused(await ask(device(2)))
    await clock.advance(BROKEN_PUNCH_PAUSE_MS)
    expect((await ask(device(2))).status).toBe('open')
  })

  it('[PT7] are taken at once from a device that has refused one of ours, for both had begun', async () => {
    const { puncher, ask } = await world()
    for (const refuse of [(far: Stream) => far.abort(new Error('a punch is under way')), (far: Stream) => sayNo(far, 'busy')]) {
      const refusing = await reachedBy((far) => void refuse(far))
      await expect(puncher.punch(refusing, device(2), new AbortController().signal)).rejects.toSatisfy(isBrokenOff)
    }
    expect((await ask(device(2))).status).toBe('open')
  })

  it('[PT2] tell each other of a cause that the other side cannot see, and wait then', async () => {
    const { puncher, ask, clock, told } = await world()
    const stream = await ask(device(2))
    await askWithout(stream)
    expect(decodeUdpPunch((await lpStream(stream).read()).subarray())).toEqual({ kind: 'no', cause: 'no-relay' })
    await isRefused(stream)
    await vi.waitFor(() => expect(told).toEqual(['no relay in common']), { timeout: 10_000 })
    const refusing = await reachedBy((far) => void sayNo(far, 'no-udp'))
    await expect(puncher.punch(refusing, device(3), new AbortController().signal)).rejects.toThrow(
      'UDP does not get through at the other side',
    )
    await expect(puncher.punch(refusing, device(3), new AbortController().signal)).rejects.toThrow(NotNow)
    await clock.advance(SAY_NO_WITHIN_MS)
  })

  it('[PT2] are declined before they are begun, which keeps nobody waiting once UDP gets through there', async () => {
    const asking = await world()
    const { ask, told, clock } = await world()
    const declining = { newStream: () => ask(device(2)) } as unknown as Connection
    const declined = asking.puncher.decline(declining, new AbortController().signal)
    await vi.waitFor(() => expect(told).toEqual(['UDP does not get through at the other side']), { timeout: 10_000 })
    await asking.clock.advance(SAY_NO_WITHIN_MS)
    await declined
    await clock.advance(BROKEN_PUNCH_PAUSE_MS + 1)
    expect((await ask(device(2))).status).toBe('open')
  })

  it('[PT7] say so where this platform has no sockets for them', async () => {
    const load = vi.spyOn(UdxSockets, 'load').mockRejectedValue(new Error('no native build was found'))
    const { puncher, ask, told } = await world()
    const stream = await ask(device(2))
    expect(decodeUdpPunch((await lpStream(stream).read()).subarray())).toEqual({ kind: 'no', cause: 'no-udp' })
    await vi.waitFor(() => expect(told).toEqual(['this platform has no sockets for it']), { timeout: 10_000 })
    const unasked = { newStream: () => Promise.reject(new Error('asked')) } as unknown as Connection
    await expect(puncher.punch(unasked, device(3), new AbortController().signal)).rejects.toThrow('this platform has no sockets for it')
    load.mockRestore()
  })

  it('[PT8] count what comes to their socket while both sides still agree', async () => {
    const server = createSocket('udp4', (_bytes, { port, address }) => server.send('GET /', port, address))
    await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve))
    const stun = `stun:127.0.0.1:${server.address().port}`
    const { ask, told } = await world(() => true, [stun])
    const stream = await ask(device(2))
    await lpStream(stream).write(encodeUdpPunch({ kind: 'ask', nonce: new Uint8Array(16), stun: [stun] }))
    await vi.waitFor(() => expect(told).toContain('garbage'), { timeout: 10_000 })
    server.close()
  })

  it('[PT7] wait as after a failure when who has asked says nothing then', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const timeout = vi
      .spyOn(AbortSignal, 'timeout')
      .mockImplementation((ms) => AbortSignal.abort(new DOMException(`${ms} ms`, 'TimeoutError')))
    const { ask, clock, told } = await world()
    await ask(device(2))
    vi.useRealTimers()
    await vi.waitFor(() => expect(told).toHaveLength(1), { timeout: 10_000 })
    timeout.mockRestore()
    await clock.advance(BROKEN_PUNCH_PAUSE_MS * 4)
    await isRefused(await ask(device(2)))
    await clock.advance(UDP_PUNCH_PAUSE_MS)
    expect((await ask(device(2))).status).toBe('open')
  })
})

/** A connection whose next stream ends at the other side as said. */
async function reachedBy(take: (far: Stream) => void): Promise<Connection> {
  const newStream = async (): Promise<Stream> => {
    const [near, far] = await streamPair()
    open.push(near, far)
    take(far)
    return near
  }
  return { newStream } as unknown as Connection
}

/** Asks with no relay in common, which cannot succeed. */
async function askWithout(stream: Stream): Promise<void> {
  await lpStream(stream).write(encodeUdpPunch({ kind: 'ask', nonce: new Uint8Array(16), stun: ['stun:203.0.113.1:3478'] }))
}
