/** Core's ErasureCode by reed-solomon-erasure, compiled to WebAssembly. */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { ErasureCode } from '@skein/core'

const WASM = '@digitaldefiance/reed-solomon-erasure.wasm/wasm'
/** Where `tools/bundle.mjs` puts it. */
const BUNDLED = new URL('reed_solomon_erasure_bg.wasm', import.meta.url)

/** Loads the code; about ten milliseconds. */
export async function openErasureCode(): Promise<ErasureCode> {
  const { ReedSolomonErasure } = await import('@digitaldefiance/reed-solomon-erasure.wasm')
  const program = readFileSync(existsSync(BUNDLED) ? BUNDLED : createRequire(import.meta.url).resolve(WASM))
  // Version 1.0.2 frees twice what it hands to the program, and a later call reads beyond the memory: a fresh one each time (1.4 ms).
  const fresh = () => ReedSolomonErasure.fromBytes(program)
  const check = (result: number): void => {
    if (result !== ReedSolomonErasure.RESULT_OK) throw new RangeError(ReedSolomonErasure.getResultMessage(result))
  }
  return {
    parity(data, n) {
      const size = data[0]?.length ?? 0
      const all = joined([...data, ...Array.from({ length: n - data.length }, () => undefined)], size)
      check(fresh().encode(all, data.length, n - data.length))
      return slices(all, size).slice(data.length)
    },
    restore(shards, k) {
      const present = shards.filter((shard) => shard !== undefined)
      const size = present[0]?.length ?? 0
      if (present.length < k || present.some(({ length }) => length !== size)) return undefined
      const all = joined(shards, size)
      check(
        fresh().reconstruct(
          all,
          k,
          shards.length - k,
          shards.map((shard) => shard !== undefined),
        ),
      )
      return slices(all, size).slice(0, k)
    },
  }
}

function joined(shards: readonly (Uint8Array | undefined)[], size: number): Uint8Array {
  const all = new Uint8Array(shards.length * size)
  for (const [at, shard] of shards.entries()) if (shard !== undefined) all.set(shard, at * size)
  return all
}

function slices(all: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: all.length / size }, (_, at) => all.slice(at * size, (at + 1) * size))
}
