/** Where a program behind the page puts what is accepted: read once, and as it is changed here. */
import type { ApiClient } from '@skein/node/browser'
import type { ClientModel } from '../client/model.ts'
import { Observable } from '../client/observable.ts'
import { isOnDisk } from './places.ts'

const known = new WeakMap<ClientModel, ReceivingFolder>()

/** One for all who show it. */
export function receivingFolderOf(model: ClientModel): ReceivingFolder {
  const folder = known.get(model) ?? new ReceivingFolder(model)
  known.set(model, folder)
  return folder
}

/** @throws Error with the code `no-folder` @returns the path, without what stands around it */
export function requireFolder(path: string): string {
  if (!isOnDisk(path.trim())) throw Object.assign(new Error('no absolute path'), { code: 'no-folder' })
  return path.trim()
}

/** Its value is empty where the browser keeps what is received, and before it is known. */
export class ReceivingFolder extends Observable<string> {
  private readonly model: ClientModel
  private api: ApiClient | undefined

  constructor(model: ClientModel) {
    super('')
    this.model = model
    model.subscribe(() => this.look())
    this.look()
  }

  /** @throws Error `no-folder`; what the API throws */
  async choose(path: string): Promise<void> {
    const filesFolder = requireFolder(path)
    await this.model.get().api?.configure({ filesFolder })
    this.set(filesFolder)
  }

  private look(): void {
    const { api } = this.model.get()
    if (api === this.api) return
    this.api = api
    if (api !== undefined) void this.read(api).catch(() => undefined)
  }

  private async read(api: ApiClient): Promise<void> {
    const value = (await api.config())['filesFolder']?.value
    if (this.api === api && typeof value === 'string') this.set(value)
  }
}
