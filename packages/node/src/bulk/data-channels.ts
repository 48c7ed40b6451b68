/** Data channels for bulk between devices that WebRTC connects, by purpose (BU9). */
import type { Stream } from '@libp2p/interface'
import type { DeviceId, PeerPath, ProtocolId } from '@skein/core'
import type { BulkHandler } from './bulk-channels.ts'
import { DataChannelConnection, dataChannelOf } from './data-channel.ts'

export interface StreamSwarm {
  paths(): readonly PeerPath[]
  /** On the connection that stands; `undefined` where there is none, or the other side does not take it. */
  openStream(device: DeviceId, protocol: ProtocolId, options: { readonly signal: AbortSignal }): Promise<Stream | undefined>
  handleStreams(protocol: ProtocolId, take: (stream: Stream, device: DeviceId) => void): () => void
}

/** For the other side to take the channel over, ms. */
const READY_WITHIN_MS = 5_000

const protocolOf = (purpose: string): ProtocolId => `/skein/bulk-${purpose}/1`

/** `undefined` where no WebRTC connects the two, or the other side takes none. */
export async function openDataChannel(
  swarm: StreamSwarm,
  device: DeviceId,
  { purpose, signal }: { readonly purpose: string; readonly signal: AbortSignal },
): Promise<DataChannelConnection | undefined> {
  const path = swarm.paths().find((each) => each.device === device)
  if (path?.transport.startsWith('webrtc') !== true) return undefined
  const stream = await swarm.openStream(device, protocolOf(purpose), { signal })
  const channel = stream && dataChannelOf(stream)
  if (stream === undefined) return undefined
  if (channel === undefined || !(await isReady(stream, signal))) {
    stream.abort(new Error('no data channel to be had'))
    return undefined
  }
  stream.inactivityTimeout = Number.MAX_SAFE_INTEGER
  return new DataChannelConnection(channel, device)
}

/**
 * The other side has taken the channel over: it says so by the stream, before anything goes another way. It sends nothing
 * else before the first frame has come to it, and so nothing that libp2p would take for its own.
 */
function isReady(stream: Stream, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const limited = AbortSignal.any([signal, AbortSignal.timeout(READY_WITHIN_MS)])
    stream.addEventListener('message', () => resolve(true), { once: true })
    stream.addEventListener('close', () => resolve(false), { once: true })
    limited.addEventListener('abort', () => resolve(false), { once: true })
  })
}

/** The returned function ends it. */
export function handleDataChannels(swarm: Pick<StreamSwarm, 'handleStreams'>, purpose: string, handler: BulkHandler): () => void {
  return swarm.handleStreams(protocolOf(purpose), (stream, device) => {
    const channel = dataChannelOf(stream)
    if (channel === undefined || !handler.allows(device)) {
      stream.abort(new Error('not for this device, or not by WebRTC'))
      return
    }
    stream.inactivityTimeout = Number.MAX_SAFE_INTEGER
    const connection = new DataChannelConnection(channel, device)
    stream.send(Uint8Array.of(1))
    handler.onOpened(connection)
  })
}
