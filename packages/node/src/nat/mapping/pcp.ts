/** Ports by PCP, and by NAT-PMP where the router knows no more. */
import type { Clock, Random } from '@skein/core'
import { askGateway } from './ask-gateway.ts'
import { decodeAddress, decodeTcpMap, encodeAddressRequest, encodeTcpMap } from './nat-pmp-message.ts'
import { decodeMap, encodeMap, NONCE_BYTES, PCP_PORT } from './pcp-message.ts'
import { LIFETIME_S, type MappingTarget, type MappingWay, type OutsidePort, refusedBy } from './way.ts'

export interface PcpDeps {
  readonly clock: Pick<Clock, 'sleep'>
  readonly random: Pick<Random, 'bytes'>
  /** UDP port of the router's server; for tests. */
  readonly serverPort?: number
}

/** One nonce for as long as the client runs: with another one the router refuses to renew or to take back (RFC 6887 §11.3). */
export function pcpWay({ clock, random, serverPort: port = PCP_PORT }: PcpDeps): MappingWay {
  const nonce = random.bytes(NONCE_BYTES)
  const ask = ({ gateway, host, signal, ...rest }: MappingTarget, lifetimeS: number) => {
    const request = { nonce, lifetimeS, client: host, port: rest.port, wanted: rest.wanted }
    return askGateway({ gateway, port, clock, signal, request: encodeMap(request), read: (bytes) => decodeMap(bytes, request) })
  }
  return {
    name: 'pcp',
    map: async (target) => {
      const answer = await ask(target, LIFETIME_S)
      if (answer === undefined || answer.kind === 'other-version') return undefined
      if (answer.kind === 'refused') throw refusedBy('pcp', answer.code)
      return answer
    },
    unmap: async (target) => void (await ask(target, 0)),
  }
}

/** Routers that speak NAT-PMP alone; there is no nonce: only the router's address is known of the answer. */
export function natPmpWay({ clock, serverPort: port = PCP_PORT }: Omit<PcpDeps, 'random'>): MappingWay {
  const ask = (target: MappingTarget, lifetimeS: number) =>
    askGateway({
      ...target,
      port,
      clock,
      request: encodeTcpMap({ port: target.port, wanted: target.wanted, lifetimeS }),
      read: (bytes) => decodeTcpMap(bytes, target.port),
    })
  const map = async (target: MappingTarget): Promise<OutsidePort | undefined> => {
    const outside = await askGateway({ ...target, port, clock, request: encodeAddressRequest(), read: decodeAddress })
    if (outside === undefined) return undefined
    if (outside.kind === 'refused') throw refusedBy('nat-pmp', outside.code)
    const answer = await ask(target, LIFETIME_S)
    if (answer?.kind === 'refused') throw refusedBy('nat-pmp', answer.code)
    return answer === undefined ? undefined : { host: outside.host, port: answer.port, lifetimeS: answer.lifetimeS }
  }
  return { name: 'nat-pmp', map, unmap: async (target) => void (await ask(target, 0)) }
}
