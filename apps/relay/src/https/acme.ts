/** One certificate by ACME (RFC 8555), proven over the very port it is for (TLS-ALPN-01, RFC 8737): no other port is needed. */
import type { Certificate } from './certificate-keeper.ts'

export interface AcmeOrder {
  /** URL of the authority's directory. */
  readonly directory: string
  /** Name that the certificate is for. */
  readonly host: string
  /** Whom the authority warns; it may be left out. */
  readonly email: string | undefined
  /** PEM; `undefined` for a new account. */
  readonly accountKey: string | undefined
}

export interface Challenges {
  /** The authority will connect with `acme-tls/1` and wants to see this. `undefined` ends it. */
  prove(proof: Certificate | undefined): void
}

export interface Issued {
  readonly certificate: Certificate
  readonly accountKey: string
}

/** @throws Error of the library when the authority refuses or cannot be reached */
export async function orderByAcme({ directory, host, email, accountKey }: AcmeOrder, challenges: Challenges): Promise<Issued> {
  // Only where HTTPS is wanted: the library is a tenth of the relay.
  const { default: acme } = await import('acme-client')
  const key = accountKey ?? String(await acme.crypto.createPrivateEcdsaKey())
  const client = new acme.Client({ directoryUrl: directory, accountKey: key })
  const [privateKey, csr] = await acme.crypto.createCsr({ commonName: host, altNames: [host] }, await acme.crypto.createPrivateEcdsaKey())
  const chain = await client.auto({
    csr,
    ...(email === undefined ? {} : { email }),
    termsOfServiceAgreed: true,
    challengePriority: ['tls-alpn-01'],
    // It would ask itself over the network; whether that is the way the authority comes says nothing.
    skipChallengeVerification: true,
    challengeCreateFn: async (authorization, _, keyAuthorization) => {
      const [proofKey, proof] = await acme.crypto.createAlpnCertificate(authorization, keyAuthorization)
      challenges.prove({ key: String(proofKey), chain: String(proof) })
    },
    challengeRemoveFn: async () => challenges.prove(undefined),
  })
  return { certificate: { key: String(privateKey), chain }, accountKey: key }
}
