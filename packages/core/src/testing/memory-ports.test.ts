/** Everything in memory that stands in for a part of the world must keep the contract of the port it fills. */
import { deviceIdFromKey } from '../ids.ts'
import { clockContract, directoryContract, discoveryContract, loggerContract, randomContract, swarmContract } from './contracts/index.ts'
import { MemoryLan } from './memory-lan.ts'
import { MemoryNetwork } from './memory-network.ts'
import { RecordingLogger } from './recording-logger.ts'
import { seededRandom } from './seeded-random.ts'
import { VirtualClock } from './virtual-clock.ts'

const device = (byte: number) => deviceIdFromKey(new Uint8Array(32).fill(byte))

clockContract('virtual', () => {
  const clock = new VirtualClock()
  return { clock, pass: (ms) => clock.advance(ms) }
})

randomContract('seeded', () => seededRandom(6))

loggerContract('recording', () => {
  const logger = new RecordingLogger()
  return { logger, lines: () => logger.lines }
})

directoryContract('memory', async () => {
  const { directory } = new MemoryNetwork()
  const record = { key: new Uint8Array(32), older: Uint8Array.of(1), newer: Uint8Array.of(2) }
  return { a: directory, b: directory, relayUrl: 'http://relay.test', record, end: async () => undefined }
})

swarmContract('memory', async () => {
  const network = new MemoryNetwork()
  return { a: network.join(device(1)), b: network.join(device(2)), pump: () => network.pump(), end: async () => undefined }
})

discoveryContract('memory', async () => {
  const lan = new MemoryLan()
  const pass = async (): Promise<void> => lan.beat()
  const until = async (holds: () => boolean): Promise<void> => {
    if (!holds()) lan.beat()
    if (!holds()) throw new Error('not heard')
  }
  return { a: lan.join('10.0.0.1'), b: lan.join('10.0.0.2'), until, pass, end: async () => undefined }
})
