/**
 * `skein-relay bench`: what a relay on this machine carries, measured with members of its own beside it. They take their share
 * of the same processors, so members elsewhere will see no less.
 */
import { availableParallelism } from 'node:os'
import { SkeinError } from '@skein/core'
import { MeasuredRelay } from './measured-relay.ts'
import { PeerProcess } from './peer-process.ts'

const GIB = 1_073_741_824
/** Round trips of which a 99th percentile is made. */
const ASKS = 300
export const MAX_MEMBERS = 2_000
export const MAX_SECONDS = 600

export interface BenchOptions {
  /** 2 to MAX_MEMBERS. */
  readonly members: number
  /** How long bulk is sent, 1 to MAX_SECONDS. */
  readonly seconds: number
}

export interface BenchResult extends Record<string, number> {
  readonly cores: number
  readonly members: number
  readonly joins_per_s: number
  readonly join_p99_ms: number
  readonly rss_kb_per_member: number
  readonly answer_p50_ms_idle: number
  readonly answer_p99_ms_idle: number
  readonly answer_p99_ms_under_bulk: number
  readonly relayed_mb_per_s: number
  readonly cpu_s_per_gib: number
}

/** @throws SkeinError USAGE; Error when a process of the bench fails */
export async function bench({ members, seconds }: BenchOptions): Promise<BenchResult> {
  if (!within(members, 2, MAX_MEMBERS) || !within(seconds, 1, MAX_SECONDS))
    throw new SkeinError('USAGE', `--members is 2 to ${MAX_MEMBERS}, --seconds 1 to ${MAX_SECONDS}.`)
  await using relay = await MeasuredRelay.start()
  using receiver = new PeerProcess()
  using sender = new PeerProcess()
  const joined = await joining(relay, [receiver, sender], members)
  const idle = await asking(relay, receiver)
  await receiver.ask('open', { device: '', relay: relay.tcp })
  await sender.ask('open', { device: joined.receiver, relay: relay.tcp })
  const carried = await pouring(relay, { sender, seconds })
  return {
    cores: availableParallelism(),
    members,
    ...joined.figures,
    answer_p50_ms_idle: round(percentile(idle, 0.5)),
    answer_p99_ms_idle: round(percentile(idle, 0.99)),
    ...carried,
  }
}

function within(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most
}

async function joining(
  relay: MeasuredRelay,
  [receiver, sender]: readonly [PeerProcess, PeerProcess],
  members: number,
): Promise<{ readonly receiver: string; readonly figures: Pick<BenchResult, 'joins_per_s' | 'join_p99_ms' | 'rss_kb_per_member'> }> {
  // The first pair loads code at both ends and in the relay.
  const { devices } = await receiver.ask('join', { url: relay.url, count: 1 })
  await sender.ask('join', { url: relay.url, count: 1 })
  const [before, started] = [await relay.figures(), performance.now()]
  const half = Math.ceil(members / 2)
  const counts = [half, members - half] as const
  const done = await Promise.all([
    receiver.ask('join', { url: relay.url, count: counts[0] }),
    sender.ask('join', { url: relay.url, count: counts[1] }),
  ])
  const tookMs = performance.now() - started
  const after = await relay.figures()
  const figures = {
    joins_per_s: round((members / tookMs) * 1_000),
    join_p99_ms: round(
      percentile(
        done.flatMap(({ times }) => times),
        0.99,
      ),
    ),
    rss_kb_per_member: round((after.rssBytes - before.rssBytes) / 1_000 / members),
  }
  return { receiver: devices[0] ?? '', figures }
}

async function asking(relay: MeasuredRelay, peer: PeerProcess): Promise<readonly number[]> {
  return (await peer.ask('ask', { url: relay.url, count: ASKS })).times
}

/** Bulk from one member to another, and somebody who asks meanwhile. */
async function pouring(
  relay: MeasuredRelay,
  { sender, seconds }: { readonly sender: PeerProcess; readonly seconds: number },
): Promise<Pick<BenchResult, 'answer_p99_ms_under_bulk' | 'relayed_mb_per_s' | 'cpu_s_per_gib'>> {
  using asker = new PeerProcess()
  await asker.ask('join', { url: relay.url, count: 1 })
  const before = await relay.figures()
  const asked = asker.ask('ask', { url: relay.url, count: ASKS })
  const { bytes } = await sender.ask('pour', { forMs: seconds * 1_000 })
  const after = await relay.figures()
  return {
    answer_p99_ms_under_bulk: round(percentile((await asked).times, 0.99)),
    relayed_mb_per_s: round(bytes / 1e6 / seconds),
    cpu_s_per_gib: round((after.cpuSeconds - before.cpuSeconds) / (bytes / GIB)),
  }
}

function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
