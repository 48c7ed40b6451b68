/** Which way leads to a contact, and why not a better one. */
import type { DeviceId, MeshStatus, Messenger, OutboxEntry, PeerPath, StoredContact } from '@skein/core'
import { RUNGS, type RungReport } from '../../swarm/rungs.ts'
import type { Client } from '../assemble.ts'
import type { WhyView } from './contract.ts'
import type { DeviceWayView } from './network-contract.ts'
import { natView } from './doctor.ts'

/** Of several devices the one that is reached best, and then each of them. */
export function whyView({ messenger, swarm, network }: Client, { account }: StoredContact): WhyView {
  const devices = messenger.book.devicesOf(account).map(({ device }) => device)
  const paths = swarm.paths().filter(({ device }) => devices.includes(device))
  const ways = devices.map((device) => deviceWay(device, paths, swarm.rungs(device))).toSorted((a, b) => a.rank - b.rank)
  const views = ways.map(({ view }) => view)
  const [best] = views
  const shared = { contact: account, nat: natView(network), devices: views }
  if (best !== undefined && best.path !== 'none') return { ...best, ...shared }
  const status = messenger.mesh?.status()
  const mesh = meshWay(messenger, devices, status)
  const tried = best?.reasons ?? reasonsOf(undefined, [])
  const wrong = status?.clockDiffers === true ? [OTHER_TIME] : []
  if (mesh === undefined) return { ...NOWHERE, ...best, ...shared, reasons: [...tried, ...wrong] }
  const reasons = [...tried, { rung: 'mesh', outcome: 'open', detail: mesh.detail }, ...wrong]
  return { ...NOWHERE, ...shared, device: mesh.device, path: 'mesh', transport: 'mesh', since: mesh.since, reasons }
}

/** Bundles of another time are taken by nobody (ME43). */
const OTHER_TIME = {
  ...{ rung: 'mesh', outcome: 'failed' },
  detail: 'the clock here differs by days from those of the neighbours: nothing goes or comes until the date is set',
}
const NOWHERE = { device: '', path: 'none', transport: null, rtt_ms: null, since: null } as const

interface DeviceWay {
  readonly view: DeviceWayView
  /** The better reached, the smaller; who was tried at least comes before who was not. */
  readonly rank: number
}

function deviceWay(device: DeviceId, paths: readonly PeerPath[], reports: readonly RungReport[]): DeviceWay {
  const [best] = paths.filter((each) => each.device === device).toSorted((a, b) => rank(a) - rank(b))
  const reasons = reasonsOf(best, reports)
  if (best === undefined) return { view: { ...NOWHERE, device, reasons }, rank: UNREACHED_RANK + (reports.length > 0 ? 0 : 1) }
  const { path, transport, rttMs, since } = best
  return { view: { device, path, transport, rtt_ms: rttMs, since, reasons }, rank: rank(best) }
}

/** Where nothing else leads there, and mail for the contact lies at a mailbox, that is the way. */
export function withMailbox(view: WhyView, outbox: readonly OutboxEntry[]): WhyView {
  if (view.path !== 'none') return view
  const held = outbox.find(({ contact, carriers }) => contact === view.contact && carriers.some((each) => /^https?:/.test(each)))
  if (held === undefined) return view
  const detail = `mail lies at ${held.carriers.filter((each) => each !== 'mesh').join(', ')}`
  return { ...view, device: held.device, path: 'mailbox', reasons: [...view.reasons, { rung: 'mailbox', outcome: 'open', detail }] }
}

/** A route that is in use, or carriers that hold something for the contact. */
function meshWay(
  messenger: Messenger,
  devices: readonly DeviceId[],
  status: MeshStatus | undefined,
): { readonly device: DeviceId; readonly since: number | null; readonly detail: string } | undefined {
  for (const device of devices) {
    const addresses = messenger.meshAddressesOf(device)
    const ways = status?.routes.find((each) => addresses.includes(each.address))?.ways ?? []
    const [way] = ways
    if (way !== undefined) return { device, since: Math.round(way.provenAt), detail: `in use, ${way.hops} hops; ${separate(ways.length)}` }
    const carried = status?.bundles.find((each) => each.isOwn && addresses.includes(each.address))
    if (carried !== undefined) return { device, since: carried.receivedAt, detail: 'carried by those who meet others' }
  }
  return undefined
}

/** Whether anybody on the way sees the whole of what is sealed. */
function separate(ways: number): string {
  return ways > 1
    ? `${ways} separate ways, so that large messages go in pieces while none of them loses any`
    : 'one way only, so that those on it pass on whole sealed messages'
}

const BEST_FIRST = ['lan', 'direct', 'mapped', 'punched', 'relayed']
const UNREACHED_RANK = BEST_FIRST.length

function rank({ path }: PeerPath): number {
  return BEST_FIRST.indexOf(path)
}

/** The rungs from the best down to the one in use; those below do not matter. */
function reasonsOf(best: PeerPath | undefined, reports: readonly RungReport[]): WhyView['reasons'] {
  const inUse = best === undefined ? undefined : rungInUse(best)
  const reasons: WhyView['reasons'] = []
  const detail = best?.path === 'mapped' ? 'in use, through a port that a router has opened' : 'in use'
  for (const rung of RUNGS) {
    if (rung === inUse) return [...reasons, { rung, outcome: 'open', detail }]
    reasons.push(
      reports.find((each) => each.rung === rung) ?? { rung, outcome: 'not-tried', detail: best === undefined ? UNREACHED : OPENED_THERE },
    )
  }
  return reasons
}

function rungInUse({ path, transport }: PeerPath): string {
  if (path === 'punched') return `${transport}-punch`
  if (transport === 'webrtc') return 'webrtc'
  return path === 'mapped' ? 'direct' : path
}

const UNREACHED = 'not tried: the other side has not been reached at all'
/** Who is called by the other side does not look for a way. */
const OPENED_THERE = 'not tried from here: there was a way already'
