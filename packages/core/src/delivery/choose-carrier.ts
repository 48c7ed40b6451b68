/** Which carriers a message for one device goes to now (DL3): a pure function of what is known. */

/** Why mailboxes have not taken a message: no token left for them, no room there, a date that they take for wrong, or no answer. */
export const MAIL_REFUSALS = ['no-tokens', 'mailbox-full', 'clock-wrong', 'mailbox-away'] as const
export type MailRefusal = (typeof MAIL_REFUSALS)[number]

/** Why nothing takes a message at present. */
export const HOLD_REASONS = ['blocked', 'not-accepted', 'keys-changed', 'no-keys', 'no-path', ...MAIL_REFUSALS] as const
export type HoldReason = (typeof HOLD_REASONS)[number]

/** What is known about a device and one message for it. */
export interface CarrierView {
  readonly blocked: boolean
  readonly accepted: boolean
  /** Devices or keys of a verified contact have changed, and the user has not decided. */
  readonly keysChanged: boolean
  /** Nothing was known to encrypt to the device with when the message was written, nor since. */
  readonly sealed: boolean
  /** A stream to the device stands, or could not be opened for a while. */
  readonly direct: 'open' | 'unknown' | 'away'
  /** Mailboxes of the contact, its own order; empty when no delivery tag is known. */
  readonly mailboxes: readonly string[]
  /** What the mailboxes answered last, when all of them were tried and none takes mail for the device. */
  readonly refusal: MailRefusal | null
  /** Those that hold the message, and `mesh`. */
  readonly carriers: readonly string[]
  /** Whether somebody of the mesh is near, and the message may go to them. */
  readonly meshTakes: boolean
}

export interface CarrierPlan {
  readonly direct: boolean
  /** To be handed to these, in this order. */
  readonly mailboxes: readonly string[]
  readonly mesh: boolean
  /** Set when nothing takes the message and nothing holds it. */
  readonly hold: HoldReason | null
}

/** Copies in different mailboxes: one may be lost with its relay. */
export const MAILBOX_COPIES = 2

const NOTHING = { direct: false, mailboxes: [], mesh: false } as const

/** A stream that stands takes everything; else the message goes to mailboxes and mesh side by side, and the stream is tried on. */
export function chooseCarriers(view: CarrierView): CarrierPlan {
  const barred = reasonToHold(view)
  if (barred !== null) return { ...NOTHING, hold: barred }
  const { direct, mailboxes, carriers, meshTakes, refusal } = view
  if (direct !== 'away') return { ...NOTHING, direct: true, hold: null }
  const held = mailboxes.filter((each) => carriers.includes(each)).length
  const wanted = mailboxes.filter((each) => !carriers.includes(each)).slice(0, Math.max(0, MAILBOX_COPIES - held))
  const mesh = meshTakes && !carriers.includes('mesh')
  const isHeld = mesh || carriers.length > 0
  // Those that have refused are tried again; what they said is what the user wants to know meanwhile.
  const hold = isHeld ? null : wanted.length === 0 ? 'no-path' : refusal
  return { direct: true, mailboxes: wanted, mesh, hold }
}

function reasonToHold({ blocked, accepted, keysChanged, sealed }: CarrierView): HoldReason | null {
  if (blocked) return 'blocked'
  if (!accepted) return 'not-accepted'
  if (sealed) return null
  return keysChanged ? 'keys-changed' : 'no-keys'
}
