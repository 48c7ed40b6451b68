/** Has a certificate at all times: the one kept from before, and a new one before it ends. Never throws; it tries again. */
import { X509Certificate } from 'node:crypto'
import type { Logger } from '@skein/core'
import type { DurableEntries } from '@skein/node/swarm'
import type { Challenges, Issued } from './acme.ts'

export interface Certificate {
  /** PEM. */
  readonly key: string
  /** PEM, the certificate itself first. */
  readonly chain: string
}

/** Renewed when less than this part of its life is left, as Let's Encrypt asks for. */
const RENEW_AT = 1 / 3
/** Between two looks, ms. */
const LOOK_EVERY_MS = 6 * 3_600_000
/** After a failure, ms: doubles from the first to the second. Authorities refuse who asks too often. */
const AGAIN_MS = 60_000
const AGAIN_MOST_MS = 6 * 3_600_000

/** For one order, ms: authorities take minutes at most, and one that never answers must not be waited for. */
export const ORDER_WITHIN_MS = 600_000

const CERTIFICATE = 'https/certificate'
const ACCOUNT = 'https/account'

export interface KeeperDeps {
  readonly entries: DurableEntries
  readonly logger: Logger
  readonly host: string
  /** Where it comes from; one from elsewhere is ordered anew. */
  readonly directory: string
  order(accountKey: string | undefined, challenges: Challenges): Promise<Issued>
  /** A certificate to be shown from now on. */
  onCertificate(certificate: Certificate): void
  readonly challenges: Challenges
  /** Milliseconds since 1970. */
  readonly now: () => number
}

export class CertificateKeeper {
  readonly #deps: KeeperDeps
  #timer: NodeJS.Timeout | undefined
  #failures = 0
  #isStopped = false
  /** When the one that is shown ends, ms since 1970. */
  #endsAt = 0

  constructor(deps: KeeperDeps) {
    this.#deps = deps
  }

  /** Whether one is shown that clients take: it has not ended. */
  get hasCertificate(): boolean {
    return this.#endsAt > this.#deps.now()
  }

  /** When the one that is shown ends, ms since 1970; 0 for none. */
  get endsAt(): number {
    return this.#endsAt
  }

  /** Shows the one that was kept, and orders one where there is none or it ends soon. Does not wait for that. */
  start(): void {
    const kept = this.#kept()
    if (kept !== undefined) this.#show(kept)
    void this.look()
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
  }

  /** Orders a certificate if one is due, and arranges for the next look. */
  async look(): Promise<void> {
    clearTimeout(this.#timer)
    const { logger, host, order, challenges } = this.#deps
    try {
      if (this.#isDue()) {
        const issued = await inTime(order(this.#read(ACCOUNT), challenges))
        this.#keep(issued)
        this.#show(issued.certificate)
        logger.info('certificate-issued', { host, until: endOf(issued.certificate) })
      }
      this.#failures = 0
    } catch (error) {
      this.#failures += 1
      logger.error('certificate-not-issued', { host, failures: this.#failures, meaning: String(error) })
    }
    challenges.prove(undefined)
    if (!this.#isStopped) this.#timer = setTimeout(() => void this.look(), this.#wait()).unref()
  }

  #wait(): number {
    return this.#failures === 0 ? LOOK_EVERY_MS : Math.min(AGAIN_MOST_MS, AGAIN_MS * 2 ** (this.#failures - 1))
  }

  #isDue(): boolean {
    const kept = this.#kept()
    if (kept === undefined) return true
    const { validFromDate, validToDate } = new X509Certificate(kept.chain)
    const life = validToDate.getTime() - validFromDate.getTime()
    return validToDate.getTime() - this.#deps.now() < life * RENEW_AT
  }

  #show(certificate: Certificate): void {
    this.#endsAt = new X509Certificate(certificate.chain).validToDate.getTime()
    this.#deps.onCertificate(certificate)
  }

  #keep({ certificate, accountKey }: Issued): void {
    const { host, directory } = this.#deps
    this.#write(ACCOUNT, accountKey)
    this.#write(CERTIFICATE, JSON.stringify({ ...certificate, host, directory }))
  }

  #kept(): Certificate | undefined {
    const text = this.#read(CERTIFICATE)
    if (text === undefined) return undefined
    const { key, chain, host, directory } = JSON.parse(text) as Certificate & { readonly host: string; readonly directory: string }
    return host === this.#deps.host && directory === this.#deps.directory ? { key, chain } : undefined
  }

  #read(name: string): string | undefined {
    const bytes = this.#deps.entries.get(name)
    return bytes === undefined ? undefined : new TextDecoder().decode(bytes)
  }

  #write(name: string, text: string): void {
    this.#deps.entries.put(name, new TextEncoder().encode(text))
  }
}

/** @throws Error when it takes too long; what comes of it then is not waited for */
async function inTime(order: Promise<Issued>): Promise<Issued> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error('the authority has not finished the order in time')), ORDER_WITHIN_MS).unref()
  try {
    return await Promise.race([order, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

/** When it ends, in the form of ISO 8601. */
export function endOf({ chain }: Certificate): string {
  return new X509Certificate(chain).validToDate.toISOString()
}
