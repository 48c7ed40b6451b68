/** Whether the one who answers under a relay's URL is a relay: in hotels and trains somebody else does. */
const WITHIN_MS = 5_000

export type RelayAnswer = 'relay' | 'other' | 'silent'

/** `other`: a captive portal, a proxy, or another program under a wrong URL. */
export async function askRelay(url: string): Promise<RelayAnswer> {
  try {
    const place = new URL('relay.json', url.endsWith('/') ? url : `${url}/`)
    const response = await fetch(place, { redirect: 'manual', signal: AbortSignal.timeout(WITHIN_MS) })
    const text = await response.text()
    return response.ok && isRelay(text) ? 'relay' : 'other'
  } catch {
    return 'silent'
  }
}

function isRelay(text: string): boolean {
  try {
    const described: unknown = JSON.parse(text)
    return typeof described === 'object' && described !== null && 'peer_id' in described
  } catch {
    return false
  }
}
