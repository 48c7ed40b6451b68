import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ApiClient, ClientEvent, TransferView } from '@skein/node/api'
import { transferView } from '@skein/node/testing'
import { expect, it } from 'vitest'
import { told } from './file-commands.ts'
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

it('[CL3] a word that is a contact and a file at once is asked about: contacts choose their names', async () => {
  const top = mkdtempSync(join(tmpdir(), 'skein-words-'))
  const path = join(top, 'report.pdf')
  writeFileSync(path, 'x')
  const contacts = [{ contact: 'abcdefgh1234', name: path }]
  const api = { contacts: async () => ({ contacts }) } as unknown as Pick<ApiClient, 'contacts'>
  await expect(told(api, ['ana', path, path])).rejects.toMatchObject({ code: 'USAGE' })
  expect(await told(api, ['ana', 'abcdefgh1234', path])).toEqual({ contacts: ['ana', 'abcdefgh1234'], paths: [path] })
  expect(await told(api, ['ana', path])).toEqual({ contacts: ['ana'], paths: [path] })
  rmSync(top, { recursive: true, force: true })
})
