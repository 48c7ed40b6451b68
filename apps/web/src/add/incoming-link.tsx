/** A link for devices that the page was opened with: nobody becomes a device of an account without having said so. */
import { useStrings } from '../client/context.tsx'
import { JoinForm } from '../settings/join-form.tsx'
import { Dialog } from '../ui/dialog.tsx'

export function IncomingLink({ link, onClose }: { readonly link: string; onClose(): void }) {
  const { devices } = useStrings().settings
  return (
    <Dialog title={devices.join} onClose={onClose}>
      <JoinForm known={link} />
    </Dialog>
  )
}
