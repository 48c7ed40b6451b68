/** Whether the one who answers under a relay's URL is a relay: in hotels and trains somebody else does. */
import { MAX_DESCRIPTION_BYTES } from '../swarm/constants.ts'
import { getText, UnfitAnswer } from '../swarm/get-text.ts'

const WITHIN_MS = 5_000
const HTTP_PORT = 80

export type RelayAnswer = 'relay' | 'other' | 'silent'

/**
 * `other`: a captive portal, a proxy, or another program under a wrong URL. Where nobody answers over TLS it is asked
 * without, too: most portals answer in the place of others on `httpPort` alone.
 */
export async function askRelay(url: string, { httpPort = HTTP_PORT } = {}): Promise<RelayAnswer> {
  const place = new URL('relay.json', url.endsWith('/') ? url : `${url}/`)
  const answer = await ask(place)
  if (answer !== 'silent' || place.protocol !== 'https:') return answer
  return ask(new URL(`http://${place.hostname}:${httpPort}${place.pathname}`))
}

async function ask(place: URL): Promise<RelayAnswer> {
  try {
    const options = { signal: AbortSignal.timeout(WITHIN_MS), maxBytes: MAX_DESCRIPTION_BYTES, mayReach: () => true }
    return isRelay(await getText(place, options)) ? 'relay' : 'other'
  } catch (error) {
    return isAnswer(error, place) ? 'other' : 'silent'
  }
}

/** Of Node.js and OpenSSL: a certificate that is not the relay's, no TLS at all, or no HTTP. */
const STRANGE = /^(ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|EPROTO$|HPE_)/

function isAnswer(error: unknown, { hostname }: URL): boolean {
  // Who sends everybody to TLS on its own host may well be the relay.
  if (error instanceof UnfitAnswer) return !error.location?.startsWith(`https://${hostname}`)
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' && STRANGE.test(code)
}

function isRelay(text: string): boolean {
  try {
    const described: unknown = JSON.parse(text)
    return typeof described === 'object' && described !== null && 'peer_id' in described
  } catch {
    return false
  }
}
