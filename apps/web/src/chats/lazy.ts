/** What is loaded when it is first shown. */
import dynamic from 'next/dynamic'

export const MessageActions = dynamic(() => import('./message-actions.tsx').then((module) => module.MessageActions), { ssr: false })
export const SearchDialog = dynamic(() => import('./search-dialog.tsx').then((module) => module.SearchDialog), { ssr: false })
export const RequestButtons = dynamic(() => import('../people/request-buttons.tsx').then((module) => module.RequestButtons), { ssr: false })
