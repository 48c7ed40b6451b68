/** What must not be in a history when all is mended. */
import type { StoredMessage } from '../ports/store.ts'
import type { Primitives } from '../ports/primitives.ts'

export interface ChaosResult {
  readonly seed: number
  readonly messages: number
  readonly delivered: number
  readonly lost: number
  readonly doubled: number
  readonly misordered: number
  /** What went wrong, in words; empty when all is well. */
  readonly failures: readonly string[]
}

export interface ChaosOptions {
  /** Things that happen; 30 unless said. */
  readonly steps?: number
  /** Two people or three; three unless said. */
  readonly people?: 2 | 3
  /** A faster backend, for many seeds. */
  readonly primitives?: Primitives
}

/** Whether its sender knows what has become of it; given up counts only where its time was over. */
export function isOver({ direction, state, reason, deletedAt }: StoredMessage): boolean {
  return (
    direction === 'in' || deletedAt !== null || state === 'delivered' || state === 'read' || (state === 'failed' && reason === 'expired')
  )
}

export function inWords({ text, state, reason }: StoredMessage): string {
  return `«${text}» is ${state} (${reason ?? 'no reason'})`
}

/** Of a message that was not taken back: it is at the end of its text, whatever was edited. */
export function numberOf({ text }: StoredMessage): number {
  return Number(text.split(' ').at(-1))
}

/** Messages that are shown in another order than their sender, who numbered them, has sent them. */
export function outOfOrder(history: readonly StoredMessage[]): number {
  const incoming = history.filter(({ direction, deletedAt }) => direction === 'in' && deletedAt === null)
  const wrong = [...new Set(incoming.map(({ sender }) => sender))].map((device) => {
    const numbers = incoming.filter(({ sender }) => sender === device).map(numberOf)
    return numbers.filter((number, index) => index > 0 && number < (numbers[index - 1] ?? 0)).length
  })
  return wrong.reduce((sum, each) => sum + each, 0)
}

/** What two devices of one account show differently. */
export function unlike(here: readonly StoredMessage[], there: readonly StoredMessage[]): readonly string[] {
  const ids = (all: readonly StoredMessage[]): string => String(all.map(({ id }) => id))
  const unread = (all: readonly StoredMessage[]): string => ids(all.filter(({ seen }) => !seen))
  if (ids(here) !== ids(there)) return ['other messages']
  const states = (all: readonly StoredMessage[]): string => String(all.map(({ direction, state }) => (direction === 'out' ? state : '')))
  const said = (all: readonly StoredMessage[]): string =>
    String(all.map((each) => [...whatWasSaid(each), each.ownReaction, each.contactReaction]))
  const differences = [
    ...(said(here) === said(there) ? [] : ['other words about messages']),
    ...(unread(here) === unread(there) ? [] : ['other messages as unread']),
    ...(states(here) === states(there) ? [] : ['other states of messages']),
  ]
  return differences
}

/** What the two sides of a conversation show differently of messages that both have. */
export function unlikeSides(here: readonly StoredMessage[], there: readonly StoredMessage[]): readonly string[] {
  return here.flatMap((message) => {
    const other = there.find(({ id }) => id === message.id)
    if (other === undefined) return []
    const [ours, theirs] = [
      [...whatWasSaid(message), message.ownReaction, message.contactReaction],
      [...whatWasSaid(other), other.contactReaction, other.ownReaction],
    ].map((each) => JSON.stringify(each))
    return ours === theirs ? [] : [`${ours} and ${theirs}`]
  })
}

const whatWasSaid = ({ text, editedAt, deletedAt }: StoredMessage): readonly unknown[] => [text, editedAt !== null, deletedAt !== null]
