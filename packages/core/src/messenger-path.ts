/** The way of a message through a running messenger: what sends and receives, put together from its parts. */
import { type ContactBook, type ContactDeps, remoteDevice } from './contacts/index.ts'
import type { OwnDevices } from './devices/index.ts'
import type { Dispatcher } from './dispatch/index.ts'
import { type PrekeyKeeper, RatchetCipher } from './e2ee/index.ts'
import type { Identity } from './identity/index.ts'
import { Envelopes, type MainPath, openSequences, openStamps } from './main-path/index.ts'
import type { MessengerFiles } from './messenger-files.ts'
import type { MessengerEvent, MessengerPorts } from './messenger-ports.ts'
import type { StoredMessage } from './ports/index.ts'
import type { PresenceService } from './presence/index.ts'
import type { Proofs } from './proofs/index.ts'

export interface MainPathParts {
  readonly book: ContactBook
  readonly identity: Identity
  readonly prekeys: PrekeyKeeper
  readonly contacts: ContactDeps
  /** 32 bytes. */
  readonly fetchSecret: Uint8Array
  readonly dispatcher: Dispatcher
  readonly devices: OwnDevices
  readonly presence: PresenceService
  readonly transfers: MessengerFiles
  readonly proofs: Proofs
  /** Messages are given up after so long, milliseconds. */
  readonly expireMs: number
  onMessage(message: StoredMessage): void
  emit(event: MessengerEvent): void
}

export async function openMainPath(ports: MessengerPorts, parts: MainPathParts): Promise<MainPath> {
  const { book, identity, prekeys, contacts, fetchSecret, dispatcher, devices, presence, transfers, emit } = parts
  await dispatcher.load()
  const cipher = new RatchetCipher({ ...ports, own: identity, prekeys, remote: (device) => remoteDevice(contacts, device) })
  return {
    ...ports,
    book,
    cipher,
    envelopes: new Envelopes({ ...ports, book, cipher, prekeys, deviceKey: identity.deviceKey, fetchSecret }),
    committing: new Map(),
    stamps: await openStamps(ports.store, ports.clock),
    sequences: openSequences(ports.store),
    post: (row) => dispatcher.post(row),
    reload: (device) => dispatcher.reload(device),
    expireMs: parts.expireMs,
    onMessage: (message) => parts.onMessage(message),
    owedFor: (message) => parts.proofs.owed(message),
    onState: (message) => {
      emit({ kind: 'state', message })
      if (message.state === 'failed') dispatcher.tellOwn()
    },
    onArrived: (device, seq) => dispatcher.onArrived(device, seq),
    onReceiptDue: (device) => dispatcher.onReceiptDue(device),
    onChanged: (message) => emit({ kind: 'changed', message }),
    onControl: (device, control) => dispatcher.onControl(device, control),
    ownWordsReady: () => devices.ready(),
    onOwnWord: (device, own) => devices.onWord(device, own),
    onFileWord: (contact, transfer) => transfers.onWord(contact, transfer),
    onSignOfLife: (device) => presence.signOfLife(device),
  }
}
