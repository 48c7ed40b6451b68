/** In the user's language, which the browser alone knows. */
import dynamic from 'next/dynamic'

const NotHere = dynamic(() => import('../shell/not-here.tsx').then((module) => module.NotHere), { ssr: false })

export default function NotFound() {
  return <NotHere />
}
