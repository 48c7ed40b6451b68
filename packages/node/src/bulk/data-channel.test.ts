import type { DeviceId } from '@skein/core'
import { expect, it } from 'vitest'
import { type DataChannel, DataChannelConnection } from './data-channel.ts'

/** As the library's: touched when it is destroyed, it throws, and tells that it has closed some time after. */
function destroyed(): DataChannel {
  const gone = (): never => {
    throw new Error('called on destroyed channel')
  }
  let isThere = true
  const channel = {
    readyState: 'open',
    get bufferedAmount() {
      return isThere ? 0 : gone()
    },
    set bufferedAmountLowThreshold(_bytes: number) {
      if (!isThere) gone()
    },
    addEventListener: () => undefined,
    close: () => undefined,
  }
  queueMicrotask(() => (isThere = false))
  return channel as unknown as DataChannel
}

it('[BU9] a data channel that the library has destroyed already is closed without an error', async () => {
  const connection = new DataChannelConnection(destroyed(), 'peer' as DeviceId)
  await Promise.resolve()
  await expect(connection.close()).resolves.toBeUndefined()
  expect((await connection[Symbol.asyncIterator]().next()).done).toBe(true)
})
