import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, expect, it, vi } from 'vitest'
import { startReflector } from './reflector.ts'

const WITHIN = { timeout: 60_000 }
const running: AsyncDisposable[] = []
const sockets: Socket[] = []

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await Promise.all(running.splice(0).map((each) => each[Symbol.asyncDispose]()))
})

it.skipIf(process.platform === 'darwin')(
  '[RL34, RL21] one address has so many places at the reflector, and is cut off there; another is answered',
  async () => {
    const refused: string[] = []
    const bounds = () => ({ address: 8, network: 12, total: 20 })
    const reflector = await startReflector({ host: '127.0.0.1', port: 0, bounds, onRefused: (reason) => void refused.push(reason) })
    running.push(reflector)
    const open = async (from: string): Promise<Socket> => {
      const socket = connect({ host: '127.0.0.1', port: reflector.port, localAddress: from, allowHalfOpen: true })
      sockets.push(socket)
      socket.on('error', () => undefined)
      await once(socket, 'connect')
      return socket
    }
    // They keep their half open and hold their places until they are cut.
    for (let count = 0; count < 30; count += 1) await open('127.0.0.2')
    await vi.waitFor(() => expect(refused.filter((why) => why === 'connections')).toHaveLength(22), WITHIN)
    const honest = await open('127.0.0.3')
    const [answer] = (await once(honest, 'data')) as [Buffer]
    honest.end()
    expect(answer.toString()).toMatch(/^127\.0\.0\.3:\d+\n$/)
    await vi.waitFor(() => expect(refused.filter((why) => why === 'timeout')).toHaveLength(8), WITHIN)
  },
)
