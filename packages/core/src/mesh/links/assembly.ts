import type { LinkPacketFields } from '../../wire/mesh-packet.ts'
import { MAX_MISSING } from '../../wire/mesh-packet.ts'

type Fragment = Extract<LinkPacketFields, { kind: 'fragment' }>

/** Frames being put together at once (ME17); the longest untouched goes first. */
export const MAX_ASSEMBLIES = 8
/** Bytes of all of them (ME17): two chunk bundles and their framing. */
export const MAX_ASSEMBLY_BYTES = 640 * 1_024
/** A frame that nothing was added to for so long is given up, in milliseconds (ME17). */
export const ASSEMBLY_LIFE_MS = 30_000
/** Whole frames whose numbers are remembered, so that repeated fragments make no second frame. */
const MAX_DONE = 256

interface Assembly {
  readonly count: number
  readonly parts: Map<number, Uint8Array>
  bytes: number
  touchedAt: number
}

/** Puts frames together from fragments in any order. Bounded in number, bytes and time. */
export class Assembler {
  private readonly open = new Map<number, Assembly>()
  private readonly done = new Set<number>()
  /** Frames that were given up so far. */
  abandoned = 0

  /** Takes a fragment; returns the frame when it is whole, once. */
  add({ frame, index, count, part }: Fragment, now: number): Uint8Array | undefined {
    if (this.done.has(frame)) return undefined
    this.forget(now)
    const assembly = this.open.get(frame) ?? { count, parts: new Map(), bytes: 0, touchedAt: now }
    if (assembly.count !== count || assembly.parts.has(index)) return undefined
    assembly.parts.set(index, part)
    assembly.bytes += part.length
    assembly.touchedAt = now
    this.open.delete(frame)
    this.open.set(frame, assembly)
    this.bound()
    return assembly.parts.size === count && this.open.has(frame) ? this.finish(frame, assembly) : undefined
  }

  /** Numbers of missing fragments, the first ones; none when the frame is whole. */
  missing(frame: number, count: number): readonly number[] {
    if (this.done.has(frame)) return []
    const parts = this.open.get(frame)?.parts
    const missing: number[] = []
    for (let index = 0; index < count && missing.length < MAX_MISSING; index += 1) if (!parts?.has(index)) missing.push(index)
    return missing
  }

  private finish(frame: number, { parts, bytes, count }: Assembly): Uint8Array {
    this.open.delete(frame)
    this.done.add(frame)
    const [first] = this.done
    if (this.done.size > MAX_DONE && first !== undefined) this.done.delete(first)
    const whole = new Uint8Array(bytes)
    for (let index = 0, at = 0; index < count; index += 1) {
      const part = parts.get(index) ?? new Uint8Array()
      whole.set(part, at)
      at += part.length
    }
    return whole
  }

  private forget(now: number): void {
    for (const [frame, { touchedAt }] of this.open) if (now - touchedAt >= ASSEMBLY_LIFE_MS) this.abandon(frame)
  }

  private bound(): void {
    for (const [frame] of this.open) {
      const bytes = [...this.open.values()].reduce((sum, each) => sum + each.bytes, 0)
      if (this.open.size <= MAX_ASSEMBLIES && bytes <= MAX_ASSEMBLY_BYTES) return
      this.abandon(frame)
    }
  }

  private abandon(frame: number): void {
    this.open.delete(frame)
    this.abandoned += 1
  }
}
