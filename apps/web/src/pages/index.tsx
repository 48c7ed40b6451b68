/** The only page: everything in it runs in the browser, so nothing is rendered when it is built. */
import dynamic from 'next/dynamic'

const App = dynamic(() => import('../shell/app.tsx').then(({ App: Component }) => Component), { ssr: false })

export default function Page() {
  return <App />
}
