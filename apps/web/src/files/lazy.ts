/** Loaded with the first file that is shown, or sent. */
import dynamic from 'next/dynamic'
import { NotLoaded } from '../ui/not-loaded.tsx'

/** Loaded when something is sent. */
export const Copying = dynamic(() => import('./copying.tsx').then((module) => module.Copying), { ssr: false })

export const FileMessage = dynamic(() => import('./file-message.tsx').then((module) => module.FileMessage), {
  ssr: false,
  loading: NotLoaded,
})
