/** What the API is asked for, and asked anew when it is another: a tab that takes over begins anew, for what was heard of the one before may be old. */
import type { ApiClient } from '@skein/node/browser'
import type { ClientModel } from './model.ts'
import { Observable } from './observable.ts'

export abstract class ApiValue<T> extends Observable<T> {
  protected readonly model: ClientModel
  private api: ApiClient | undefined

  /** @param value until there is an answer; that which stands stays where none comes */
  constructor(model: ClientModel, value: T) {
    super(value)
    this.model = model
    model.subscribe(() => this.look())
    // Fields of those that extend this are there by then.
    queueMicrotask(() => this.look())
  }

  /** @returns `undefined` to leave it as it is */
  protected abstract ask(api: ApiClient): Promise<T | undefined>

  private look(): void {
    const { api } = this.model.get()
    if (api === this.api) return
    this.api = api
    if (api !== undefined) void this.read(api).catch(() => undefined)
  }

  private async read(api: ApiClient): Promise<void> {
    const value = await this.ask(api)
    if (this.api === api && value !== undefined) this.set(value)
  }
}
