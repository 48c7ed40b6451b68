import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import type { Stream, StreamMessageEvent, StreamMuxer } from '@libp2p/interface'
import { multiaddrConnectionPair } from '@libp2p/utils'
import { yamux } from '@libp2p/yamux'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { guardedYamux } from './guarded-yamux.ts'
import { createStack } from './stack.ts'
import type { Stack } from './client-stack.ts'

const DELIVER = '/skein/deliver/1'
const line = (text: string): Buffer => Buffer.concat([Buffer.from([text.length + 1]), Buffer.from(`${text}\n`)])
const agreed = (protocol: string): Buffer => Buffer.concat([line('/multistream/1.0.0'), line(protocol)])

/** A stream as our muxer opens it, and the other end of it at a muxer of the library. */
async function open(protocol: string): Promise<{ near: Stream; far: Stream; read: () => Buffer; end: () => void }> {
  const [a, b] = multiaddrConnectionPair()
  const muxers: StreamMuxer[] = [guardedYamux()().createStreamMuxer(a), yamux()().createStreamMuxer(b)]
  const arrived = once(muxers[1] as unknown as EventTarget, 'stream')
  const near = await (muxers[0] as StreamMuxer).createStream({ protocol })
  const parts: Uint8Array[] = []
  near.addEventListener('message', ({ data }: StreamMessageEvent) => void parts.push(data.subarray()))
  near.send(Buffer.from('proposal'))
  const [{ detail: far }] = (await arrived) as [{ detail: Stream }]
  const end = (): void => muxers.forEach((each) => each.abort(new Error('over')))
  return { near, far, read: () => Buffer.concat(parts), end }
}

describe('[PT13] a stream of a protocol that everybody has', () => {
  it('is agreed on before the other side has said a word, and what it says later is not read twice', async () => {
    const { far, read, end } = await open(DELIVER)
    await expect.poll(() => read().toString()).toBe(agreed(DELIVER).toString())
    far.send(Buffer.concat([agreed(DELIVER), Buffer.from('reply')]))
    await expect.poll(() => read().toString()).toBe(`${agreed(DELIVER).toString()}reply`)
    end()
  })

  it('takes the answer in whatever pieces it comes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 60, maxLength: 60 }), async (sizes) => {
        const { far, read, end } = await open(DELIVER)
        let rest = Buffer.concat([agreed(DELIVER), Buffer.from('reply')])
        for (const size of sizes) {
          if (rest.length > 0) far.send(rest.subarray(0, size))
          rest = rest.subarray(size)
        }
        await expect.poll(() => read().toString()).toBe(`${agreed(DELIVER).toString()}reply`)
        end()
      }),
      { numRuns: 10 },
    )
  })

  it.each([
    ['another protocol', line('na')],
    ['garbage', Buffer.alloc(200, 7)],
    ['half of it and then something else', Buffer.concat([agreed(DELIVER).subarray(0, 25), Buffer.alloc(60)])],
  ])('ends when the other side says %s', async (_, answer) => {
    const { near, far, end } = await open(DELIVER)
    const closed = once(near as unknown as EventTarget, 'close') as Promise<[{ error?: Error }]>
    far.send(answer)
    expect((await closed)[0].error?.name).toBe('UnsupportedProtocolError')
    end()
  })

  it('others wait for the answer', async () => {
    const { far, read, end } = await open('/skein/unheard-of/1')
    far.send(Buffer.from('said'))
    await expect.poll(() => read().toString()).toBe('said')
    end()
  })
})

describe('[PT13] a connection', () => {
  const undo: (() => unknown)[] = []
  afterEach(async () => {
    for (const each of undo.splice(0)) await each()
  })

  async function dialled(onFirst: (socket: Socket, bytes: Buffer) => void): Promise<{ readonly dial: Promise<unknown> }> {
    const server: Server = createServer((socket) => {
      let seen = Buffer.alloc(0)
      socket.on('error', () => undefined)
      socket.on('data', (part: Buffer) => {
        seen = Buffer.concat([seen, part])
        onFirst(socket, seen)
      })
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const stack: Stack = await createStack({
      privateKeySeed: new Uint8Array(32).fill(3),
      listen: { host: '127.0.0.1', port: 0 },
      stunServers: () => [],
      gater: { denyDialMultiaddr: () => false },
      judge: { verify: () => true, isNewer: () => false },
    })
    await stack.start()
    undo.push(
      () => stack.stop(),
      () => server.close(),
    )
    const { multiaddr } = await import('@multiformats/multiaddr')
    const to = multiaddr(`/ip4/127.0.0.1/tcp/${(server.address() as AddressInfo).port}`)
    return { dial: stack.services.transports.transportManager.dial(to, { signal: AbortSignal.timeout(20_000) }) }
  }

  it('sends the first message of Noise with its proposal, to somebody who has not answered yet', async () => {
    const whole = agreed('/noise').length + 2 + 32
    const { promise, resolve } = Promise.withResolvers<Buffer>()
    const { dial } = await dialled((socket, bytes) => {
      if (bytes.length < whole) return
      resolve(bytes)
      socket.destroy()
    })
    const outcome = dial.then(
      () => 'connected',
      () => 'refused',
    )
    const bytes = await promise
    expect(bytes.subarray(0, -34)).toEqual(agreed('/noise'))
    expect(bytes.readUInt16BE(agreed('/noise').length)).toBe(32)
    expect(await outcome).toBe('refused')
  })

  it('is none when the other side does not speak Noise', async () => {
    const { dial } = await dialled((socket) => socket.write(Buffer.concat([line('/multistream/1.0.0'), line('na')])))
    await expect(dial).rejects.toThrow()
  })
})
