/** What passes between the devices of one account: linking, and what one has and another lacks (docs/spec/devices.md). */
import { SkeinError } from '../errors/index.ts'
import { accountDigest, type AccountId, type DeviceId, deviceKey, messageIdBytes, messageIdFromBytes, type MessageId } from '../ids.ts'
import type { StoredAnnotation, StoredContact, StoredMessage } from '../ports/store.ts'
import { atMost, decode, encode, exactly } from './codec.ts'
import { LinkFrame, LinkGrant, LinkReveal, type OwnContact, type OwnSeen, type OwnTags, OwnWord } from './gen/devices_pb.ts'
import { decodeHandover, encodeHandover, type HandoverFields } from './handover.ts'
import { MAX_DEVICES, MAX_HISTORY_PAGE, MAX_NAME_CHARS, MAX_OWN_CONTACTS, MAX_OWN_SEEN, MAX_RELAYS } from './limits.ts'
import { accountOf, annotationMessage, annotationOf, deviceOf, messageMessage, messageOf, oneOf } from './own-history.ts'
import { decodeSigned, encodeSigned, type SignedBytes } from './signed.ts'

/** Why one side ends a linking. */
export const LINK_ENDS = ['expired', 'used', 'refused', 'wrong', 'bad-frame'] as const
export type LinkEnd = (typeof LINK_ENDS)[number]

export interface LinkHelloFields {
  /** 32 bytes each. */
  readonly proof: Uint8Array
  readonly commitment: Uint8Array
  readonly name: string
  readonly dhKey: Uint8Array
  /** 64 bytes. */
  readonly dhCertificate: Uint8Array
}

/** An ephemeral X25519 key and a nonce, 32 bytes each. */
export interface LinkShare {
  readonly key: Uint8Array
  readonly nonce: Uint8Array
}

export interface LinkGrantFields {
  /** 32 bytes. */
  readonly accountSeed: Uint8Array
  readonly deviceList: SignedBytes
  readonly name: string
  readonly relays: readonly string[]
  readonly deviceName: string
}

export type LinkFrameFields =
  | { readonly kind: 'hello'; readonly hello: LinkHelloFields }
  | { readonly kind: 'key'; readonly share: LinkShare }
  | { readonly kind: 'reveal'; readonly share: LinkShare }
  | { readonly kind: 'grant'; readonly sealed: Uint8Array }
  | { readonly kind: 'done' }
  | { readonly kind: 'end'; readonly why: LinkEnd }

export function encodeLinkFrame(frame: LinkFrameFields): Uint8Array {
  return encode(LinkFrame, { kind: linkKind(frame) })
}

function linkKind(frame: LinkFrameFields): LinkFrame['kind'] {
  switch (frame.kind) {
    case 'hello':
      return { $case: 'hello', value: frame.hello }
    case 'key':
      return { $case: 'key', value: frame.share }
    case 'reveal':
      return { $case: 'reveal', value: frame.share }
    case 'grant':
      return { $case: 'grant', value: frame.sealed }
    case 'done':
      return { $case: 'done', value: {} }
    case 'end':
      return { $case: 'end', value: frame.why }
  }
}

/** @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
export function decodeLinkFrame(bytes: Uint8Array): LinkFrameFields {
  const { kind } = decode(LinkFrame, bytes)
  switch (kind?.$case) {
    case 'hello':
      return { kind: 'hello', hello: helloOf(kind.value) }
    case 'key':
      return { kind: 'key', share: shareOf(kind.value) }
    case 'reveal':
      return { kind: 'reveal', share: shareOf(kind.value) }
    case 'grant':
      return { kind: 'grant', sealed: kind.value }
    case 'done':
      return { kind: 'done' }
    case 'end':
      return { kind: 'end', why: LINK_ENDS.find((each) => each === kind.value) ?? 'bad-frame' }
    case undefined:
      throw new SkeinError('BAD_FRAME', 'A word of linking is empty.')
  }
}

function helloOf(hello: LinkHelloFields): LinkHelloFields {
  const { proof, commitment, name, dhKey, dhCertificate } = hello
  return {
    proof: exactly(proof, 32),
    commitment: exactly(commitment, 32),
    name: shortName(name),
    dhKey: exactly(dhKey, 32),
    dhCertificate: exactly(dhCertificate, 64),
  }
}

function shareOf({ key, nonce }: LinkShare): LinkShare {
  return { key: exactly(key, 32), nonce: exactly(nonce, 32) }
}

/** What the commitment is made over. */
export function encodeLinkShare(share: LinkShare): Uint8Array {
  return encode(LinkReveal, share)
}

