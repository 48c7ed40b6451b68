import type { MeshView } from '@skein/node/browser'

/** Rows shown at most: the largest ones. */
const MAX_ROWS = 50

export interface CarriedRow {
  /** 8 hex digits, of a day. */
  readonly address: string
  /** Empty where it is for somebody unknown. */
  readonly name: string
  readonly count: number
  readonly bytes: number
  readonly own: boolean
}

/** What is carried, by whom it is for: pieces and messages together. */
export function carriedRows({ bundles }: Pick<MeshView, 'bundles'>): readonly CarriedRow[] {
  const rows = new Map<string, CarriedRow>()
  for (const { address, contact, name, bytes, own } of bundles) {
    const key = `${contact ?? address} ${own}`
    const { count, bytes: before } = rows.get(key) ?? { count: 0, bytes: 0 }
    rows.set(key, { address, name, own, count: count + 1, bytes: before + bytes })
  }
  return [...rows.values()].toSorted((a, b) => b.bytes - a.bytes).slice(0, MAX_ROWS)
}
