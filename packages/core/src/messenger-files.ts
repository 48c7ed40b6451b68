/** The files of a messenger: there from the start, or loaded when there is the first to do with them. */
import { SkeinError } from './errors/index.ts'
import type { AccountId, MessageId } from './ids.ts'
import type { FileService, FileServiceDeps } from './files/index.ts'
import type { MessengerEvent, MessengerPorts } from './messenger-ports.ts'
import type { OutboxRow, StoredMessage } from './ports/index.ts'

export class MessengerFiles {
  /** Nothing where files are neither sent nor received, or have not been loaded yet. */
  service: FileService | undefined
  private readonly ports: Pick<MessengerPorts, 'files' | 'lateFiles' | 'store' | 'logger'>
  private readonly deps: FileServiceDeps
  private stopping: AbortSignal | undefined
  private opening: Promise<FileService> | undefined

  constructor(ports: Pick<MessengerPorts, 'files' | 'lateFiles' | 'store' | 'logger'>, deps: FileServiceDeps) {
    this.ports = ports
    this.deps = deps
    this.service = ports.files?.(deps)
  }

  async start(signal: AbortSignal): Promise<void> {
    this.stopping = signal
    if (this.service !== undefined) return this.service.start(signal)
    // Others may ask for what was offered before.
    if (this.ports.lateFiles !== undefined && (await this.ports.store.transfers()).length > 0) this.openSoon()
  }

  /** @throws SkeinError USAGE without a place for files, STORE_CLOSED before the start; what loading throws, and it can be tried again */
  open(): Promise<FileService> {
    if (this.service !== undefined) return Promise.resolve(this.service)
    this.opening ??= this.load().finally(() => (this.opening = undefined))
    return this.opening
  }

  /** Forgets all transfers from and to a contact. @throws as `open`, where there are any */
  async clear(account: AccountId): Promise<void> {
    const kept = (await this.ports.store.transfers()).filter(({ contact }) => contact === account)
    if (kept.length === 0) return
    if (this.stopping !== undefined) return (await this.open()).clear(account)
    // A device that was taken out moves no files, and has some in its list still.
    await this.ports.store.commit(kept.map(({ id, direction }) => ({ kind: 'transfer.remove', id, direction })))
  }

  onMessage(message: StoredMessage): void {
    if (message.kind !== 'file' || (this.service === undefined && this.ports.lateFiles === undefined)) return
    this.open()
      .then((service) => service.onMessage(message))
      .catch((error: unknown) => this.ports.logger.error('offer-not-taken', { reason: String(error) }))
  }

  /** Something has happened: somebody writes, or may fetch, or be asked, no longer, or what offers a file is over. */
  onEvent(event: MessengerEvent): void {
    const { kind } = event
    if (kind === 'typing' || ((kind === 'message' || kind === 'state') && event.message.kind !== 'file')) this.service?.giveWay()
    if (kind === 'contact' || kind === 'keys' || kind === 'devices') this.service?.lookAtContacts()
    if ((kind === 'changed' || kind === 'state') && event.message.kind === 'file')
      void this.service
        ?.onOver(event.message)
        .catch((error: unknown) => this.ports.logger.error('offer-not-ended', { reason: String(error) }))
  }

  /** It is in the store for whoever opens this later. */
  onWord(contact: AccountId, transfer: MessageId): void {
    this.service?.onWord(contact, transfer)
  }

  /** A carrier holds a message of ours: the file it offers may follow. */
  onCarried(row: OutboxRow, carrier: string): void {
    this.service?.onCarried(row, carrier)
  }

  private openSoon(): void {
    this.open().catch((error: unknown) => this.ports.logger.warn('files-not-loaded', { reason: String(error) }))
  }

  private async load(): Promise<FileService> {
    const { lateFiles } = this.ports
    if (lateFiles === undefined) throw new SkeinError('USAGE', 'This client sends and receives no files.')
    if (this.stopping === undefined) throw new SkeinError('STORE_CLOSED', 'The messenger is not running.')
    const service = (await lateFiles())(this.deps)
    await service.start(this.stopping)
    this.service = service
    return service
  }
}
