import { type DeviceId, deviceIdFromKey } from '@skein/core'
import { describe, expect, it } from 'vitest'
import { MAX_PLACES, MAX_PLACES_OF_ONE, Places, STRANGERS } from './places.ts'

const device = deviceIdFromKey(new Uint8Array(32).fill(7))
const nobody = (): boolean => false
const place = (host: number, port = 4001): string => `/ip4/10.0.${host >> 8}.${host & 255}/tcp/${port}`

/** All that is dialled at `now`. */
function dialled(places: Places, now: number, isHere: (device: DeviceId) => boolean = nobody): readonly string[] {
  const found: string[] = []
  for (let next = places.next(now, isHere); next !== undefined; next = places.next(now, isHere)) found.push(next)
  return found
}

describe('places of strangers', () => {
  it('[ME38] no more are dialled in a minute than the rate allows, however many are told of', () => {
    const places = new Places(0)
    let count = 0
    for (let now = 0; now <= 60_000; now += 500) {
      for (let host = 0; host < 50; host += 1) places.seen(place((now / 500) * 50 + host), now)
      count += dialled(places, now).length
    }
    expect(count).toBeGreaterThan(STRANGERS.burst)
    expect(count).toBeLessThanOrEqual(STRANGERS.burst + 60 * STRANGERS.perSecond)
  })

  it('[ME38] a host takes no places from others, whatever ports it names', () => {
    const places = new Places(0)
    places.seen(place(1), 0)
    for (let port = 1; port <= 2 * MAX_PLACES; port += 1) places.seen(place(2, port), 0)
    const all = dialled(places, 0)
    expect(all).toHaveLength(1 + MAX_PLACES_OF_ONE)
    expect(all).toContain(place(1))
    expect(all).toContain(place(2, 2 * MAX_PLACES))
  })

  it('[ME38] where somebody of ours has answered the rate does not count, and who is here is not dialled', () => {
    const places = new Places(0)
    places.seen(place(1), 0)
    expect(dialled(places, 0)).toEqual([place(1)])
    places.answered(place(1), device)
    for (let host = 2; host < 200; host += 1) places.seen(place(host), 0)
    dialled(places, 0)
    expect(dialled(places, 2_000)).toEqual([place(1)])
    expect(dialled(places, 60_000, (each) => each === device)).not.toContain(place(1))
  })

  it('a new place goes before those that did not answer, which are tried ever more rarely, until they speak again', () => {
    const places = new Places(0)
    places.seen(place(1), 0)
    const at = [0, 1_999, 2_000, 5_999, 6_000].filter((now) => {
      places.seen(place(1), now)
      return dialled(places, now).length > 0
    })
    expect(at).toEqual([0, 2_000, 6_000])
    places.seen(place(2), 60_000)
    expect(dialled(places, 60_000)).toEqual([place(2), place(1)])
    places.seen(place(1), 70_000)
    expect(dialled(places, 70_000)).toContain(place(1))
  })

  it('the oldest makes room', () => {
    const places = new Places(0)
    for (let host = 0; host <= MAX_PLACES; host += 1) places.seen(place(host), 0)
    expect(places.seen(place(MAX_PLACES), 0)).toBe(false)
    expect(places.seen(place(0), 0)).toBe(true)
  })
})