export function encodeLinkGrant(grant: LinkGrantFields): Uint8Array {
  return encode(LinkGrant, { ...grant, deviceList: encodeSigned(grant.deviceList), relays: [...grant.relays] })
}

/** @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
export function decodeLinkGrant(bytes: Uint8Array): LinkGrantFields {
  const { accountSeed, deviceList, name, relays, deviceName } = decode(LinkGrant, bytes)
  return {
    accountSeed: exactly(accountSeed, 32),
    deviceList: decodeSigned(deviceList),
    name: shortName(name),
    relays: atMost(relays, MAX_RELAYS),
    deviceName: shortName(deviceName),
  }
}

function shortName(name: string): string {
  if ([...name].length > MAX_NAME_CHARS) throw new SkeinError('BAD_FRAME', 'A name is longer than the limit.')
  return name
}

/** What the user has decided about a contact, with the instant of the decision (milliseconds since 1970). */
export interface OwnContactFields extends Pick<StoredContact, 'account' | 'petname' | 'state' | 'trust' | 'blocked' | 'muted'> {
  /** Encoded signed card or record; empty when none is known. */
  readonly card: Uint8Array
  readonly stamp: number
  /** Up to where the user has deleted the conversation, by the hybrid clock; both 0 for never. */
  readonly cleared: { readonly hlcMs: number; readonly hlcCounter: number }
  /** Delivery tags of its devices, at most MAX_DEVICES; without a prekey, which is for one device alone. */
  readonly tags: readonly OwnTagsFields[]
}

export interface OwnTagsFields {
  readonly device: DeviceId
  readonly handover: HandoverFields
}

/** As a word of its own: `seen` was seen now. In a page: everything up to `message` was, but for `unseen`. */
export interface OwnSeenFields {
  readonly account: AccountId
  readonly message: MessageId
  /** At most MAX_OWN_SEEN each. */
  readonly seen: readonly MessageId[]
  readonly unseen: readonly MessageId[]
}

/** Positions in the asked device's store; what comes behind them is wanted. */
export interface HistoryCursor {
  readonly messages: number
  readonly annotations: number
}

export interface HistoryPageFields {
  readonly after: HistoryCursor
  readonly next: HistoryCursor
  readonly more: boolean
  readonly messages: readonly StoredMessage[]
  readonly annotations: readonly StoredAnnotation[]
  readonly contacts: readonly OwnContactFields[]
  readonly seen: readonly OwnSeenFields[]
  readonly name: string
}

export type OwnWordFields =
  | { readonly kind: 'copy'; readonly account: AccountId; readonly content: Uint8Array }
  | { readonly kind: 'contacts'; readonly contacts: readonly OwnContactFields[] }
  | { readonly kind: 'seen'; readonly seen: OwnSeenFields }
  | { readonly kind: 'wanted'; readonly after: HistoryCursor; readonly contactsDigest: Uint8Array; readonly name: string }
  | { readonly kind: 'page'; readonly page: HistoryPageFields }
  /** Of a newer version; nothing is done about it. */
  | { readonly kind: 'unknown' }

export function encodeOwnWord(word: OwnWordFields): Uint8Array {
  return encode(OwnWord, { kind: ownKind(word) })
}

function ownKind(word: OwnWordFields): OwnWord['kind'] {
  switch (word.kind) {
    case 'copy':
      return { $case: 'copy', value: { accountDigest: accountDigest(word.account), content: word.content } }
    case 'contacts':
      return { $case: 'contacts', value: { contacts: word.contacts.map(contactMessage) } }
    case 'seen':
      return { $case: 'seen', value: seenMessage(word.seen) }
    case 'wanted': {
      const { after, contactsDigest, name } = word
      return { $case: 'wanted', value: { messagesAfter: after.messages, annotationsAfter: after.annotations, contactsDigest, name } }
    }
    case 'page':
      return { $case: 'page', value: pageMessage(word.page) }
    case 'unknown':
      return undefined
  }
}

