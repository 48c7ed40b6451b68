/** What few look at is loaded when they do. */
import dynamic from 'next/dynamic'
import { NotLoaded } from '../ui/not-loaded.tsx'

export const ProofsSection = dynamic(() => import('./proofs.tsx').then((module) => module.ProofsSection), {
  ssr: false,
  loading: NotLoaded,
})
export const DevicesSection = dynamic(() => import('./devices.tsx').then((module) => module.DevicesSection), {
  ssr: false,
  loading: NotLoaded,
})
