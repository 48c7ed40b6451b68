/** How much of a content may be on its way on a channel (FI13). */
import type { DeviceId } from '../ids.ts'
import type { Clock } from '../ports/clock.ts'
import type { Swarm } from '../ports/swarm.ts'
import { windowFor } from './credit.ts'
import { MAX_WINDOW_BYTES, WEBRTC_WINDOW_BYTES } from './limits.ts'
import type { Live } from './transfer-book.ts'

export interface ChannelTo {
  readonly live: Live
  readonly device: DeviceId
  /** Bytes, on short paths. */
  readonly least: number
}

/** @returns sealed bytes, by the path to the device and how fast it has been */
export function windowOn(
  { swarm, clock }: { readonly swarm: Pick<Swarm, 'paths'>; readonly clock: Pick<Clock, 'monotonic'> },
  { live, device, least }: ChannelTo,
): number {
  const path = swarm.paths().find((each) => each.device === device)
  const most = path?.transport.startsWith('webrtc') ? WEBRTC_WINDOW_BYTES : MAX_WINDOW_BYTES
  return windowFor({ rttMs: path?.rttMs ?? null, rate: live.rate.at(clock.monotonic()), least, most })
}
