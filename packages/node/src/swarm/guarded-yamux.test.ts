import { AbstractMultiaddrConnection, multiaddrConnectionPair } from '@libp2p/utils'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { guardedYamux } from './guarded-yamux.ts'

const uncaught: unknown[] = []
const note = (error: unknown): void => void uncaught.push(error)
beforeEach(() => void process.prependListener('uncaughtException', note))
afterEach(() => void process.off('uncaughtException', note))

function transport(): AbstractMultiaddrConnection {
  const [near] = multiaddrConnectionPair()
  if (near instanceof AbstractMultiaddrConnection) return near
  throw new Error('the library makes other connections now')
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

it('a connection that died before its muxer was made gets none', () => {
  const dead = transport()
  dead.onTransportClosed()
  expect(() => guardedYamux()().createStreamMuxer(dead)).toThrow('closed while it was being opened')
})

it('a stream opened on a transport that cannot be written to any more does not end the process', async () => {
  const silent = transport()
  const muxer = guardedYamux()().createStreamMuxer(silent)
  silent.writeStatus = 'closed'
  await muxer.createStream()
  await turn()
  expect(uncaught).toEqual([])
  muxer.abort(new Error('over'))
})
