/** Dialogs that are loaded when they are opened. */
import dynamic from 'next/dynamic'
import { NotLoaded } from '../ui/not-loaded.tsx'

export const AddDialog = dynamic(() => import('./add-dialog.tsx').then((module) => module.AddDialog), { ssr: false, loading: NotLoaded })
export const InviteDialog = dynamic(() => import('./invite-dialog.tsx').then((module) => module.InviteDialog), {
  ssr: false,
  loading: NotLoaded,
})
export const IncomingLink = dynamic(() => import('./incoming-link.tsx').then((module) => module.IncomingLink), {
  ssr: false,
  loading: NotLoaded,
})
export const QrScanner = dynamic(() => import('./qr-scanner.tsx').then((module) => module.QrScanner), { ssr: false, loading: NotLoaded })
export const QrImage = dynamic(() => import('./qr-image.tsx').then((module) => module.QrImage), { ssr: false, loading: NotLoaded })
