/** Asking relays, in a browser, which looks names up itself and guards the local network on its own. */
import { type GetText, hostOf, type MayReach } from './asking.ts'

export const getText: GetText = async (url, { signal, maxBytes, mayReach, onDate }) => {
  if (mayReach !== undefined) await judge(hostOf(url.href), mayReach)
  const response = await fetch(url, { signal, redirect: 'error', credentials: 'omit', headers: { accept: 'application/json' } })
  if (!response.ok) throw new Error(`status ${response.status}`)
  onDate?.(response.headers.get('date'))
  return readBounded(response, maxBytes)
}

/** What judges addresses is loaded for relays of others alone: a first conversation is by one's own. */
async function judge(host: string, mayReach: MayReach): Promise<void> {
  const { isAddress } = await import('./foreign-relay.ts')
  if (isAddress(host) && !mayReach(host)) throw new Error('an address that others may not name')
}

async function readBounded({ body }: Response, maxBytes: number): Promise<string> {
  const decoder = new TextDecoder()
  let [text, total] = ['', 0]
  if (body === null) return text
  for (const reader = body.getReader(); ; ) {
    const { done, value } = await reader.read()
    if (done) return text + decoder.decode()
    total += value.byteLength
    if (total > maxBytes) throw new Error('too large')
    text += decoder.decode(value, { stream: true })
  }
}
