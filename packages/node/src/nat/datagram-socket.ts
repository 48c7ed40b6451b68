/** A plain UDP socket for questions to STUN servers. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { Datagrams } from '../stun/index.ts'

export interface OwnDatagrams extends Datagrams {
  readonly port: number
  close(): void
}

/** On any free port of all IPv4 interfaces. @throws Error when there is none */
export async function openDatagrams(): Promise<OwnDatagrams> {
  const socket = createSocket('udp4')
  socket.bind(0)
  await once(socket, 'listening')
  // Such as "network is unreachable" for an earlier packet: whoever asks notices that nobody answers.
  socket.on('error', () => undefined)
  return {
    port: socket.address().port,
    send: (bytes, { host, port }) => socket.send(bytes, port, host, () => undefined),
    listen: (receive) => {
      const onMessage = (bytes: Buffer, { address, port }: { readonly address: string; readonly port: number }): void =>
        receive(bytes, { host: address, port })
      socket.on('message', onMessage)
      return () => socket.off('message', onMessage)
    },
    close: () => socket.close(),
  }
}
