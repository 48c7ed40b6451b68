/** Where a program behind the page puts what is accepted: read once, and as it is changed here. */
import type { ApiClient } from '@skein/node/browser'
import { ApiValue } from '../client/api-value.ts'
import type { ClientModel } from '../client/model.ts'
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
export class ReceivingFolder extends ApiValue<string> {
  constructor(model: ClientModel) {
    super(model, '')
  }

  /** @throws Error `no-folder`; what the API throws */
  async choose(path: string): Promise<void> {
    const filesFolder = requireFolder(path)
    await this.model.get().api?.configure({ filesFolder })
    this.set(filesFolder)
  }

  protected async ask(api: ApiClient): Promise<string | undefined> {
    const value = (await api.config())['filesFolder']?.value
    return typeof value === 'string' ? value : undefined
  }
}
