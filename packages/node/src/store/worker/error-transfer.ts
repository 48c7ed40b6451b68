/** Errors of ours keep their code on the way between worker and page; comlink alone would keep only name and message. */
import { isSkeinError, SkeinError } from '@skein/core'
import { transferHandlers, type TransferHandler } from 'comlink'

type Sent =
  | { readonly kind: 'ours'; readonly code: SkeinError['code']; readonly message: string }
  | { readonly kind: 'other'; readonly message: string }

/** To be called once on either side, before anything is exposed or wrapped. */
export function keepErrorCodes(): void {
  const own = transferHandlers.get('throw')
  if (own === undefined) throw new Error('comlink has no handler for what is thrown')
  const handler: TransferHandler<{ readonly value: unknown }, Sent> = {
    canHandle: own.canHandle as (value: unknown) => value is { readonly value: unknown },
    serialize: ({ value }) => [sent(value), []],
    deserialize: (error) => {
      throw error.kind === 'ours' ? new SkeinError(error.code, error.message) : new Error(error.message)
    },
  }
  transferHandlers.set('throw', handler)
}

function sent(error: unknown): Sent {
  if (isSkeinError(error)) return { kind: 'ours', code: error.code, message: error.message }
  return { kind: 'other', message: String(error) }
}