function pageMessage({ after, next, ...page }: HistoryPageFields): Extract<OwnWord['kind'], { $case: 'page' }>['value'] {
  return {
    messagesAfter: after.messages,
    annotationsAfter: after.annotations,
    messagesNext: next.messages,
    annotationsNext: next.annotations,
    more: page.more,
    messages: page.messages.map(messageMessage),
    annotations: page.annotations.map(annotationMessage),
    contacts: page.contacts.map(contactMessage),
    seen: page.seen.map(seenMessage),
    name: page.name,
  }
}

/** @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
export function decodeOwnWord(bytes: Uint8Array): OwnWordFields {
  const { kind } = decode(OwnWord, bytes)
  switch (kind?.$case) {
    case 'copy':
      return { kind: 'copy', account: accountOf(kind.value.accountDigest), content: kind.value.content }
    case 'contacts':
      return { kind: 'contacts', contacts: atMost(kind.value.contacts, MAX_OWN_CONTACTS).map(contactOf) }
    case 'seen':
      return { kind: 'seen', seen: seenOf(kind.value) }
    case 'wanted': {
      const { messagesAfter, annotationsAfter, contactsDigest, name } = kind.value
      const after = { messages: messagesAfter, annotations: annotationsAfter }
      return { kind: 'wanted', after, contactsDigest: exactly(contactsDigest, 32), name: shortName(name) }
    }
    case 'page':
      return { kind: 'page', page: pageOf(kind.value) }
    case undefined:
      return { kind: 'unknown' }
  }
}

function pageOf(page: Extract<OwnWord['kind'], { $case: 'page' }>['value']): HistoryPageFields {
  return {
    after: { messages: page.messagesAfter, annotations: page.annotationsAfter },
    next: { messages: page.messagesNext, annotations: page.annotationsNext },
    more: page.more,
    messages: atMost(page.messages, MAX_HISTORY_PAGE).map(messageOf),
    annotations: atMost(page.annotations, MAX_HISTORY_PAGE).map(annotationOf),
    contacts: atMost(page.contacts, MAX_OWN_CONTACTS).map(contactOf),
    seen: atMost(page.seen, MAX_HISTORY_PAGE).map(seenOf),
    name: shortName(page.name),
  }
}

function contactMessage({ account, cleared, tags, ...contact }: OwnContactFields): OwnContact {
  return {
    ...contact,
    accountDigest: accountDigest(account),
    clearedMs: cleared.hlcMs,
    clearedCounter: cleared.hlcCounter,
    tags: tags.map(({ device, handover }) => ({
      deviceKey: deviceKey(device),
      handover: encodeHandover({ ...handover, oneTime: undefined }),
    })),
  }
}

function tagsOf({ deviceKey: key, handover }: OwnTags): OwnTagsFields {
  const opened = decodeHandover(handover)
  if (opened === undefined) throw new SkeinError('BAD_FRAME', 'Delivery tags are missing.')
  return { device: deviceOf(key), handover: { ...opened, oneTime: undefined } }
}

function contactOf({ accountDigest: digest, clearedMs, clearedCounter, ...contact }: OwnContact): OwnContactFields {
  if (clearedCounter > 0xffff) throw new SkeinError('BAD_FRAME', 'A place in a conversation is out of range.')
  return {
    ...contact,
    cleared: { hlcMs: clearedMs, hlcCounter: clearedCounter },
    tags: atMost(contact.tags, MAX_DEVICES).map(tagsOf),
    account: accountOf(digest),
    petname: shortName(contact.petname),
    state: oneOf(contact.state, ['pending', 'requested', 'accepted']),
    trust: oneOf(contact.trust, ['unverified', 'verified', 'changed']),
  }
}

function seenMessage({ account, message, seen, unseen }: OwnSeenFields): OwnSeen {
  return {
    accountDigest: accountDigest(account),
    message: messageIdBytes(message),
    seen: seen.map(messageIdBytes),
    unseen: unseen.map(messageIdBytes),
  }
}

function seenOf({ accountDigest: digest, message, seen, unseen }: OwnSeen): OwnSeenFields {
  return {
    account: accountOf(digest),
    message: messageIdFromBytes(message),
    seen: atMost(seen, MAX_OWN_SEEN).map(messageIdFromBytes),
    unseen: atMost(unseen, MAX_OWN_SEEN).map(messageIdFromBytes),
  }
}
