import { Link2, UserPlus } from 'lucide-react'
import { useCallback, useEffect, useState } from 'react'
import { useStrings } from '../client/context.tsx'
import { Button } from '../ui/button.tsx'
import { AddDialog, InviteDialog } from './lazy.ts'

/** The two ways to a new contact, wherever contacts are listed. */
export function AddButtons() {
  const { add, invite } = useStrings()
  const [dialog, setDialog] = useState<'add' | 'invite'>()
  const close = useCallback(() => setDialog(undefined), [])
  useEffect(() => {
    // Whoever goes elsewhere, or opens an invite, is done here.
    globalThis.addEventListener('hashchange', close)
    return () => globalThis.removeEventListener('hashchange', close)
  }, [close])
  return (
    <div className="flex flex-wrap gap-2 *:flex-1 *:whitespace-nowrap">
      <Button look="main" onClick={() => setDialog('invite')}>
        <Link2 aria-hidden="true" size={18} />
        {invite.open}
      </Button>
      <Button onClick={() => setDialog('add')}>
        <UserPlus aria-hidden="true" size={18} />
        {add.open}
      </Button>
      {dialog === 'add' ? <AddDialog onClose={close} /> : null}
      {dialog === 'invite' ? <InviteDialog onClose={close} /> : null}
    </div>
  )
}
