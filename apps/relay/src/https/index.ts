/**
 * HTTPS of the relay's own: one port for pages, `/relay.json` and WebSockets, with a certificate that it orders, keeps over
 * restarts and renews while it runs.
 */
import type { Logger } from '@skein/core'
import type { DurableEntries } from '@skein/node/swarm'
import { orderByAcme } from './acme.ts'
import { CertificateKeeper } from './certificate-keeper.ts'
import { type FrontHandlers, HttpsFront } from './https-front.ts'

export interface SecureFrontOptions extends FrontHandlers {
  readonly host: string
  readonly port: number
  /** That the certificate is for. */
  readonly name: string
  readonly acmeDirectory: string
  readonly acmeEmail?: string | undefined
  readonly entries: DurableEntries
  readonly logger: Logger
}

export interface SecureFront extends AsyncDisposable {
  readonly port: number
  readonly hasCertificate: boolean
  /** When the certificate ends, ms since 1970; 0 for none. */
  readonly certificateEndsAt: number
}

/** Listens at once; what it shows comes later if there is nothing yet. @throws SkeinError PORT_IN_USE, USAGE */
export async function openSecureFront({ host, port, name, acmeDirectory, acmeEmail, ...parts }: SecureFrontOptions): Promise<SecureFront> {
  const front = new HttpsFront(parts)
  await front.listen(host, port)
  const keeper = new CertificateKeeper({
    ...parts,
    host: name,
    directory: acmeDirectory,
    order: (accountKey, challenges) => orderByAcme({ directory: acmeDirectory, host: name, email: acmeEmail, accountKey }, challenges),
    onCertificate: (certificate) => front.show(certificate),
    challenges: front,
    now: Date.now,
  })
  keeper.start()
  return {
    port: front.port,
    get hasCertificate() {
      return keeper.hasCertificate
    },
    get certificateEndsAt() {
      return keeper.endsAt
    },
    [Symbol.asyncDispose]: async () => {
      keeper.stop()
      await front[Symbol.asyncDispose]()
    },
  }
}
