/** The dialog, loaded when the first one opens. */
import dynamic from 'next/dynamic'
import { NotLoaded } from './not-loaded.tsx'

export const LazyDialog = dynamic(() => import('./dialog.tsx').then((module) => module.Dialog), { ssr: false, loading: NotLoaded })
