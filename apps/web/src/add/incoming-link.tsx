/** A link for devices that the page was opened with: nobody becomes a device of an account without having said so. */
import { JoinForm } from '../settings/join-form.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { useRareStrings } from '../ui/use-rare-strings.ts'

export function IncomingLink({ link, onClose }: { readonly link: string; onClose(): void }) {
  const { devices } = useRareStrings()
  return (
    <Dialog title={devices.join} onClose={onClose}>
      <JoinForm known={link} />
    </Dialog>
  )
}
