import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ApiClient, ClientEvent, TransferView } from '@skein/node/api'
import { transferView } from '@skein/node/testing'
import { expect, it } from 'vitest'
import { taking, told } from './file-commands.ts'
import { Following } from './following.ts'

const transfer = (change: Partial<TransferView> = {}): TransferView => transferView({ direction: 'out', state: 'running', ...change })

interface Stream {
  tell(transfer: TransferView): void
  end(): void
}

/** A client whose streams of events are told what to say. */
function client() {
  const streams: Stream[] = []
  let now: readonly TransferView[] = []
  const events = async (): Promise<AsyncIterable<ClientEvent>> => {
    const waiting: ClientEvent[] = []
    let isOver = false
    let wake = (): void => undefined
    const stream: Stream = {
      tell: (each) => {
        waiting.push({ event: 'transfer', ...each })
        wake()
      },
      end: () => {
        isOver = true
        wake()
      },
    }
    streams.push(stream)
    return (async function* () {
      while (!isOver || waiting.length > 0) {
        yield* waiting.splice(0)
        if (!isOver && waiting.length === 0) await new Promise<void>((resolve) => (wake = resolve))
      }
    })()
  }
  const api = { events, transfers: async () => ({ transfers: [...now] }) } as unknown as Pick<ApiClient, 'events' | 'transfers'>
  return { api, streams, set: (all: readonly TransferView[]) => (now = all) }
}

const quiet = { json: true, result: () => undefined }

async function following() {
  const made = client()
  const follow = new Following(made.api, quiet)
  await follow.begin()
  const [first] = made.streams
  if (first === undefined) throw new Error('it listens')
  return { ...made, follow, first }
}

it('[CL4] a clock that was set back keeps nobody waiting for the end', async () => {
  const { follow, first } = await following()
  follow.add(transfer({ updated_at: 9_000 }))
  first.tell(transfer({ state: 'done', updated_at: 1_000 }))
  expect(await follow.untilOver(undefined)).toBe(0)
  follow.end()
})

it('[CL4] who has read too slowly and is left looks up what it has missed, and listens on', async () => {
  const { follow, first, streams, set } = await following()
  for (const name of ['a', 'b']) follow.add(transfer({ transfer: name }))
  set([transfer({ transfer: 'b' }), transfer({ state: 'done' })])
  first.end()
  const over = follow.untilOver(undefined)
  await expect.poll(() => streams.length).toBe(2)
  streams[1]?.tell(transfer({ transfer: 'b', state: 'failed' }))
  expect(await over).toBe(1)
  follow.end()
})

it('[CL4] an end that was heard before the answer to the command counts', async () => {
  const { follow, first } = await following()
  first.tell(transfer({ state: 'done' }))
  await new Promise(setImmediate)
  follow.add(transfer())
  expect(await follow.untilOver(undefined)).toBe(0)
  follow.end()
})

it('[CL4] [FI37] what takes the place of what has changed is followed: the end is that of the last', async () => {
  const { follow, first } = await following()
  follow.add(transfer())
  first.tell(transfer({ state: 'failed', reason: 'FILE_CHANGED', offered_anew: true }))
  first.tell(transfer({ transfer: 'b', replaces: 'a', state: 'waiting' }))
  first.tell(transfer({ transfer: 'c', state: 'done' }))
  first.tell(transfer({ transfer: 'b', replaces: 'a', state: 'done' }))
  expect(await follow.untilOver(undefined)).toBe(0)
  follow.end()
})

it('[CL4] [FI37] what has changed and is not offered anew after all is over', async () => {
  const { follow, first } = await following()
  follow.add(transfer())
  first.tell(transfer({ state: 'failed', reason: 'FILE_CHANGED', offered_anew: true }))
  first.tell(transfer({ state: 'failed', reason: 'FILE_UNREADABLE' }))
  expect(await follow.untilOver(undefined)).toBe(1)
  follow.end()
})

it('[CL4] [FI37] at the recipient the one that was accepted is replaced, and the first that is there is the new one', async () => {
  const { follow, first } = await following()
  const [old, anew] = [transfer({ direction: 'in' }), transfer({ transfer: 'b', replaces: 'a', direction: 'in' })]
  follow.add(old)
  first.tell({ ...anew, state: 'offered' })
  first.tell({ ...old, state: 'failed', reason: 'replaced' })
  first.tell({ ...anew, state: 'done' })
  expect(await follow.untilOver(undefined, 'first')).toBe(0)
  follow.end()
})

it('[CL5] of two offers one is taken, what was accepted long ago and waits keeps it from nothing', () => {
  const accepted: string[] = []
  const take = taking({ contact: undefined, once: true, accept: ({ transfer: id }) => void accepted.push(id) })
  const incoming = (id: string, change: Partial<TransferView>) => take(transfer({ transfer: id, direction: 'in', ...change }))
  const taken = [
    incoming('old', { state: 'waiting' }),
    incoming('paused', { state: 'paused' }),
    incoming('first', { state: 'offered' }),
    incoming('second', { state: 'offered' }),
    incoming('first anew', { state: 'offered', replaces: 'first' }),
  ]
  expect(taken).toEqual([true, false, true, false, true])
  expect(accepted).toEqual(['first', 'first anew'])
})

it('[CL3] a word that is a contact and a file at once is asked about: contacts choose their names', async () => {
  const top = mkdtempSync(join(tmpdir(), 'skein-words-'))
  const path = join(top, 'report.pdf')
  writeFileSync(path, 'x')
  const contacts = [{ contact: 'abcdefgh1234', name: path }]
  const api = { contacts: async () => ({ contacts }) } as unknown as Pick<ApiClient, 'contacts'>
  await expect(told(api, ['ana', path, path])).rejects.toMatchObject({ code: 'USAGE' })
  expect(await told(api, ['ana', 'abcdefgh1234', path])).toEqual({ contacts: ['ana', 'abcdefgh1234'], paths: [path] })
  expect(await told(api, ['ana', path])).toEqual({ contacts: ['ana'], paths: [path] })
  await expect(told(api, ['ana', 'caf\ufffd'])).rejects.toThrow('send the folder it lies in')
  rmSync(top, { recursive: true, force: true })
})

it('[CL4] what a full disk has paused is followed on when it goes on', async () => {
  const { api, streams } = client()
  const seen: string[] = []
  const follow = new Following(api, { json: true, result: (line) => void seen.push((line as TransferView).state) })
  await follow.begin()
  follow.add(transfer({ state: 'paused', reason: 'DISK_FULL' }))
  for (const state of ['running', 'done', 'running'] as const) streams[0]?.tell(transfer({ state }))
  await expect.poll(() => seen).toEqual(['paused', 'running', 'done'])
  expect(await follow.untilOver(undefined)).toBe(0)
  follow.end()
})
