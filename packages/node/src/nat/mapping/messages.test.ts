import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeAddress, decodeTcpMap, encodeAddressRequest, encodeTcpMap } from './nat-pmp-message.ts'
import { decodeMap, encodeMap } from './pcp-message.ts'
import { locationIn } from './ssdp.ts'
import { serviceIn } from './upnp.ts'

const nonce = Uint8Array.from({ length: 12 }, (_, at) => at + 1)
const request = { nonce, lifetimeS: 7_200, client: '192.168.1.20', port: 4_010, wanted: 4_010 }
/** As RFC 6887 draws it: header, then the MAP opcode's part. */
const PCP_REQUEST =
  `0201000000001c20${'00'.repeat(10)}ffffc0a80114` + `0102030405060708090a0b0c060000000faa0faa${'00'.repeat(10)}ffff00000000`
const PCP_ANSWER = `0281000000000e10000004d2${'00'.repeat(12)}` + `0102030405060708090a0b0c060000000faa9c40${'00'.repeat(10)}ffff490a0114`

const hex = (text: string): Buffer => Buffer.from(text, 'hex')
/** `answer` with one byte changed. */
const changed = (answer: string, at: number, value: number): Buffer => {
  const bytes = hex(answer)
  bytes[at] = value
  return bytes
}

describe('PCP', () => {
  it('[PM1] requests and answers are as RFC 6887 draws them', () => {
    expect(encodeMap(request).toString('hex')).toBe(PCP_REQUEST)
    expect(decodeMap(hex(PCP_ANSWER), request)).toEqual({ kind: 'mapped', host: '73.10.1.20', port: 40_000, lifetimeS: 3_600 })
  })

  it('[PM1] refusals and older servers are told apart', () => {
    expect(decodeMap(changed(PCP_ANSWER, 3, 8), request)).toEqual({ kind: 'refused', code: 8 })
    expect(decodeMap(hex('0081000100000001'), request)).toEqual({ kind: 'other-version' })
    expect(decodeMap(hex('02810001000000010000000000000000'), request)).toEqual({ kind: 'other-version' })
  })

  it('[PM2] answers to somebody else’s request, requests, and pieces are no answers', () => {
    for (const bytes of [
      changed(PCP_ANSWER, 24, 9),
      changed(PCP_ANSWER, 41, 9),
      changed(PCP_ANSWER, 36, 17),
      changed(PCP_ANSWER, 55, 0),
      changed(PCP_ANSWER, 1, 1),
      hex(PCP_ANSWER).subarray(0, 59),
    ])
      expect(decodeMap(bytes, request)).toBeUndefined()
  })
})

describe('NAT-PMP', () => {
  it('[PM1] requests and answers are as RFC 6886 draws them', () => {
    expect(encodeAddressRequest().toString('hex')).toBe('0000')
    expect(decodeAddress(hex('008000000000000149 0a0114'.replace(' ', '')))).toEqual({ kind: 'done', host: '73.10.1.20' })
    expect(encodeTcpMap(request).toString('hex')).toBe('000200000faa0faa00001c20')
    expect(encodeTcpMap({ ...request, lifetimeS: 0 }).toString('hex')).toBe('000200000faa000000000000')
    expect(decodeTcpMap(hex('00820000000000010faa9c4000000e10'), 4_010)).toEqual({ kind: 'done', port: 40_000, lifetimeS: 3_600 })
    expect(decodeTcpMap(hex('0082000200000001'), 4_010)).toEqual({ kind: 'refused', code: 2 })
  })

  it('[PM2] an answer for another port, or to another question, is none', () => {
    expect(decodeTcpMap(hex('00820000000000010fab9c4000000e10'), 4_010)).toBeUndefined()
    expect(decodeTcpMap(hex('0080000000000001490a0114'), 4_010)).toBeUndefined()
    expect(decodeAddress(hex('00820000000000010faa9c4000000e10'))).toBeUndefined()
  })
})

it('[PM2] nothing that arrives can throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), (random) => {
      const bytes = Buffer.from(random)
      for (const read of [() => decodeMap(bytes, request), () => decodeAddress(bytes), () => decodeTcpMap(bytes, 4_010)])
        expect(read).not.toThrow()
    }),
    { numRuns: 500 },
  )
})

describe('UPnP', () => {
  it('[PM3] the description is looked for on the router alone', () => {
    const answer = (location: string) => `HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nLocation: ${location}\r\n\r\n`
    expect(String(locationIn(answer('http://192.168.1.1:5000/root.xml'), '192.168.1.1'))).toBe('http://192.168.1.1:5000/root.xml')
    for (const elsewhere of [
      'http://127.0.0.1:8080/',
      'http://192.168.1.2/root.xml',
      'https://192.168.1.1/',
      'file:///etc/passwd',
      'x',
      '',
    ])
      expect(locationIn(answer(elsewhere), '192.168.1.1')).toBeUndefined()
  })

  it('[PM3] a service is found however deep it stands, unless it leads away from the router', () => {
    const place = new URL('http://192.168.1.1:5000/root.xml')
    const service = (controlURL: unknown, version = 1) => ({
      root: { device: { deviceList: { device: [{}, { serviceList: { service: { serviceType: typeOf(version), controlURL } } }] } } },
    })
    const typeOf = (version: number) => `urn:schemas-upnp-org:service:WANIPConnection:${version}`
    expect(serviceIn(service('/control'), place)).toMatchObject({ type: typeOf(1), control: new URL('http://192.168.1.1:5000/control') })
    expect(serviceIn(service('http://192.168.1.1:80/c', 2), place)?.type).toBe(typeOf(2))
    for (const elsewhere of ['http://192.168.1.9/c', 'file:///c', 'https://192.168.1.1/c', 7, null])
      expect(serviceIn(service(elsewhere), place)).toBeUndefined()
    expect(serviceIn(undefined, place)).toBeUndefined()
  })
})
