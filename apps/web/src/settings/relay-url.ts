/** Hosts that browsers let a page that came by https talk to without it. */
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/

/** What is wrong with the address of a relay that is entered in a page of this protocol. */
export function faultOf(url: string, page: string): 'RELAY_URL' | 'RELAY_MIXED' | undefined {
  const { protocol = '', hostname = '' } = URL.parse(url) ?? {}
  if (!/^https?:$/.test(protocol)) return 'RELAY_URL'
  return page === 'https:' && protocol === 'http:' && !LOOPBACK.test(hostname) ? 'RELAY_MIXED' : undefined
}
