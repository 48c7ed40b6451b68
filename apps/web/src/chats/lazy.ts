/** Dialogs that are loaded when they are opened. */
import dynamic from 'next/dynamic'

export const MessageActions = dynamic(() => import('./message-actions.tsx').then((module) => module.MessageActions), { ssr: false })
export const SearchDialog = dynamic(() => import('./search-dialog.tsx').then((module) => module.SearchDialog), { ssr: false })
