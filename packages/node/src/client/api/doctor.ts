/** What may keep this client from others, in sentences. */
import { CLOCK_WINDOW_MS, type RelayStatus } from '@skein/core'
import type { Client, NetworkKnowledge } from '../assemble.ts'
import type { DoctorView, NatView } from './contract.ts'

type Check = DoctorView['checks'][number]

export async function doctorView(client: Client): Promise<DoctorView> {
  const [nat, relays] = await Promise.all([
    client.network?.probe(),
    Promise.all(client.swarm.relays().map((each) => relayCheck(client, each))),
  ])
  const listening = client.swarm.addresses().length > 0
  const checks: Check[] = [
    ...(relays.length > 0
      ? relays
      : [check('relay', 'no-relay', { ok: false, detail: 'No relay is set: only devices on the same network are reached.' })]),
    listening
      ? check('listening', 'listening', { detail: 'Others can be told where to dial.' })
      : check('listening', 'not-listening', { ok: false, detail: 'There is no address under which others could dial.' }),
    ...clockCheck(client.swarm.clockAheadMs()),
    ...(nat === undefined ? [] : natChecks(nat)),
    ...(client.network === undefined ? [] : [mappingCheck(client.network)]),
  ]
  return { checks, nat: natView(client.network), refused: client.refused?.() ?? {} }
}

/** Nothing while it is right, as far as is known: whoever's is wrong counts as absent, and invites as expired. */
export function clockCheck(aheadMs: number | null): Check[] {
  if (aheadMs === null || Math.abs(aheadMs) <= CLOCK_WINDOW_MS) return []
  const [way, minutes] = [aheadMs > 0 ? 'ahead' : 'behind', String(Math.round(Math.abs(aheadMs) / 60_000))]
  const detail = `The clock of this device is ${minutes} minutes ${way === 'ahead' ? 'ahead of' : 'behind'} the relay's: set it right.`
  return [check('clock', `clock-${way}`, { ok: false, detail, about: minutes })]
}

interface Found {
  readonly ok?: boolean
  readonly detail: string
  readonly about?: string
}

const check = (name: string, code: string, { ok = true, detail, about = '' }: Found): Check => ({ name, ok, detail, code, about })

/** What is known of the way out; empty in a browser. */
export function natView(network: NetworkKnowledge | undefined): NatView {
  if (network === undefined) return {}
  const found = network.mapping()
  const address = found.kind === 'mapped' ? `${found.mapping.host}:${found.mapping.port}` : null
  const by = found.kind === 'mapped' ? found.mapping.by : null
  return { ...network.nat(), port_mapping: { state: found.kind, by, address } }
}

const NO_MAPPING = {
  looking: 'The router is being asked for a port.',
  public: 'This machine has a public address: no router has to open a port.',
  'no-router': 'No router was found that could open a port.',
  none: 'The router opens no ports by itself (PCP, NAT-PMP and UPnP are off or absent).',
  nested: 'The router opens a port, but stands behind another NAT itself: others cannot use it.',
  refused: 'The router refuses to open a port.',
  off: 'The router is not asked for a port (--no-port-mapping or --no-lan).',
}

/** Others find a way without it too: never a fault. */
function mappingCheck(network: NetworkKnowledge): Check {
  const found = network.mapping()
  const { host, port, by } = found.kind === 'mapped' ? found.mapping : { host: '', port: 0, by: '' }
  const detail = found.kind === 'mapped' ? `The router has opened ${host}:${port} for this device, by ${by}.` : NO_MAPPING[found.kind]
  const about = found.kind === 'mapped' ? `${host}:${port}` : ''
  return check('port mapping', `mapping-${found.kind}`, { detail, about })
}

async function relayCheck({ network }: Client, { url, connected, reserved, givesPlaces }: RelayStatus): Promise<Check> {
  const say = (code: string, detail: string, ok = false): Check => check(`relay ${url}`, code, { ok, detail, about: url })
  if (reserved) return say('relay-joined', 'Joined; others reach this device over it.', true)
  // A device that serves this page to its network takes no circuits for it.
  if (connected && !givesPlaces) return say('relay-host', 'Connected; this page comes from there.', true)
  if (connected) return say('relay-no-place', 'Connected, but it gives no place: it may be full, or want an invitation.')
  const answer = await network?.askRelay(url)
  if (answer === 'other')
    return say('relay-other', 'Somebody else answers under this URL: a captive portal that wants a login, a proxy, or the URL is wrong.')
  if (answer === 'relay') return say('relay-ports', 'It answers over HTTP, but none of its other ports can be reached.')
  return say('relay-away', 'It does not answer: it is down, or there is no way to it from this network.')
}

const MAPPINGS: Record<NonNullable<NatView['mapping']>, string> = {
  none: 'There is no NAT; a firewall may be there.',
  same: 'A NAT with foreseeable ports: direct connections are possible.',
  sequential: 'A NAT that takes the next port for each destination: direct connections are possible with some effort.',
  random: 'A NAT with random ports: direct connections are possible to devices with a better one, by many tries.',
  unknown: 'How the NAT chooses its ports is not known.',
}

function natChecks(nat: NatView): Check[] {
  const { udp = null, mapping = 'unknown', filtering = 'unknown', ipv6 = false } = nat
  const seen = nat.seen_as ?? ''
  return [
    udpCheck(udp, seen),
    check('nat', `nat-${mapping}`, {
      ok: mapping !== 'unknown',
      detail: `${MAPPINGS[mapping]} Filtering: ${filtering}.`,
      about: filtering,
    }),
    ipv6
      ? check('ipv6', 'ipv6', { detail: 'There is a public IPv6 address.' })
      : check('ipv6', 'no-ipv6', { detail: 'There is no public IPv6 address.' }),
    hairpinCheck(nat.hairpin ?? null),
  ]
}

function udpCheck(udp: boolean | null, seen: string): Check {
  if (udp === null) return check('udp', 'udp-unknown', { detail: 'Not known: no relay was reached that answers questions over UDP.' })
  if (udp) return check('udp', 'udp', { detail: `UDP gets through; seen as ${seen}.`, about: seen })
  return check('udp', 'no-udp', { ok: false, detail: 'UDP does not get through: direct connections use TCP.' })
}

function hairpinCheck(hairpin: boolean | null): Check {
  if (hairpin === null) return check('hairpin', 'hairpin-unknown', { detail: 'Not known.' })
  if (hairpin) return check('hairpin', 'hairpin', { detail: 'The NAT turns packets round.' })
  const detail = 'Two devices behind this NAT do not reach each other by their outside addresses.'
  return check('hairpin', 'no-hairpin', { ok: false, detail })
}
