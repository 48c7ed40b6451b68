/** A search over what was said: the newest that have the words, and on request those before them. */
import type { ApiClient } from '@skein/node/browser'
import type { ClientModel } from '../client/model.ts'
import { Observable } from '../client/observable.ts'

/** Hits that are asked for at once. */
const PAGE = 100

export type Hit = Awaited<ReturnType<ApiClient['search']>>['messages'][number]

export interface Wanted {
  readonly query: string
  /** Undefined for all conversations. */
  readonly contact: string | undefined
}

export interface Found {
  /** Undefined until there is an answer to what is asked now. */
  readonly hits?: readonly Hit[]
  readonly hasOlder: boolean
  readonly error?: unknown
}

const NOTHING: Found = { hasOlder: false }

export class MessageSearch extends Observable<Found> {
  private readonly model: Pick<ClientModel, 'get'>
  private wanted: Wanted = { query: '', contact: undefined }
  private asking = false

  constructor(model: Pick<ClientModel, 'get'>) {
    super(NOTHING)
    this.model = model
  }

  /** From now on `wanted` is looked for, and nothing else. */
  async look(wanted: Wanted): Promise<void> {
    this.wanted = wanted
    this.asking = false
    this.set(NOTHING)
    if (wanted.query !== '') await this.ask([])
  }

  /** Adds those before the last one, if there are any. */
  async older(): Promise<void> {
    const { hits, hasOlder } = this.get()
    if (hasOlder && hits !== undefined && !this.asking) await this.ask(hits)
  }

  private async ask(known: readonly Hit[]): Promise<void> {
    const { wanted } = this
    const { query, contact } = wanted
    const before = known.at(-1)?.id
    this.asking = true
    const answer = await this.model
      .get()
      .api?.search({ query, limit: PAGE, ...(contact === undefined ? {} : { contact }), ...(before === undefined ? {} : { before }) })
      .then(
        ({ messages }) => ({ hits: [...known, ...messages], hasOlder: messages.length === PAGE }),
        (error: unknown) => ({ ...this.get(), error }),
      )
    // Something else may be wanted by now.
    if (this.wanted !== wanted) return
    this.asking = false
    if (answer !== undefined) this.set(answer)
  }
}
