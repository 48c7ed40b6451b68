/** Loaded with the first file that is shown. */
import dynamic from 'next/dynamic'
import { NotLoaded } from '../ui/not-loaded.tsx'

export const FileMessage = dynamic(() => import('./file-message.tsx').then((module) => module.FileMessage), {
  ssr: false,
  loading: NotLoaded,
})
