import { describe, expect, it } from 'vitest'
import { noblePrimitives } from '../e2ee/primitives.ts'
import { seededRandom } from '../testing/seeded-random.ts'
import { type Cargo, decodeCargo, encodeCargo, MAX_SLICE_BYTES } from '../wire/mesh-cargo.ts'
import { type ChunkPlan, chunkLength, isLast, planOf } from './chunk-plan.ts'
import { LARGE_CHUNK_BYTES, LARGE_CONTENT_BYTES, MAX_HALF_CHUNKS } from './limits.ts'
import { ListSink } from './list-sink.ts'
import { openBox, readBox, sealBox } from './mesh-boxes.ts'
import { MeshInbox } from './mesh-inbox.ts'
import { deriveStreamKey, sealChunk, sealRoot } from './stream-seal.ts'

const random = seededRandom(7)
const key = random.bytes(32)
const salt = random.bytes(32)
const plan: ChunkPlan = planOf({ size: LARGE_CONTENT_BYTES + 100, chunkSize: LARGE_CHUNK_BYTES })

function sealed(index: number, by = salt): Uint8Array {
  const stream = deriveStreamKey(noblePrimitives, key, { salt: by, part: 'content' })
  const bytes = new Uint8Array(chunkLength(plan, index)).fill(index + 1)
  return sealChunk(noblePrimitives, stream, { index, last: isLast(plan, index), bytes })
}

function slices(index: number, by = salt): Extract<Cargo, { kind: 'slice' }>[] {
  const all = sealed(index, by)
  return Array.from({ length: Math.ceil(all.length / MAX_SLICE_BYTES) }, (_, at) => {
    const offset = at * MAX_SLICE_BYTES
    return { kind: 'slice', part: 'content', salt: by, index, offset, bytes: all.subarray(offset, offset + MAX_SLICE_BYTES) }
  })
}

function inbox(): { readonly box: MeshInbox; readonly sink: ListSink } {
  const sink = new ListSink(noblePrimitives, plan)
  const nothing = (): void => undefined
  return {
    sink,
    box: new MeshInbox({ primitives: noblePrimitives, key, part: 'content', plan, sink, onChunk: nothing, onChange: nothing }),
  }
}

describe('what comes by the mesh', () => {
  it('[ME29] slices in any order, some twice, make a chunk once; what is here already is confirmed again', async () => {
    const { box, sink } = inbox()
    const [first, ...others] = slices(2)
    for (const slice of [...others.reverse(), ...others, first]) if (slice !== undefined) expect(await box.take(slice)).toBe(true)
    expect([sink.present.size, sink.present.has(2)]).toEqual([1, true])
    expect(sink.bytes.subarray(2 * LARGE_CHUNK_BYTES, 3 * LARGE_CHUNK_BYTES).every((byte) => byte === 3)).toBe(true)
    for (const slice of others) expect(await box.take(slice)).toBe(true)
  })

  it('[ME29] what does not open, or does not fit, changes nothing, and what is right is still taken', async () => {
    const { box, sink } = inbox()
    const good = slices(16)[0]
    if (good === undefined) throw new Error('it has slices')
    const broken = [
      { ...good, bytes: good.bytes.map((byte, at) => (at === 50 ? byte ^ 1 : byte)) },
      { ...good, bytes: good.bytes.subarray(1) },
      { ...good, bytes: new Uint8Array() },
      { ...good, index: 17 },
      { ...good, index: 0 },
      { ...good, offset: MAX_SLICE_BYTES },
      { ...good, salt: random.bytes(32) },
    ]
    for (const slice of broken) expect(await box.take(slice)).toBe(false)
    const root = (by: Uint8Array): Cargo => {
      const stream = deriveStreamKey(noblePrimitives, by, { salt, part: 'content' })
      return { kind: 'end', salt, root: sealRoot(noblePrimitives, stream, random.bytes(32)) }
    }
    expect(await box.take(root(random.bytes(32)) as Extract<Cargo, { kind: 'end' }>)).toBe(false)
    expect([sink.present.size, box.root]).toEqual([0, undefined])
    expect(await box.take(good)).toBe(true)
    expect(await box.take(root(key) as Extract<Cargo, { kind: 'end' }>)).toBe(true)
    expect([sink.present.size, box.root?.length]).toEqual([1, 32])
  })

  it('[ME29] of chunks that never become whole, eight are kept', async () => {
    const { box, sink } = inbox()
    const [first, second, ...rest] = slices(1)
    if (first === undefined || second === undefined) throw new Error('it has slices')
    await box.take(first)
    for (let number = 0; number < MAX_HALF_CHUNKS; number += 1) await box.take({ ...first, salt: random.bytes(32) })
    for (const slice of [second, ...rest]) await box.take(slice)
    expect(sink.present.size).toBe(0)
    await box.take(first)
    expect(sink.present.has(1)).toBe(true)
  })

  it('[ME27] a box opens with its own key alone, shows nothing of what lies in it, and its cargo keeps every field', () => {
    const lane = { name: random.bytes(16), key: random.bytes(32) }
    const [cargo] = slices(16)
    if (cargo === undefined) throw new Error('it has slices')
    const { sealed: bytes, content } = sealBox(noblePrimitives, lane, { cargo, random })
    const box = readBox(bytes)
    if (box === undefined) throw new Error('it is a box')
    expect(openBox(noblePrimitives, lane, box)).toEqual({ cargo, content })
    expect(openBox(noblePrimitives, { ...lane, key: random.bytes(32) }, box)).toBeUndefined()
    expect(openBox(noblePrimitives, lane, { ...box, sealed: box.sealed.map((byte, at) => (at === 9 ? byte ^ 1 : byte)) })).toBeUndefined()
    for (let seed = 0; seed < 200; seed += 1) expect(readBox(seededRandom(seed).bytes(seed))).toBeUndefined()
    for (const each of [{ kind: 'probe' }, { kind: 'end', salt, root: random.bytes(48) }] as const)
      expect(decodeCargo(encodeCargo(each, random.bytes(16)))).toEqual(each)
    expect(() => decodeCargo(encodeCargo({ ...cargo, offset: 5 }, random.bytes(16)))).toThrow('none that is known')
  })
})
