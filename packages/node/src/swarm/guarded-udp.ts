/**
 * Ports over UDP, where native code takes what comes. Each question of STUN under a new name would make a connection of
 * WebRTC's, whoever asks; handshakes under way are bounded as those over TCP are, and those that come to nothing are counted.
 */
import { createSocket } from 'node:dgram'
import type { Listener, Transport } from '@libp2p/interface'
import { webRTCDirect } from '@libp2p/webrtc'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { Shares } from '@skein/core'
import { PENDING } from './circuit/gate.ts'
import type { RelayRules } from './circuit/rules.ts'

type Rules = Pick<RelayRules, 'groupsOf' | 'onRefused'>
type Components = Parameters<ReturnType<typeof webRTCDirect>>[0]

/** What the listener of `@libp2p/webrtc` 6 has; not in its types. */
interface OfWebRTC {
  /** By address, port and name of who has asked. */
  readonly connections: ReadonlyMap<string, unknown>
  incomingConnection(name: string, host: string, port: number, signal: AbortSignal): Promise<void>
}

/** Takes the place of `webRTCDirect()` wherever something listens. No STUN: no third-party server is ever asked. */
export function guardedWebRTCDirect(rules: Rules, bounds = PENDING): (components: Components) => Transport {
  return (components) => {
    const transport = webRTCDirect({ rtcConfiguration: { iceServers: [] } })(components)
    const createListener = transport.createListener.bind(transport)
    return Object.assign(transport, {
      createListener: (wanted: Parameters<typeof createListener>[0]) => guard(createListener(wanted), rules, bounds),
    })
  }
}

/** The listener's own choice is a port that is free over TCP, and libjuice says on stdout that another program has it over UDP. */
async function onFreePort(wanted: Multiaddr): Promise<Multiaddr> {
  const [ip, udp] = wanted.getComponents()
  if (ip?.value === undefined || udp?.value !== '0') return wanted
  const socket = createSocket(ip.name === 'ip6' ? 'udp6' : 'udp4')
  await new Promise<void>((resolve, reject) => socket.once('error', reject).bind(0, ip.value, resolve))
  const { port } = socket.address()
  await new Promise<void>((resolve) => socket.close(resolve))
  return multiaddr(`/${ip.name}/${ip.value}/udp/${port}`).encapsulate('/webrtc-direct')
}

function guard(listener: Listener, rules: Rules, bounds: typeof PENDING): Listener {
  const guarded = listener as Listener & OfWebRTC
  const listen = guarded.listen.bind(listener)
  guarded.listen = async (wanted) => listen(await onFreePort(wanted))
  const take = guarded.incomingConnection.bind(listener)
  const pending = new Shares(() => bounds)
  const underWay = new Set<string>()
  guarded.incomingConnection = async (name, host, port, signal) => {
    const key = `${host}:${port}:${name}`
    // Who asks is heard again and again until it is answered.
    if (underWay.has(key) || guarded.connections.has(key)) return
    const [address, network] = rules.groupsOf(host)
    const origin = { connection: '', address, network }
    if (!pending.take(origin, 1)) return rules.onRefused('handshake', 'pending')
    underWay.add(key)
    try {
      await take(name, host, port, signal)
    } catch (error) {
      // Whom the gate turns away it has counted itself.
      if (!(error instanceof Error && error.name === 'ConnectionInterceptedError')) rules.onRefused('handshake', 'failed')
      throw error
    } finally {
      underWay.delete(key)
      pending.give(origin, 1)
    }
  }
  return listener
}
