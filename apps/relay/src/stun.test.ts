import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { SeenTokens } from './seen-tokens.ts'
import { answerStun, startStun } from './stun.ts'
import {
  ATTRIBUTE,
  BINDING_ERROR,
  BINDING_REQUEST,
  BINDING_SUCCESS,
  decodeXorAddress,
  encodeAddress,
  encodeStun,
  encodeXorAddress,
  parseStun,
  type StunAttribute,
} from '@skein/node/swarm'

const hex = (text: string) => Buffer.from(text.replaceAll(/\s/g, ''), 'hex')

/** RFC 5769 §2.1, §2.2 and §2.3. */
const RFC5769_REQUEST = hex(`
  00010058 2112a442 b7e7a701 bc34d686 fa87dfae 80220010 5354554e 20746573 7420636c 69656e74 00240004 6e0001ff
  80290008 932ff9b1 51263b36 00060009 6576746a 3a683676 59202020 00080014 9aeaa70c bfd8cb56 781ef2b5 b2d3f249
  c1b571a2 80280004 e57a3bcf`)
const RFC5769_IPV4 = hex(`
  0101003c 2112a442 b7e7a701 bc34d686 fa87dfae 8022000b 74657374 20766563 746f7220 00200008 0001a147 e112a643
  00080014 2b91f599 fd9e90c3 8c7489f9 2af9ba53 f06be7d7 80280004 c07d4c96`)
const RFC5769_IPV6 = hex(`
  01010048 2112a442 b7e7a701 bc34d686 fa87dfae 8022000b 74657374 20766563 746f7220 00200014 0002a147 0113a9fa
  a5d3f179 bc25f4b5 bed2b9d9 00080014 a382954e 4be67bf1 1784c97c 8292c275 bfe3ed41 80280004 c8fb0b4c`)

const context = { from: { host: '192.0.2.1', port: 32_853 }, canChangePort: true, other: { host: '203.0.113.9', port: 3_479 } }
const plain = encodeStun({ type: BINDING_REQUEST, transaction: Buffer.alloc(12, 7), attributes: [] })

function mappedAddress(bytes: Buffer) {
  const message = parseStun(bytes)
  const value = message?.attributes.find((each) => each.type === ATTRIBUTE.xorMappedAddress)?.value
  return message === undefined || value === undefined ? undefined : decodeXorAddress(value, message.transaction)
}

const SECRET = new Uint8Array(32).fill(9)

describe('STUN messages', () => {
  it('reads the sample request of RFC 5769, fingerprint included', () => {
    const request = parseStun(RFC5769_REQUEST)
    expect(request?.type).toBe(BINDING_REQUEST)
    expect(request?.attributes.map((each) => each.type)).toEqual([0x8022, 0x0024, 0x8029, 0x0006, 0x0008, 0x8028])
    expect(request?.attributes[0]?.value.toString()).toBe('STUN test client')
  })

  it('reads and writes the mapped addresses of RFC 5769', () => {
    expect(mappedAddress(RFC5769_IPV4)).toEqual({ host: '192.0.2.1', port: 32_853 })
    expect(mappedAddress(RFC5769_IPV6)).toEqual({ host: '2001:db8:1234:5678:11:2233:4455:6677', port: 32_853 })
    const transaction = RFC5769_IPV6.subarray(8, 20)
    expect(encodeXorAddress({ host: '192.0.2.1', port: 32_853 }, transaction).toString('hex')).toBe('0001a147e112a643')
    const six = encodeXorAddress({ host: '2001:db8:1234:5678:11:2233:4455:6677', port: 32_853 }, transaction)
    expect(six.toString('hex')).toBe('0002a1470113a9faa5d3f179bc25f4b5bed2b9d9')
    expect(encodeAddress({ host: '::1', port: 1 }).toString('hex')).toBe(`00020001${'00'.repeat(15)}01`)
  })

  it('answers with the observed address, OTHER-ADDRESS and a fingerprint, and nothing about its software', () => {
    const answer = answerStun(RFC5769_REQUEST, context)
    const message = parseStun(answer?.bytes ?? Buffer.alloc(0))
    expect(message?.type).toBe(BINDING_SUCCESS)
    expect(message?.attributes.map((each) => each.type)).toEqual([
      ATTRIBUTE.xorMappedAddress,
      ATTRIBUTE.otherAddress,
      ATTRIBUTE.fingerprint,
    ])
    expect(mappedAddress(answer?.bytes ?? Buffer.alloc(0))).toEqual(context.from)
  })

  it('keeps silent about garbage', () => {
    const broken = Buffer.from(RFC5769_REQUEST)
    broken[30] = (broken[30] ?? 0) ^ 1
    const odd = Buffer.from(plain)
    odd.writeUInt16BE(0xc001, 0)
    const long = Buffer.from(plain)
    long.writeUInt16BE(0xffff, 22)
    const garbage = [Buffer.alloc(0), Buffer.alloc(20), Buffer.alloc(1_500, 1), plain.subarray(0, 24), RFC5769_IPV4, broken, odd, long]
    for (const bytes of garbage) expect(answerStun(bytes, context)).toBeUndefined()
    for (let length = 0; length < RFC5769_REQUEST.length; length++) {
      expect(answerStun(RFC5769_REQUEST.subarray(0, length), context)).toBeUndefined()
    }
  })

  it('refuses attributes it must understand and does not, with 420', () => {
    const unknown = { type: 0x7abc, value: Buffer.alloc(4) }
    const answer = answerStun(encodeStun({ type: BINDING_REQUEST, transaction: Buffer.alloc(12), attributes: [unknown] }), context)
    const message = parseStun(answer?.bytes ?? Buffer.alloc(0))
    expect(message?.type).toBe(BINDING_ERROR)
    expect(message?.attributes[0]?.value.toString('hex')).toBe('00000414')
    expect(message?.attributes[1]?.value.toString('hex')).toBe('7abc')
  })
})

