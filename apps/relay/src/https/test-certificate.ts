/** For tests: certificates that nobody signed. */
import { webcrypto } from 'node:crypto'
import { cryptoProvider, PemConverter, SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509'
import type { Certificate } from './certificate-keeper.ts'

const DAY_MS = 86_400_000
const KEY = { name: 'ECDSA', namedCurve: 'P-256' }

cryptoProvider.set(webcrypto as unknown as Crypto)

/** @param from milliseconds since 1970 */
export async function selfSigned(name: string, from: number, days = 90): Promise<Certificate> {
  const keys = await webcrypto.subtle.generateKey(KEY, true, ['sign', 'verify'])
  const made = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    notBefore: new Date(from),
    notAfter: new Date(from + days * DAY_MS),
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    keys: keys as unknown as CryptoKeyPair,
    extensions: [new SubjectAlternativeNameExtension([{ type: 'dns', value: name }])],
  })
  const key = PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY')
  return { key, chain: made.toString('pem') }
}
