import { Head, Html, Main, NextScript } from 'next/document'

export default function SkeinDocument() {
  return (
    <Html lang="en">
      <Head>
        <meta name="description" content="Messages from device to device, sealed on the way." />
        <meta name="referrer" content="no-referrer" />
        <meta name="color-scheme" content="light dark" />
        <meta name="theme-color" content="#0a6457" />
        <link rel="manifest" href="/manifest.webmanifest" />
        <link rel="icon" href="/icon.svg" type="image/svg+xml" />
        <link rel="apple-touch-icon" href="/icon-192.png" />
      </Head>
      <body>
        <Main />
        <NextScript />
      </body>
    </Html>
  )
}
