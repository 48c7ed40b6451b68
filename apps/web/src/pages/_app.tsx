import type { AppProps } from 'next/app'
import './styles.css'

export default function SkeinApp({ Component, pageProps }: AppProps) {
  return <Component {...pageProps} />
}
