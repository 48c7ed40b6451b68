import { hex } from '@scure/base'
import { describe, expect, it } from 'vitest'
import { hpkeSuite } from './hpke.ts'
import { noblePrimitives } from './primitives.ts'

const text = new TextEncoder()

describe('HPKE', () => {
  it('[EP11] encryptions and exported secrets of RFC 9180, appendix A.2.1', async () => {
    const secret = hex.decode('f4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd381600')
    const suite = hpkeSuite({ ...noblePrimitives, freshSecret: () => secret })
    const info = hex.decode('4f6465206f6e2061204772656369616e2055726e')
    const recipient = await suite.DeserializePublicKey(hex.decode('4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a'))
    const { encapsulatedSecret, ctx } = await suite.SetupSender(recipient, { info })
    expect(hex.encode(encapsulatedSecret)).toBe('1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a')
    const plaintext = hex.decode('4265617574792069732074727574682c20747275746820626561757479')
    expect(hex.encode(await ctx.Seal(plaintext, text.encode('Count-0')))).toBe(
      '1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28',
    )
    expect(hex.encode(await ctx.Export(new Uint8Array(), 32))).toBe('4bbd6243b8bb54cec311fac9df81841b6fd61f56538a775e7c80a9f40160606e')
  })
})

describe('HMAC', () => {
  it('[EP4] one that was broken off changes no later one', () => {
    const { hmacSha256 } = noblePrimitives
    const [key, message] = [new Uint8Array(20).fill(0x0b), text.encode('Hi There')]
    expect(() => hmacSha256(new Uint8Array(64).fill(9), 'no bytes' as never)).toThrow()
    // RFC 4231, test case 1.
    expect(hex.encode(hmacSha256(key, message))).toBe('b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7')
  })
})
