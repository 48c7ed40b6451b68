/** What is loaded when it is first shown. */
import dynamic from 'next/dynamic'
import { NotLoaded } from '../ui/not-loaded.tsx'

export const MailDialog = dynamic(() => import('./mail-dialog.tsx').then((module) => module.MailDialog), { ssr: false, loading: NotLoaded })
export const SeveralDialog = dynamic(() => import('./several-dialog.tsx').then((module) => module.SeveralDialog), {
  ssr: false,
  loading: NotLoaded,
})
export const AbsentPath = dynamic(() => import('./absent-path.tsx').then((module) => module.AbsentPath), { ssr: false, loading: NotLoaded })
export const MailButton = dynamic(() => import('./mail-button.tsx').then((module) => module.MailButton), { ssr: false, loading: NotLoaded })
