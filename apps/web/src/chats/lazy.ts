/** What is loaded when it is first shown. */
import dynamic from 'next/dynamic'
import { NotLoaded } from '../ui/not-loaded.tsx'

export const MessageActions = dynamic(() => import('./message-actions.tsx').then((module) => module.MessageActions), {
  ssr: false,
  loading: NotLoaded,
})
export const SearchDialog = dynamic(() => import('./search-dialog.tsx').then((module) => module.SearchDialog), {
  ssr: false,
  loading: NotLoaded,
})
export const RequestButtons = dynamic(() => import('../people/request-buttons.tsx').then((module) => module.RequestButtons), {
  ssr: false,
  loading: NotLoaded,
})
