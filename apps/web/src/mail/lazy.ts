/** What is loaded when it is first shown. */
import dynamic from 'next/dynamic'

export const MailDialog = dynamic(() => import('./mail-dialog.tsx').then((module) => module.MailDialog), { ssr: false })
export const SeveralDialog = dynamic(() => import('./several-dialog.tsx').then((module) => module.SeveralDialog), { ssr: false })
export const MailButton = dynamic(() => import('./mail-button.tsx').then((module) => module.MailButton), { ssr: false })
