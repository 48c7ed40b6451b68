import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { afterEach, expect, it, vi } from 'vitest'
import { OPEN_RULES } from '../swarm/circuit/index.ts'
import { Turns } from '../swarm/circuit/turns.ts'
import { ReadBuffers } from './reused-reads.ts'
import { Splice } from './splice.ts'

const WITHIN = { timeout: 30_000 }
const SHARE = 65_536
const ending: (() => void)[] = []

afterEach(() => {
  for (const end of ending.splice(0).toReversed()) end()
})

async function pair(): Promise<{ readonly dialled: Socket; readonly accepted: Socket }> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const dialled = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [accepted] = (await once(server, 'connection')) as [Socket]
  ending.push(
    () => server.close(),
    () => dialled.destroy(),
  )
  return { dialled, accepted }
}

it('[RL12] a joined pair passes in its turn as much as a circuit does, and more where nobody else waits', async () => {
  // Turns come when they are called.
  const due: (() => void)[] = []
  const turns = new Turns({ now: () => 0, soon: (go) => void due.push(go), later: () => () => undefined })
  const next = (): void => {
    for (const go of due.splice(0)) go()
  }
  let passed = 0
  const rules = { ...OPEN_RULES, onPassage: (_: unknown, { bytes }: { readonly bytes: number }) => ((passed += bytes), 0) }
  const [a, b] = [await pair(), await pair()]
  const ends = { from: 'ana', to: 'bo', address: '127.0.0.1' }
  const splice = new Splice([a.accepted, b.accepted], {
    ends,
    rules,
    turns,
    buffers: new ReadBuffers(),
    now: () => 0,
    onClosed: () => undefined,
  })
  ending.push(() => splice.end('relay'))
  splice.start()
  b.dialled.resume()
  a.dialled.write(Buffer.alloc(4 * 1_048_576))
  /** Until the pair, which waits for its turn, has passed `least` in it, and no more is read. @returns what it was */
  const turn = async (least: number): Promise<number> => {
    const before = passed
    next()
    await vi.waitFor(() => expect(passed - before).toBeGreaterThanOrEqual(least), WITHIN)
    return passed - before
  }
  await vi.waitFor(() => expect(passed).toBeGreaterThanOrEqual(SHARE), WITHIN)
  for (let n = 0; n < 3; n += 1) {
    turns.wait('other', SHARE, () => undefined)
    // Reads end where the sender's pieces do.
    expect(await turn(SHARE)).toBeLessThan(2 * SHARE)
  }
  expect(await turn(4 * SHARE)).toBeLessThan(5 * SHARE)
})
