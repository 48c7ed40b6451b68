/** What few look at is loaded when they do. */
import dynamic from 'next/dynamic'

export const DevicesSection = dynamic(() => import('./devices.tsx').then((module) => module.DevicesSection), { ssr: false })
