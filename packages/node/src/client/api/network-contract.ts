/** What the API says of the network around a client. */
import * as z from 'zod/mini'

const Instant = z.int()
export const PATHS = ['lan', 'direct', 'mapped', 'punched', 'relayed', 'mesh', 'none'] as const

/** What stands between this machine and the internet; empty where it cannot be found out, as in a browser. */
export const NatView = z.partial(
  z.object({
    udp: z.nullable(z.boolean()),
    mapping: z.enum(['none', 'same', 'sequential', 'random', 'unknown']),
    filtering: z.enum(['strict', 'open', 'unknown']),
    seen_as: z.nullable(z.string()),
    hairpin: z.nullable(z.boolean()),
    ipv6: z.boolean(),
    /** A port that the home router has opened: `mapped`, or why there is none. */
    port_mapping: z.object({
      state: z.enum(['mapped', 'looking', 'public', 'no-router', 'none', 'nested', 'refused', 'off']),
      by: z.nullable(z.enum(['pcp', 'nat-pmp', 'upnp'])),
      address: z.nullable(z.string()),
    }),
  }),
)
export type NatView = z.infer<typeof NatView>

export const DoctorView = z.object({
  checks: z.array(
    z.object({
      name: z.string(),
      ok: z.boolean(),
      /** A sentence in English. */
      detail: z.string(),
      /** The same for programs, and what it is about: a URL, an address. */
      code: z.string(),
      about: z.string(),
    }),
  ),
  nat: NatView,
  /** What came from the network since the start and was not looked at, by the reason; nothing in a browser. */
  refused: z.record(z.string(), z.int()),
})
export type DoctorView = z.infer<typeof DoctorView>

export const InviteView = z.object({
  invite: z.string(),
  expires_at: Instant,
  /** The same invite at further addresses of this machine. */
  others: z.array(z.string()),
})

const WAY = {
  device: z.string(),
  transport: z.nullable(z.string()),
  rtt_ms: z.nullable(z.number()),
  since: z.nullable(Instant),
  /** Best rung first. */
  reasons: z.array(z.object({ rung: z.string(), outcome: z.string(), detail: z.string() })),
}

const DeviceWayView = z.object({ ...WAY, path: z.enum(PATHS) })
export type DeviceWayView = z.infer<typeof DeviceWayView>

export const WhyView = z.object({
  ...WAY,
  contact: z.string(),
  path: z.enum([...PATHS, 'mailbox']),
  nat: NatView,
  /** Connections to each of the contact's devices, the one that is reached best first. */
  devices: z.array(DeviceWayView),
})
export type WhyView = z.infer<typeof WhyView>
