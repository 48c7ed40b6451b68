/** What is said of a client that does not come, or does not answer: loaded when it is so. */
import { describeError, useStrings } from '../client/context.tsx'
import { Note } from '../ui/note.tsx'
import { useRareStrings } from '../ui/use-rare-strings.ts'
import { BeginAnew } from './begin-anew.tsx'

export interface TroubleProps {
  readonly what: 'silent' | 'slow' | 'hostGone' | 'revoked' | { readonly failure: unknown }
}

export function Trouble({ what }: TroubleProps) {
  const { trouble, devices } = useRareStrings()
  if (what === 'revoked') return <Note look="danger">{devices.revokedHere}</Note>
  return typeof what === 'string' ? <Note look="warn">{trouble[what]}</Note> : <Failure failure={what.failure} />
}

function Failure({ failure }: { readonly failure: unknown }) {
  const strings = useStrings()
  const { trouble } = useRareStrings()
  const code = typeof failure === 'object' && failure !== null && 'code' in failure ? failure.code : undefined
  const isDamaged = code === 'STORE_CORRUPT'
  return (
    <Note look="danger">
      {isDamaged || code === 'NO_SESSION' ? null : trouble.failed} {describeError(strings, failure, trouble.problems)}
      {isDamaged ? <BeginAnew label={trouble.anew} /> : null}
    </Note>
  )
}
