import type { AppProps } from 'next/app'
import Head from 'next/head'
import './styles.css'

export default function SkeinApp({ Component, pageProps }: AppProps) {
  return (
    <>
      <Head>
        <title>Skein</title>
        <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover, interactive-widget=resizes-content" />
      </Head>
      <Component {...pageProps} />
    </>
  )
}
