import type { HistoryMessage } from '@skein/node/browser'

/** As the client orders a conversation: by hybrid clock, then by id. */
export function compareMessages(a: HistoryMessage, b: HistoryMessage): number {
  const byClock = a.order.ms - b.order.ms || a.order.counter - b.order.counter
  return byClock !== 0 ? byClock : Number(a.id > b.id) - Number(a.id < b.id)
}