describe('STUN server', () => {
  it('answers on both ports, from the other one on request, and survives garbage', { timeout: 10_000 }, async () => {
    let unreadable = 0
    const told = { secret: SECRET, onUnreadable: () => (unreadable += 1) }
    await using server = await startStun({ host: '127.0.0.1', stun: 0, stun2: 0, publicAddress: '127.0.0.1', ...told })
    const client = createSocket('udp4')
    client.bind(0, '127.0.0.1')
    await once(client, 'listening')
    const ask = async (bytes: Buffer, port: number | undefined): Promise<[Buffer, { port: number }]> => {
      const reply = once(client, 'message', { signal: AbortSignal.timeout(5_000) })
      client.send(bytes, port ?? 0, '127.0.0.1')
      return (await reply) as [Buffer, { port: number }]
    }
    client.send(Buffer.from('garbage'), server.ports[0] ?? 0, '127.0.0.1')
    for (const port of server.ports) {
      const [bytes, from] = await ask(plain, port)
      expect(mappedAddress(bytes)).toEqual({ host: '127.0.0.1', port: client.address().port })
      expect(from.port).toBe(port)
    }
    const change = encodeStun({
      type: BINDING_REQUEST,
      transaction: Buffer.alloc(12),
      attributes: [{ type: ATTRIBUTE.changeRequest, value: Buffer.from([0, 0, 0, 2]) }],
    })
    const [, from] = await ask(change, server.ports[0])
    expect(from.port).toBe(server.ports[1])
    expect(server.requests()).toBe(3)
    expect([server.refused(), unreadable]).toEqual([1, 1])
    client.close()
  })

  it('[PT7] gives a token for the address a request came from, and confirms no other', () => {
    const tokens = new SeenTokens(SECRET)
    const nonce = Buffer.alloc(16, 5)
    const ask = (attributes: readonly StunAttribute[], host = '192.0.2.1') => {
      const request = encodeStun({ type: BINDING_REQUEST, transaction: Buffer.alloc(12, 7), attributes })
      const answer = answerStun(request, { ...context, from: { host, port: 1 }, tokens })
      return (type: number) => parseStun(answer?.bytes ?? Buffer.alloc(0))?.attributes.find((each) => each.type === type)?.value
    }
    const value = ask([{ type: ATTRIBUTE.seenNonce, value: nonce }])(ATTRIBUTE.seenToken) ?? Buffer.alloc(0)
    expect(value.length).toBe(16)
    const confirmed = (host: string, token = value, by = nonce) =>
      ask([
        { type: ATTRIBUTE.seenNonce, value: by },
        { type: ATTRIBUTE.seenHost, value: Buffer.from(host) },
        { type: ATTRIBUTE.seenToken, value: token },
      ])(ATTRIBUTE.seenVerdict)?.[0]
    expect(confirmed('192.0.2.1')).toBe(1)
    expect(confirmed('198.51.100.7')).toBe(0)
    expect(confirmed('192.0.2.1', Buffer.alloc(16))).toBe(0)
    expect(confirmed('192.0.2.1', Buffer.alloc(3))).toBe(0)
    expect(confirmed('192.0.2.1', value, Buffer.alloc(16, 6))).toBe(0)
    expect(ask([{ type: ATTRIBUTE.seenNonce, value: Buffer.alloc(5) }])(ATTRIBUTE.seenToken)).toBeUndefined()
  })

  it('[PT7] a token counts after a restart of the relay, and at no other one', () => {
    const nonce = Buffer.alloc(16, 5)
    const token = new SeenTokens(SECRET).tokenFor(nonce, '192.0.2.1')
    expect(new SeenTokens(SECRET).isGenuine(token, nonce, '192.0.2.1')).toBe(true)
    expect(new SeenTokens(new Uint8Array(32).fill(8)).isGenuine(token, nonce, '192.0.2.1')).toBe(false)
  })
})
