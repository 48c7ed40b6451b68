import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { explainCut } from './lost-client.ts'

it('[CL4] a client that goes away in the middle, or has gone, is no daemon; another failure stays what it is', async () => {
  const server = createServer((_, response) => {
    response.write('the beginning')
    setImmediate(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const asked = async (): Promise<unknown> => {
    const answer = await fetch(url)
    return answer.text()
  }
  const failure = async (): Promise<unknown> => explainCut(await asked().catch((error: unknown) => error))
  expect(await failure()).toMatchObject({ code: 'NO_DAEMON' })
  await new Promise((resolve) => server.close(resolve))
  expect(await failure()).toMatchObject({ code: 'NO_DAEMON' })
  const other = new TypeError('a mistake')
  expect(explainCut(other)).toBe(other)
})
