/** What members enter or scan: the relay's URL, and a token behind it where one is wanted. */
import { renderUnicodeCompact } from 'uqr'
import { memberUrl, type RelayConfig, withHttps } from '../config.ts'
import { present } from './present.ts'

/** The token stands in the fragment, which no browser sends. */
export function joinUrl(url: string, token: string | null): string {
  return token === null ? url : `${url}/#token=${token}`
}

/** As the relay will be reached that runs with this configuration; `null` while that is not known. */
export function ownMemberUrl(config: RelayConfig): string | null {
  const whole = withHttps(config, config.https === 'off' ? undefined : config.https)
  return memberUrl(whole, config.http === 'off' ? undefined : config.http) ?? null
}

/** The result, and for people the way in as a QR code. */
export function presentWithJoin(result: Readonly<Record<string, unknown>>, url: string | null, { json }: Pick<RelayConfig, 'json'>): void {
  const token = typeof result['token'] === 'string' ? result['token'] : null
  const join = url === null ? null : joinUrl(url, token)
  present({ ...result, join }, json)
  if (!json && join !== null) process.stdout.write(`\n${renderUnicodeCompact(join)}\n`)
}
