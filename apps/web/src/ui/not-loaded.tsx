/** In the place of a part that is loaded later: nothing while it comes, and a word when it does not. */
import type { DynamicOptionsLoadingProps } from 'next/dynamic'
import { useStrings } from '../client/context.tsx'
import { Button } from './button.tsx'
import { Note } from './note.tsx'

export function NotLoaded({ error, retry }: DynamicOptionsLoadingProps) {
  const { errors, general } = useStrings()
  if (!error) return null
  return (
    <Note look="danger">
      {errors.NOT_LOADED}{' '}
      <Button look="bare" onClick={() => retry?.()}>
        {general.retry}
      </Button>
      <Button look="bare" onClick={() => globalThis.location.reload()}>
        {general.reload}
      </Button>
    </Note>
  )
}
